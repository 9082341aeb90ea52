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

describe('names', () => {
  it('of extraHosts are in /etc/hosts, beside the links; what is no host name or address is not', () => {
    const containers = [
      {
        links: ['c1'],
        extraHosts: [
          { hostname: 'Legacy', ipAddress: '10.0.0.1' },
          { hostname: 'a_b', ipAddress: '10.0.0.2' },
          { hostname: 'gateway', ipAddress: 'host-gateway' },
        ],
      },
      {
        extraHosts: [
          { hostname: 'other', ipAddress: '10.0.0.1' },
          { hostname: 'six', ipAddress: 'fd00::1' },
          { hostname: 'self', ipAddress: '127.0.0.1' },
        ],
      },
    ];
    expect(compile(several(containers)).spec.hostAliases).toEqual([
      { ip: '10.0.0.1', hostnames: ['other', 'legacy'] },
      { ip: 'fd00::1', hostnames: ['six'] },
      { ip: '127.0.0.1', hostnames: ['self', 'c1'] },
    ]);
  });

  it('are looked up by the servers and in the domains of all containers', () => {
    const containers = [
      { dnsServers: ['10.0.0.2', '10.0.0.3'], dnsSearchDomains: ['shop.example'] },
      { dnsServers: ['10.0.0.3', '10.0.0.4', '10.0.0.5'], dnsSearchDomains: ['shop.example', 'not_one'] },
    ];
    expect(compile(several(containers)).spec).toMatchObject({
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['10.0.0.2', '10.0.0.3', '10.0.0.4'], searches: ['shop.example'] },
    });
  });

  it('are looked up by the servers of the cluster where no others are given', () => {
    const { spec } = one({ dnsSearchDomains: ['shop.example'] });
    expect(spec.dnsConfig).toEqual({ searches: ['shop.example'] });
    expect(spec).not.toHaveProperty('dnsPolicy');
    expect(one({}).spec).not.toHaveProperty('dnsConfig');
  });

  it('of a search list end where Kubernetes ends it', () => {
    const dnsSearchDomains = Array.from({ length: 32 }, (_, index) => `${`${'d'.repeat(60)}.`.repeat(2)}n${index}`);
    const { searches = [] } = one({ dnsSearchDomains }).spec.dnsConfig ?? {};
    expect(searches.join(' ').length).toBeLessThanOrEqual(2048);
    expect(searches).toHaveLength(16);
  });

  it('of the host are a label of DNS', () => {
    expect(one({ hostname: 'Web_1.example' }).spec.hostname).toBe('web-1-example');
  });
});

describe('port mappings', () => {
  it('of ranges are not listed: every port of the task is open', () => {
    expect(first({ portMappings: [{ containerPortRange: '5000-5010' }] })).not.toHaveProperty('ports');
  });

  it('are named for what finds them, each name once', () => {
    const portMappings = [
      { containerPort: 80, hostPort: 8080, name: 'web' },
      { containerPort: 81, hostPort: 8081 },
      { containerPort: 81, hostPort: 8082 },
    ];
    expect(first({ portMappings })?.ports?.map(({ name }) => name)).toEqual(['web', 'tcp-81', undefined]);
  });
});
