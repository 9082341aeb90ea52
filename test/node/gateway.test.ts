/** Requests that come through Traefik, as the cluster's Gateway API and Ingress controller, to real containers. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { until } from '../../dev/cluster/run.ts';
import { ensureTrafficServer } from '../../dev/cluster/traffic-server.ts';
import { type Asked, applyObjects, ensureTraefik, gateway, get, getOverHttp2, useTraefik } from '../support/gateway.ts';
import { untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { TrafficStream } from '../support/traffic.ts';
import { applyDeployment } from '../support/traffic-deployment.ts';
import { deletePod, roll, stopByHand, trafficManifests } from '../support/traffic-service.ts';

const { possible, why } = realNodePossible();
const traefik = possible ? await ensureTraefik() : { why };
const skipped = 'why' in traefik ? ` (skipped: ${traefik.why})` : '';

/** Of waits that a slow machine makes long. */
const WAIT_MS = 300_000;
/** The longest that a stream goes on where the test does not end it. */
const MOST_SECONDS = 600;
const LANES = { 'keep-alive': 2, 'new connection': 2, 'slow keep-alive': 1, 'slow new connection': 1, websocket: 1 };

/** The namespace would wait for half the grace of each pod. */
async function clearAway(ns: TestNamespace): Promise<void> {
  await ns.kubectl(['delete', 'services.longshore.dev', '--all', '--wait=false']);
  await ns.kubectl(['delete', 'pods', '--all', '--grace-period=1', '--wait=false']);
}

describe.skipIf('why' in traefik).concurrent(`through a gateway${skipped}`, { timeout: 900_000 }, () => {
  const suite = useSuite({ nodes: 'real', operator: true });
  const proxy = useTraefik(traefik, () => suite().cluster);
  beforeAll(async () => {
    await ensureTrafficServer();
  });

  /** A namespace with services of one task each and their TargetGroups, by name. */
  async function services(
    context: TestContext,
    groups: Readonly<Record<string, (host: string) => object>>,
    options: { readonly gateway?: boolean; readonly desiredCount?: number } = {},
  ): Promise<{ readonly ns: TestNamespace; readonly host: string }> {
    const ns = await suite().namespace(context);
    const host = `${ns.name}.example.com`;
    context.onTestFinished(() => clearAway(ns));
    const { gateway: withGateway = true, desiredCount = 1 } = options;
    if (withGateway) await applyObjects(ns, gateway('public', proxy()));
    const manifests = Object.entries(groups).flatMap(([name, fields]) =>
      trafficManifests({ name, desiredCount, targetGroup: fields(host) }),
    );
    await applyObjects(ns, ...manifests);
    for (const name of Object.keys(groups)) {
      await untilSteady(ns.history, name, desiredCount, WAIT_MS);
      await ns.until(`the routes of ${name} to be served`, () => served(ns, name)?.status === 'True', WAIT_MS);
    }
    return { ns, host };
  }

  const served = (ns: TestNamespace, name: string) =>
    ns.history.get('targetgroups', name)?.status?.conditions?.find(({ type }) => type === 'RoutesServed');

  /** Asks again until each request has gone to the service that is said: Traefik takes its time to do as it has said it would. */
  async function untilAnswered(rows: readonly (readonly [asked: Asked, service: string | number])[]): Promise<void> {
    const answers = () =>
      Promise.all(
        rows.map(async ([asked]) => {
          const { status, service } = await get(proxy(), asked);
          return [asked, service ?? status];
        }),
      );
    let last: unknown;
    const asSaid = async (): Promise<boolean> => {
      last = await answers();
      return JSON.stringify(last) === JSON.stringify(rows);
    };
    await until('every request to go where it is to go', asSaid, { timeout: WAIT_MS, interval: 200 }).catch(() => {});
    expect(last).toEqual(rows);
  }

  it('a request comes by a hand-made HTTPRoute to a container', async (context) => {
    const ns = await suite().namespace(context);
    const kubectl = (args: readonly string[], input?: string) => ns.kubectl(args, input);
    await applyDeployment(kubectl, { name: 'app', replicas: 1, preStopSeconds: 0 });
    const host = `${ns.name}.example.com`;
    const route = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'app' },
      spec: {
        parentRefs: [{ name: 'public' }],
        hostnames: [host],
        rules: [{ backendRefs: [{ name: 'app', port: 80 }] }],
      },
    };
    await applyObjects(ns, gateway('public', proxy()), route);
    await untilAnswered([[{ host, path: '/hand' }, 'app']]);
  });

  it('requests go to two services by path, pattern and header', async (context) => {
    const { host } = await services(context, {
      api: (name) => ({
        routes: [
          { hosts: [name], paths: ['/api', '/api/*'] },
          { hosts: [name.toUpperCase()], paths: ['/v?/*/items'] },
          { hosts: [name], headers: [{ name: 'X-Canary', values: ['Y*s'] }] },
        ],
      }),
      web: (name) => ({ routes: [{ hosts: [name], paths: ['/*'] }] }),
    });
    await untilAnswered([
      [{ host, path: '/home' }, 'web'],
      [{ host, path: '/api' }, 'api'],
      [{ host, path: '/api/orders?id=1' }, 'api'],
      [{ host, path: '/apis' }, 'web'],
      [{ host, path: '/API' }, 'web'],
      [{ host, path: '/v1/a/b/items' }, 'api'],
      [{ host, path: '/v12/a/items' }, 'web'],
      [{ host, path: '/v1/a/items/2' }, 'web'],
      [{ host, path: '/home', headers: { 'x-canary': 'YES' } }, 'api'],
      [{ host, path: '/home', headers: { 'x-canary': 'yes, please' } }, 'web'],
      [{ host: `other.${host}`, path: '/home' }, 404],
    ]);
  });

  it('requests go to two services by weight', async (context) => {
    const route = (weight: number) => (name: string) => ({ routes: [{ hosts: [name], weight }] });
    const { ns, host } = await services(context, { blue: route(1), green: route(3) });
    await untilAnswered([[{ host, path: '/shop' }, 'blue']]);
    const answers = async (): Promise<(string | undefined)[]> => {
      const all = Array.from({ length: 200 }, () => get(proxy(), { host, path: '/shop' }));
      return (await Promise.all(all)).map(({ service }) => service);
    };
    const before = await answers();
    // 50 of 200, within about six standard deviations of a choice by chance.
    expect(before.filter((service) => service === 'blue').length).toBeGreaterThan(14);
    expect(before.filter((service) => service === 'blue').length).toBeLessThan(86);
    expect(new Set(before)).toEqual(new Set(['blue', 'green']));

    await ns.patch('targetgroups', 'blue', { spec: { routes: [{ hosts: [host], weight: 0 }] } });
    await until('blue to get nothing', async () => !(await answers()).includes('blue'), { timeout: WAIT_MS });
  });

  it('HTTP/2 comes to a service as HTTP/2 where its TargetGroup says so, else as HTTP/1.1', async (context) => {
    const route = (path: string, fields: object) => (name: string) => ({
      ...fields,
      routes: [{ hosts: [name], paths: [path] }],
    });
    const { host } = await services(context, { two: route('/2', { protocolVersion: 'HTTP2' }), one: route('/1', {}) });
    await untilAnswered([
      [{ host, path: '/2' }, 'two'],
      [{ host, path: '/1' }, 'one'],
    ]);
    const asked = async (path: string) => (await getOverHttp2(proxy(), { host, path })).protocol;
    expect([await asked('/2'), await asked('/1')]).toEqual(['HTTP/2.0', 'HTTP/1.1']);
  });

  it('the example of two services answers by path', async (context) => {
    const ns = await suite().namespace(context);
    context.onTestFinished(() => clearAway(ns));
    await applyObjects(ns, gateway('public', proxy()));
    await ns.kubectl(['apply', '--filename', join(import.meta.dirname, '../../examples/shop.yaml')]);
    const page = async (path: string) => (await get(proxy(), { host: 'shop.example.com', path })).text.trim();
    const pages = () => Promise.all([page('/index.html'), page('/api/orders')]);
    await until('both pages', async () => (await pages()).join() === 'Welcome to the shop,[]', { timeout: WAIT_MS });
  });

  it('requests go by an Ingress where there is no Gateway', async (context) => {
    const { ns, host } = await services(
      context,
      {
        api: (name) => ({ routes: [{ hosts: [name], paths: ['/api', '/api/*'] }] }),
        web: (name) => ({ routes: [{ hosts: [name] }] }),
      },
      { gateway: false },
    );
    expect(served(ns, 'api')?.message).toBe('requests of 1 route come by Ingress');
    await untilAnswered([
      [{ host, path: '/api/orders' }, 'api'],
      [{ host, path: '/apis' }, 'web'],
      [{ host: `other.${host}`, path: '/home' }, 404],
    ]);
  });

  it('no request is lost while a service is rolled, and has a task stopped and a pod deleted', async (context) => {
    // Of every host, as WebSockets of the stream name that of their address.
    const every = () => ({ routes: [{ paths: ['/', '/slow', '/ws'] }] });
    const { ns } = await services(context, { shop: every }, { desiredCount: 2 });
    await until('an answer', async () => (await get(proxy(), { host: proxy().host })).service, { timeout: WAIT_MS });
    const clusterDir = suite().cluster.dir;
    const { host, port } = proxy();
    const stream = await TrafficStream.start(clusterDir, { host, port, seconds: MOST_SECONDS, lanes: LANES });
    context.onTestFinished(async () => {
      await stream.end();
    });
    const kubectl: TestNamespace['kubectl'] = (args, input) => ns.kubectl(args, input);
    const world = { namespace: ns.name, clusterDir, history: ns.history, service: 'shop', stream, kubectl };
    await roll(world, 'one');
    expect(stream.failures, 'rolled').toEqual([]);
    await stopByHand(world);
    expect(stream.failures, 'a task stopped by hand').toEqual([]);
    await deletePod(world);
    expect(stream.failures, 'a pod deleted').toEqual([]);
    const { byKind, failures } = await stream.end();
    expect(failures).toBe(0);
    expect(Object.keys(byKind).toSorted()).toEqual(Object.keys(LANES).toSorted());
  });
});
