import { describe, expect, it } from 'vitest';
import { compile, first, one, several, verdicts } from '../../support/compiled.ts';

describe('the network of a task', () => {
  it.each([
    ['bridge', { containerPort: 80, hostPort: 8080 }, 8080],
    ['bridge', { containerPort: 80, hostPort: 0 }, undefined],
    ['bridge', { containerPort: 80 }, undefined],
    ['host', { containerPort: 80 }, 80],
    ['awsvpc', { containerPort: 80, hostPort: 80 }, undefined],
  ])('with mode %s maps %o to node port %s', (networkMode, mapping, hostPort) => {
    expect(first({ portMappings: [mapping] }, { networkMode })?.ports?.[0]?.hostPort).toBe(hostPort);
  });

  it('with mode host is the network of the node, from which the names of the cluster still resolve', () => {
    const { spec } = one({ hostname: 'web' }, { networkMode: 'host' });
    expect(spec).toMatchObject({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' });
    // A kubelet gives such a pod the node's host name.
    expect(spec).not.toHaveProperty('hostname');
    expect(one({}, { networkMode: 'bridge' }).spec).not.toHaveProperty('hostNetwork');
  });

  it('resolves links to itself, by their names and aliases', () => {
    const containers = [{ links: ['c1:Database', 'c1:db', 'my_cache'] }, {}, { name: 'my_cache' }];
    const definition = several(containers);
    const { hostAliases } = compile(definition).spec;
    expect(hostAliases).toEqual([{ ip: '127.0.0.1', hostnames: ['c1', 'database', 'db'] }]);
    expect(verdicts(definition)).toMatchObject({ 'spec.containerDefinitions[0].links': 'Approximated' });
  });
});
