/** Routes of target groups: the HTTPRoutes and Ingresses that carry them. Requests go through them in test/node. */
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../dev/cluster/run.ts';
import { gatewayKinds } from '../../dev/gateway/index.ts';
import { applyObjects, gateway, installGatewayKinds } from '../support/gateway.ts';
import { targetGroup } from '../support/manifests.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });
const kinds = await gatewayKinds().catch((error: Error) => ({ why: error.message }));
const withoutKinds = typeof kinds !== 'string';
const skipped = withoutKinds ? ` (skipped: the module of Gateway API cannot be had: ${kinds.why})` : '';

const GATEWAY_API = '/apis/gateway.networking.k8s.io/v1';
const INGRESS_API = '/apis/networking.k8s.io/v1';

interface RouteObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly ownerReferences: readonly { readonly name: string }[];
  };
  readonly spec: {
    readonly hostnames?: readonly string[];
    readonly parentRefs?: readonly { readonly name: string }[];
    readonly ingressClassName?: string;
    readonly rules: readonly {
      readonly backendRefs?: readonly { readonly name: string; readonly weight: number }[];
    }[];
  };
}

const list = async (path: string): Promise<readonly RouteObject[]> =>
  (await suite().api.call<{ items: RouteObject[] }>('GET', path)).items;
const httpRoutes = (ns: TestNamespace) => list(`${GATEWAY_API}/namespaces/${ns.name}/httproutes`);
const ingresses = (ns: TestNamespace) => list(`${INGRESS_API}/namespaces/${ns.name}/ingresses`);

const untilRoutes = (
  ns: TestNamespace,
  what: string,
  holds: (routes: readonly RouteObject[]) => boolean,
  read = httpRoutes,
): Promise<readonly RouteObject[]> =>
  until(
    what,
    async () => {
      const routes = await read(ns);
      return holds(routes) && routes;
    },
    { timeout: 120_000, interval: 100 },
  );

const routed = (name: string, ...routes: object[]) => targetGroup(name, 0, { routes });
const ownersOf = ({ metadata }: RouteObject): string => metadata.ownerReferences.map(({ name }) => name).join(' ');
const weightsOf = ({ spec }: RouteObject): string =>
  (spec.rules[0]?.backendRefs ?? []).map(({ name, weight }) => `${name}=${weight}`).join(' ');

const conditionOf = (ns: TestNamespace, name: string) =>
  ns.history.get('targetgroups', name)?.status?.conditions?.find(({ type }) => type === 'RoutesServed');
const untilSaid = (ns: TestNamespace, name: string, reason: string) =>
  ns.until(
    `${name} to say ${reason}`,
    () => conditionOf(ns, name)?.reason === reason && conditionOf(ns, name),
    120_000,
  );

/** What a controller of Gateways would say of an HTTPRoute. */
const accept = (ns: TestNamespace, { metadata }: RouteObject, status: 'True' | 'False', reason: string) => {
  const condition = (type: string, own: string, why: string) => ({
    type,
    status: own,
    reason: why,
    message: 'as the test says',
    observedGeneration: metadata.generation,
    lastTransitionTime: new Date().toISOString(),
  });
  const parent = {
    parentRef: { name: 'public' },
    controllerName: 'test.example.com/controller',
    conditions: [condition('Accepted', status, reason), condition('ResolvedRefs', 'True', 'ResolvedRefs')],
  };
  return suite().api.call('PATCH', `${GATEWAY_API}/namespaces/${ns.name}/httproutes/${metadata.name}/status`, {
    status: { parents: [parent] },
  });
};

const publicGateway = gateway('public', { port: 80 });

describe.skipIf(withoutKinds)(`the routes of target groups${skipped}`, () => {
  afterAll(async () => {
    if (typeof kinds === 'string') await suite().cluster.kubectl(['delete', '--ignore-not-found', '-f', kinds]);
  });

  it('wait until the cluster has Gateway API, and then a Gateway', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(routed('web', { hosts: ['Web.example.com'], paths: ['/a/*'] }), targetGroup('unrouted', 0));
    expect((await untilSaid(ns, 'web', 'NoImplementation')).message).toBe(
      'spec.routes[0]: neither Gateway API nor an IngressClass is there in the cluster',
    );
    await ns.until('the one without routes', () => ns.history.get('targetgroups', 'unrouted')?.status?.service);
    expect(conditionOf(ns, 'unrouted')).toBeUndefined();

    await installGatewayKinds(suite().cluster);
    await ns.until('the kinds to be seen', () => conditionOf(ns, 'web')?.message.includes('no Gateway takes'), 120_000);
    await applyObjects(ns, publicGateway);
    const [route] = await untilRoutes(ns, 'an HTTPRoute', ({ length }) => length === 1);
    expect(route?.spec).toMatchObject({
      hostnames: ['web.example.com'],
      parentRefs: [{ name: 'public', namespace: ns.name }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/a' } }],
          backendRefs: [{ kind: 'Service', name: 'web', port: 80, weight: 1 }],
        },
      ],
    });
    await untilSaid(ns, 'web', 'Pending');
    if (route !== undefined) await accept(ns, route, 'True', 'Accepted');
    expect(await untilSaid(ns, 'web', 'Served')).toMatchObject({ status: 'True' });
    expect(ns.history.get('targetgroups', 'web')?.status?.fieldSupport).toContainEqual({
      field: 'spec.routes[0].paths',
      support: 'Approximated',
      reason: '"/a/*" takes the path /a as well',
    });
    if (route !== undefined) await accept(ns, route, 'False', 'NotAllowedByListeners');
    expect((await untilSaid(ns, 'web', 'NotAllowedByListeners')).message).toMatch(/as the test says$/);

    await suite().api.call('DELETE', `${GATEWAY_API}/namespaces/${ns.name}/gateways/public`);
    await untilRoutes(ns, 'no HTTPRoute', ({ length }) => length === 0);
    await untilSaid(ns, 'web', 'NoImplementation');
  });

  it('share an object by weight, which goes with the last of its target groups', async (context) => {
    const ns = await suite().namespace(context);
    await applyObjects(ns, publicGateway);
    const shop = (weight: number) => ({ hosts: ['shop.example.com'], weight });
    await ns.create(routed('blue', shop(90)));
    const [alone] = await untilRoutes(ns, 'an HTTPRoute', ({ length }) => length === 1);
    await ns.create(routed('green', shop(10)));
    const both = (routes: readonly RouteObject[]): boolean => routes.map(weightsOf).join() === 'blue=90 green=10';
    const [shared] = await untilRoutes(ns, 'both to share it', both);
    expect(shared?.metadata.uid).toBe(alone?.metadata.uid);
    expect(shared && ownersOf(shared)).toBe('blue green');

    await ns.patch('targetgroups', 'green', { spec: { routes: [shop(50)] } });
    await untilRoutes(
      ns,
      'the new weight',
      ([route]) => route !== undefined && weightsOf(route) === 'blue=90 green=50',
    );

    await ns.delete('targetgroups', 'blue');
    const [left] = await untilRoutes(
      ns,
      'green alone',
      ([route]) => route !== undefined && weightsOf(route) === 'green=50',
    );
    expect(left?.metadata.uid).toBe(alone?.metadata.uid);
    expect(left && ownersOf(left)).toBe('green');

    await ns.patch('targetgroups', 'green', { spec: { routes: [] } });
    await untilRoutes(ns, 'no HTTPRoute', ({ length }) => length === 0);
    await ns.until('no condition', () => conditionOf(ns, 'green') === undefined);
  });

  it('bring back what somebody changed or deleted, and leave what is not theirs', async (context) => {
    const ns = await suite().namespace(context);
    await applyObjects(ns, publicGateway);
    await ns.create(routed('web', { hosts: ['web.example.com'] }));
    const [route] = await untilRoutes(ns, 'an HTTPRoute', ({ length }) => length === 1);
    const path = `${GATEWAY_API}/namespaces/${ns.name}/httproutes/${route?.metadata.name}`;
    await suite().api.call('PATCH', path, { spec: { hostnames: ['other.example.com'] } });
    await untilRoutes(ns, 'its host again', ([each]) => each?.spec.hostnames?.join() === 'web.example.com');
    await suite().api.call('DELETE', path);
    await untilRoutes(ns, 'a new one', ([each]) => each !== undefined && each.metadata.uid !== route?.metadata.uid);

    await ns.patch('targetgroups', 'web', { spec: { routes: [] } });
    await untilRoutes(ns, 'no HTTPRoute', ({ length }) => length === 0);
    await applyObjects(ns, {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: route?.metadata.name },
      spec: { parentRefs: [{ name: 'public' }] },
    });
    await ns.patch('targetgroups', 'web', { spec: { routes: [{ hosts: ['web.example.com'] }] } });
    expect((await untilSaid(ns, 'web', 'RouteNotWritten')).message).toMatch(/does not belong to a TargetGroup/);
  });

  it('stay as they are while it is not clear which Gateway is meant', async (context) => {
    const ns = await suite().namespace(context);
    await applyObjects(ns, publicGateway);
    await ns.create(routed('web', { hosts: ['web.example.com'] }));
    const [route] = await untilRoutes(ns, 'an HTTPRoute', ({ length }) => length === 1);
    await applyObjects(ns, gateway('second', { port: 80 }));
    expect((await untilSaid(ns, 'web', 'AmbiguousGateway')).message).toMatch(/name one in gateway$/);
    expect((await httpRoutes(ns)).map(({ metadata }) => metadata.uid)).toEqual([route?.metadata.uid]);
    await ns.patch('targetgroups', 'web', { spec: { routes: [{ hosts: ['web.example.com'], gateway: 'second' }] } });
    const [moved] = await untilRoutes(ns, 'one for the second', (routes) =>
      routes.every(({ spec }) => spec.parentRefs?.[0]?.name === 'second'),
    );
    expect(moved?.spec.hostnames).toEqual(['web.example.com']);
  });

  it('become Ingresses where there is an IngressClass and no Gateway, until there is one', async (context) => {
    const ns = await suite().namespace(context);
    const ingressClass = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'of-the-test' },
      spec: { controller: 'example.com/none' },
    };
    await applyObjects(ns, ingressClass);
    context.onTestFinished(() =>
      suite()
        .api.call('DELETE', `${INGRESS_API}/ingressclasses/of-the-test`)
        .then(() => {}),
    );
    await ns.create(routed('web', { hosts: ['web.example.com'], paths: ['/a', '/a/*'] }));
    const [ingress] = await untilRoutes(ns, 'an Ingress', ({ length }) => length === 1, ingresses);
    expect(ingress?.spec).toMatchObject({
      ingressClassName: 'of-the-test',
      rules: [
        {
          host: 'web.example.com',
          http: {
            paths: [{ path: '/a', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
          },
        },
      ],
    });
    await untilSaid(ns, 'web', 'Served');
    await applyObjects(ns, publicGateway);
    const [route] = await untilRoutes(ns, 'an HTTPRoute', ({ length }) => length === 1);
    await untilSaid(ns, 'web', 'Pending');
    expect(await ingresses(ns)).toHaveLength(1);
    if (route !== undefined) await accept(ns, route, 'True', 'Accepted');
    await untilRoutes(ns, 'no Ingress', ({ length }) => length === 0, ingresses);
  });
});
