/** Requests that come through Traefik, as the cluster's Gateway API implementation, to real containers. */
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { until } from '../../dev/cluster/run.ts';
import { ensureTrafficServer } from '../../dev/cluster/traffic-server.ts';
import { applyObjects, ensureTraefik, gateway, get, useTraefik } from '../support/gateway.ts';
import { useSuite } from '../support/suite.ts';
import { applyDeployment } from '../support/traffic-deployment.ts';

const { possible, why } = realNodePossible();
const traefik = possible ? await ensureTraefik() : { why };
const skipped = 'why' in traefik ? ` (skipped: ${traefik.why})` : '';

describe.skipIf('why' in traefik)(`through a gateway${skipped}`, () => {
  const suite = useSuite({ nodes: 'real', operator: false });
  const proxy = useTraefik(traefik, () => suite().cluster);

  it('a request comes by a hand-made HTTPRoute to a container', async (context) => {
    await ensureTrafficServer();
    const ns = await suite().namespace(context);
    const kubectl = (args: readonly string[], input?: string) => ns.kubectl(args, input);
    await applyDeployment(kubectl, { name: 'app', replicas: 1, preStopSeconds: 0 });
    const route = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'app' },
      spec: {
        parentRefs: [{ name: 'public' }],
        hostnames: [`${ns.name}.example.com`],
        rules: [{ backendRefs: [{ name: 'app', port: 80 }] }],
      },
    };
    await applyObjects(ns, gateway('public', proxy()), route);
    const pod = (await ns.kubectl(['get', 'pods', '--output=jsonpath={.items[*].metadata.name}'])).trim();
    const answer = async () => (await get(proxy(), `${ns.name}.example.com`, '/')).task;
    expect(await until('an answer', answer, { timeout: 120_000 })).toBe(pod);
  });
});
