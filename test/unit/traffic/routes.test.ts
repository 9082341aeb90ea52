import { describe, expect, it } from 'vitest';
import { parseWith } from '../../../src/api/parse.ts';
import { type Route, routesSchema } from '../../../src/api/target-group-routes.ts';
import type { Gateway, GatewayListener } from '../../../src/traffic/gateway.ts';
import { planRoutes, type RoutesInput } from '../../../src/traffic/route-plan.ts';
import { type RouteAnswer, routesCondition, routesSupport } from '../../../src/traffic/route-status.ts';
import type { RoutedTargetGroup } from '../../../src/traffic/shared-routes.ts';

const group = (name: string, routes: object[], fields: Partial<RoutedTargetGroup> = {}): RoutedTargetGroup => ({
  name,
  uid: `uid-${name}`,
  service: name,
  port: 80,
  protocol: 'HTTP',
  routes: parseWith(routesSchema, routes) as readonly Route[],
  ...fields,
});

const http: GatewayListener = { name: 'web', protocol: 'HTTP' };
const gateway = (name: string, namespace = 'shop', listeners: GatewayListener[] = [http]): Gateway => ({
  namespace,
  name,
  listeners,
});

const plan = (groups: RoutedTargetGroup[], cluster: Partial<RoutesInput> = {}) =>
  planRoutes({ namespace: 'shop', groups, gateways: [gateway('public')], ingressClasses: [], ...cluster });

/** Host, path and headers → who gets the requests by which weight. */
const table = (groups: RoutedTargetGroup[]) =>
  plan(groups).httpRoutes.flatMap(({ spec }) =>
    spec.rules.flatMap(({ matches, backendRefs }) =>
      (spec.hostnames ?? ['any']).flatMap((host) =>
        matches.map(({ path }) => [
          host,
          path.value,
          backendRefs.map(({ name, weight }) => `${name}=${weight}`).join(' '),
        ]),
      ),
    ),
  );

const conditionOf = (groups: RoutedTargetGroup[], cluster: Partial<RoutesInput> = {}) => {
  const [first] = groups;
  return routesCondition(plan(groups, cluster).outcomes.get(first?.uid ?? '') ?? [], new Map());
};

describe('the HTTPRoutes of TargetGroups', () => {
  it('say host, path, headers and Service in the words of Gateway API', () => {
    const web = group('web', [
      { hosts: ['Shop.example.com'], paths: ['/api/*'], headers: [{ name: 'X-Beta', values: ['yes'] }], weight: 5 },
    ]);
    expect(plan([web]).httpRoutes).toEqual([
      {
        name: expect.stringMatching(/^shop-example-com-[0-9a-f]{8}$/),
        owners: [web],
        spec: {
          parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop', name: 'public' }],
          hostnames: ['shop.example.com'],
          rules: [
            {
              matches: [
                {
                  path: { type: 'PathPrefix', value: '/api' },
                  headers: [{ type: 'RegularExpression', name: 'X-Beta', value: '(?i)^(?:yes)$' }],
                },
              ],
              backendRefs: [{ group: '', kind: 'Service', name: 'web', port: 80, weight: 5 }],
            },
          ],
        },
      },
    ]);
  });

  it('name the listener that a route names', () => {
    const web = group('web', [{ gateway: 'infra/edge', listener: 'web' }]);
    const [route] = plan([web], { gateways: [gateway('public'), gateway('edge', 'infra')] }).httpRoutes;
    expect(route?.spec.parentRefs).toMatchObject([{ namespace: 'infra', name: 'edge', sectionName: 'web' }]);
    expect(route?.spec.hostnames).toBeUndefined();
  });

  it('share the requests that two TargetGroups ask for, by weight, and only these', () => {
    const one = group('one', [{ hosts: ['x.org', 'y.org'], paths: ['/a', '/b'], weight: 90 }]);
    const two = group('two', [{ hosts: ['X.org'], paths: ['/a'], weight: 10 }]);
    expect(table([two, one]).toSorted()).toEqual([
      ['x.org', '/a', 'one=90 two=10'],
      ['x.org', '/b', 'one=90'],
      ['y.org', '/a', 'one=90'],
      ['y.org', '/b', 'one=90'],
    ]);
  });

  it('share whatever Gateway they name it by, in any order of values, and the names of headers in any case', () => {
    const one = group('one', [{ gateway: 'public', headers: [{ name: 'X-A', values: ['p', 'Q'] }] }]);
    const two = group('two', [{ headers: [{ name: 'x-a', values: ['q', 'P'] }] }]);
    expect(table([one, two])).toEqual([['any', '/', 'one=1 two=1']]);
  });

  it('keep apart what differs in a header', () => {
    const one = group('one', [{ headers: [{ name: 'a', values: ['1'] }] }]);
    const two = group('two', [{ headers: [{ name: 'a', values: ['2'] }] }, {}]);
    expect(plan([one, two]).httpRoutes).toHaveLength(3);
  });

  it('take the first of two routes of a TargetGroup with the same conditions, as the second is never reached', () => {
    expect(table([group('one', [{ weight: 3 }, { weight: 7 }])])).toEqual([['any', '/', 'one=3']]);
  });

  it('keep their names while weights change and TargetGroups come and go', () => {
    const namesOf = (...groups: RoutedTargetGroup[]) => plan(groups).httpRoutes.map(({ name }) => name);
    const one = (weight: number) => group('one', [{ hosts: ['x.org'], weight }]);
    const two = group('two', [{ hosts: ['x.org'] }]);
    const [name] = namesOf(one(1));
    expect(namesOf(one(9))).toEqual([name]);
    expect(namesOf(one(1), two)).toEqual([name]);
    expect(namesOf(two)).toEqual([name]);
    expect(namesOf(group('one', [{ hosts: ['y.org'] }]))).not.toEqual([name]);
  });

  it.each([
    ['hosts', { hosts: ['api-*.example.com'] }, {}],
    [
      'headers',
      {
        headers: [
          { name: 'a', values: ['1'] },
          { name: 'A', values: ['1*'] },
        ],
      },
      {},
    ],
    ['', {}, { protocol: 'HTTPS' }],
  ])('are not made where %s cannot be said', (field, route, fields) => {
    const web = group('web', [route], fields);
    expect(plan([web]).httpRoutes).toEqual([]);
    expect(conditionOf([web])).toMatchObject({ status: false, reason: 'NotExpressible' });
    const place = field === '' ? 'spec.routes[0]' : `spec.routes[0].${field}`;
    expect(routesSupport(plan([web]).outcomes.get(web.uid) ?? [])).toMatchObject([
      { field: place, support: 'Ignored' },
    ]);
  });

  it('say what a prefix takes besides', () => {
    const web = group('web', [{ paths: ['/a/*'] }]);
    expect(routesSupport(plan([web]).outcomes.get(web.uid) ?? [])).toEqual([
      { field: 'spec.routes[0].paths', support: 'Approximated', reason: '"/a/*" takes the path /a as well' },
    ]);
  });
});

describe('the Gateway of a route that names none', () => {
  const web = group('web', [{}]);
  const from = (value: string, selector?: object): GatewayListener => ({
    ...http,
    allowedRoutes: { namespaces: { from: value, ...(selector !== undefined && { selector }) } },
  });
  const label = 'kubernetes.io/metadata.name';

  it.each<[string, Gateway[], string | undefined]>([
    ['is that of the namespace', [gateway('public'), gateway('other', 'bank')], 'shop/public'],
    ['is one for all namespaces', [gateway('edge', 'infra', [from('All')])], 'infra/edge'],
    [
      'may select the namespace',
      [gateway('edge', 'infra', [from('Selector', { matchLabels: { [label]: 'shop' } })])],
      'infra/edge',
    ],
    [
      'may select it by an expression',
      [
        gateway('edge', 'infra', [
          from('Selector', { matchExpressions: [{ key: label, operator: 'In', values: ['shop'] }] }),
        ]),
      ],
      'infra/edge',
    ],
    [
      'does not select other namespaces',
      [gateway('edge', 'infra', [from('Selector', { matchLabels: { [label]: 'bank' } })])],
      undefined,
    ],
    ['is not one that takes nothing', [gateway('edge', 'shop', [from('None')])], undefined],
    ['listens to HTTP', [gateway('edge', 'shop', [{ name: 'tcp', protocol: 'TCP' }])], undefined],
    [
      'takes HTTPRoutes',
      [gateway('edge', 'shop', [{ ...http, allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }])],
      undefined,
    ],
  ])('%s', (_, gateways, expected) => {
    const [route] = plan([web], { gateways }).httpRoutes;
    const parent = route?.spec.parentRefs[0];
    expect(parent && `${parent.namespace}/${parent.name}`).toBe(expected);
  });

  it.each<[string, Partial<RoutesInput>, string, RegExp]>([
    [
      'is ambiguous',
      { gateways: [gateway('b'), gateway('a')] },
      'AmbiguousGateway',
      /\(shop\/a, shop\/b\): name one in gateway/,
    ],
    [
      'is missing',
      { gateways: [] },
      'NoImplementation',
      /no Gateway takes routes of the namespace shop, and there is no IngressClass/,
    ],
    [
      'is not to be had',
      { gateways: undefined },
      'NoImplementation',
      /neither Gateway API nor an IngressClass is there in the cluster$/,
    ],
    [
      'is ambiguous as an IngressClass',
      {
        gateways: [],
        ingressClasses: [
          { name: 'a', isDefault: false },
          { name: 'b', isDefault: false },
        ],
      },
      'AmbiguousIngressClass',
      /\(a, b\) and none is the default/,
    ],
  ])('%s', (_, cluster, reason, message) => {
    expect(plan([web], cluster).httpRoutes).toEqual([]);
    expect(conditionOf([web], cluster)).toMatchObject({
      status: false,
      reason,
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['nowhere', 'there is no Gateway shop/nowhere'],
    ['infra/public', 'there is no Gateway infra/public'],
  ])('is missed where a route names %s', (named, why) => {
    expect(conditionOf([group('web', [{ gateway: named }])])).toMatchObject({
      reason: 'GatewayNotFound',
      message: `spec.routes[0]: ${why}`,
    });
  });

  it('is taken as named where other namespaces cannot be seen, and said to be out of sight', () => {
    const unseen: Partial<RoutesInput> = { gateways: [], ownGatewaysOnly: true, unreadable: ['ingresses.x'] };
    const routes = plan([group('web', [{ gateway: 'infra/edge' }])], unseen).httpRoutes;
    expect(routes[0]?.spec.parentRefs).toMatchObject([{ namespace: 'infra', name: 'edge' }]);
    expect(conditionOf([group('web', [{ gateway: 'edge' }])], unseen)).toMatchObject({ reason: 'GatewayNotFound' });
    expect(conditionOf([web], unseen)?.message).toMatch(
      /and there is no IngressClass \(the operator may not watch ingresses.x\)$/,
    );
  });

  it('is missed where it has no such listener', () => {
    expect(conditionOf([group('web', [{ gateway: 'public', listener: 'https' }])])?.message).toBe(
      'spec.routes[0]: the Gateway shop/public has no listener https, only web',
    );
  });
});

describe('the Ingresses of TargetGroups', () => {
  const onIngress: Partial<RoutesInput> = {
    gateways: undefined,
    ingressClasses: [
      { name: 'a', isDefault: false },
      { name: 'b', isDefault: true },
    ],
  };

  it('say hosts and paths, of the default class', () => {
    const web = group('web', [{ hosts: ['a.org', 'b.org'], paths: ['/x', '/y/*'] }]);
    const backend = { service: { name: 'web', port: { number: 80 } } };
    const paths = [
      { path: '/x', pathType: 'Exact', backend },
      { path: '/y', pathType: 'Prefix', backend },
    ];
    expect(plan([web], onIngress).ingresses).toMatchObject([
      {
        spec: {
          ingressClassName: 'b',
          rules: [
            { host: 'a.org', http: { paths } },
            { host: 'b.org', http: { paths } },
          ],
        },
      },
    ]);
    expect(conditionOf([web], onIngress)).toMatchObject({
      status: true,
      message: 'requests of 1 route come by Ingress',
    });
  });

  it('give all requests to the greatest weight, and say so to the others', () => {
    const groups = [group('a', [{ weight: 1 }]), group('b', [{ weight: 2 }]), group('c', [{ weight: 2 }])];
    const { ingresses, outcomes } = plan(groups, onIngress);
    expect(ingresses[0]?.spec.rules[0]?.http.paths).toMatchObject([{ backend: { service: { name: 'b' } } }]);
    const condition = (name: string) => routesCondition(outcomes.get(`uid-${name}`) ?? [], new Map());
    expect(condition('b')).toMatchObject({ status: true });
    expect(condition('c')).toMatchObject({
      status: false,
      message: 'spec.routes[0].weight: Ingress has no weights: b gets all of the requests',
    });
  });

  it.each([
    ['headers', { headers: [{ name: 'a', values: ['1'] }] }],
    ['hosts', { hosts: ['a.*.org'] }],
    ['paths', { paths: ['/a*'] }],
  ])('are not made where %s cannot be said', (field, route) => {
    const web = group('web', [route]);
    expect(plan([web], onIngress).ingresses).toEqual([]);
    expect(conditionOf([web], onIngress)?.message).toMatch(`spec.routes[0].${field}: Ingress has no`);
  });

  it.each([
    ['hosts', { hosts: ['*.a.org'] }, {}],
    ['', {}, { protocolVersion: 'GRPC' }],
  ])('say what is approximated of "%s"', (field, route, fields) => {
    const web = group('web', [route], fields);
    const { ingresses, outcomes } = plan([web], onIngress);
    expect(ingresses).toHaveLength(1);
    expect(routesSupport(outcomes.get(web.uid) ?? [])).toMatchObject([
      { field: field === '' ? 'spec.routes[0]' : `spec.routes[0].${field}`, support: 'Approximated' },
    ]);
  });
});

describe('the condition of a TargetGroup', () => {
  const web = group('web', [{}]);
  const { httpRoutes, outcomes } = plan([web]);
  const name = httpRoutes[0]?.name ?? '';
  const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', observedGeneration: 2 };
  const resolved = { ...accepted, type: 'ResolvedRefs', reason: 'ResolvedRefs' };

  it.each<[string, RouteAnswer | undefined, boolean, string]>([
    ['before the HTTPRoute is there', undefined, false, 'Pending'],
    ['before a controller has answered', { generation: 2, parents: [] }, false, 'Pending'],
    ['while the answer is to an older one', { generation: 3, parents: [[accepted, resolved]] }, false, 'Pending'],
    ['once it has', { generation: 2, parents: [[accepted, resolved]] }, true, 'Served'],
    [
      'where it refuses',
      { generation: 2, parents: [[{ ...accepted, status: 'False', reason: 'NotAllowedByListeners' }, resolved]] },
      false,
      'NotAllowedByListeners',
    ],
    [
      'where it finds no Service',
      { generation: 2, parents: [[accepted, { ...resolved, status: 'False', reason: 'BackendNotFound' }]] },
      false,
      'BackendNotFound',
    ],
  ])('%s', (_, answer, status, reason) => {
    const answers = new Map(answer === undefined ? [] : [[name, answer]]);
    expect(routesCondition(outcomes.get(web.uid) ?? [], answers)).toMatchObject({ status, reason });
  });

  it('is absent without routes', () => expect(routesCondition([], new Map())).toBeUndefined());
});
