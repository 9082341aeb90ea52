import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { ensureTrafficServer } from '../../dev/cluster/traffic-server.ts';
import { inside, untilRunning } from '../support/containers.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { type Failure, TRAFFIC_IMAGE, TrafficStream } from '../support/traffic.ts';
import { deletePod, roll, scale, stopByHand } from '../support/traffic-service.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'services on a real kubelet' : `services on a real kubelet (skipped: ${why})`;

/** As far as streams beside others leave room for what they are about. */
const LANES = { 'keep-alive': 2, 'new connection': 2, 'slow keep-alive': 1, 'slow new connection': 1, websocket: 1 };
/** Of waits that a slow machine makes long. */
const WAIT_MS = 300_000;

const example = join(import.meta.dirname, '..', '..', 'examples', 'service-connect.yaml');

const addressOf = async (ns: TestNamespace, name: string): Promise<string> =>
  ns.kubectl(['get', 'services.v1.', name, '--output=jsonpath={.spec.clusterIP}']);

/** What DNS gives for the name: the local cluster has none that could be asked. */
const endpointsOf = (ns: TestNamespace, name: string) =>
  ns.history
    .all('endpointslices')
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready === true);
const addressesOf = (ns: TestNamespace, name: string): string[] =>
  endpointsOf(ns, name)
    .flatMap(({ addresses }) => addresses)
    .sort();

const tasksBehind = (ns: TestNamespace, name: string): (string | undefined)[] =>
  endpointsOf(ns, name).map(({ targetRef }) => targetRef?.name);

const untilAddresses = (ns: TestNamespace, name: string) =>
  ns.until(`the addresses of the tasks behind ${name}`, () => {
    const found = addressesOf(ns, name);
    const tasks = runningPods(ns.history, 'orders').map(({ status }) => status?.podIP);
    return found.length === tasks.length && tasks.every((address = '') => found.includes(address)) && found;
  });

/** Milliseconds that a task behind an alias goes on, and the rest of the second in which that begins. */
const GOES_ON_MS = 6000;

/** When tasks began to stop, epoch milliseconds. */
const stopsOf = (ns: TestNamespace): number[] =>
  ns.history.entries.flatMap(({ kind, object }) => {
    if (kind !== 'pods') return [];
    const { metadata, spec } = object as Pod;
    const asked = metadata.annotations?.['longshore.dev/stopping-at'] ?? '';
    const deleted = Date.parse(metadata.deletionTimestamp ?? '') - (spec.terminationGracePeriodSeconds ?? 0) * 1000;
    return [Date.parse(asked), deleted].filter((time) => !Number.isNaN(time));
  });

/** But for what a node, on a machine so slow, still sends to a task that has gone on for as long as it is to. */
const lost = (ns: TestNamespace, { failures }: TrafficStream, since: number): Failure[] => {
  const stops = stopsOf(ns).filter((stop) => stop >= since - 1000);
  return failures.filter(({ failedAt }) => failedAt >= since && !stops.some((stop) => failedAt >= stop + GOES_ON_MS));
};

/** The first line of the answer, once there is one: rules of kube-proxy follow the endpoints. wget of busybox-static crashes. */
const answer = (ns: TestNamespace, from: Pod, address: string, port: number): Promise<string> =>
  inside(
    ns,
    from,
    'shop',
    `ask() { printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} ${port} | head -n 1; }
     until ask | grep 200; do sleep 0.2; done`,
  );

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  it('of the example reach each other by alias and registry, and no task that has stopped', async (context) => {
    const ns = await suite().namespace(context);
    await ns.kubectl(['apply', '--filename=-'], readFileSync(example, 'utf8'));
    await untilSteady(ns.history, 'orders', 2);
    const shop = await untilRunning(ns, 'shop');
    const addresses = await untilAddresses(ns, 'orders');
    expect(await untilAddresses(ns, 'orders-tasks')).toEqual(addresses);
    const alias = await addressOf(ns, 'orders');
    expect(await addressOf(ns, 'orders-tasks')).toBe('None');
    expect(await answer(ns, shop, alias, 8080)).toMatch(/^HTTP\/1\.[01] 200/);
    for (const address of addresses) expect(await answer(ns, shop, address, 80)).toMatch(/^HTTP\/1\.[01] 200/);

    const [task] = runningPods(ns.history, 'orders');
    const name = task?.metadata.name ?? '';
    await ns.patch('pods', name, { metadata: { annotations: { 'longshore.dev/stop': 'by hand' } } });
    await ns.until('another in its place', () => {
      const tasks = runningPods(ns.history, 'orders');
      return (
        tasks.length === 2 && tasks.every((other) => other.metadata.name !== name && other.status?.podIP !== undefined)
      );
    });
    await untilSteady(ns.history, 'orders', 2);
    const later = await untilAddresses(ns, 'orders');
    expect(await untilAddresses(ns, 'orders-tasks')).toEqual(later);
    expect(tasksBehind(ns, 'orders')).not.toContain(name);
    expect(await answer(ns, shop, alias, 8080)).toMatch(/^HTTP\/1\.[01] 200/);
  });

  it('lose no request to an alias while its service is rolled, scaled in and has a task stopped', async (context) => {
    await ensureTrafficServer();
    const ns = await suite().namespace(context);
    const container = {
      name: 'app',
      image: TRAFFIC_IMAGE,
      memory: 64,
      portMappings: [{ containerPort: 80, name: 'http' }],
      environment: [{ name: 'START_AFTER_MS', value: '500' }],
      healthCheck: { command: ['CMD', '/traffic-server', 'healthcheck'], interval: 5, timeout: 2, retries: 3 },
    };
    const services = [{ portName: 'http', clientAliases: [{ port: 8080, dnsName: 'api' }] }];
    await ns.create(
      taskDefinition('web', {}, [container]),
      service('web', { desiredCount: 2, serviceConnectConfiguration: { enabled: true, services } }),
    );
    await untilSteady(ns.history, 'web', 2, WAIT_MS);
    const options = { host: await addressOf(ns, 'api'), port: 8080, seconds: 600, lanes: LANES };
    const stream = await TrafficStream.start(suite().cluster.dir, options);
    context.onTestFinished(async () => {
      await stream.end();
    });
    const clusterDir = suite().cluster.dir;
    const kubectl: TestNamespace['kubectl'] = (args, input) => ns.kubectl(args, input);
    const world = { namespace: ns.name, clusterDir, history: ns.history, service: 'web', stream, kubectl };
    for (const [what, step] of Object.entries({
      rolled: () => roll(world, 'one'),
      'scaled in': () => scale(world, 1),
      'scaled out': () => scale(world, 2),
      'a task stopped by hand': () => stopByHand(world),
      'a pod deleted': () => deletePod(world),
    })) {
      const since = Date.now();
      await step();
      expect(lost(ns, stream, since), what).toEqual([]);
    }
  }, 600_000);
});
