import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { RIGHTS, rulesOf } from '../../dev/generate/rights.ts';
import { isolatedQueue, job } from '../support/isolation.ts';
import { cluster, service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { Operator } from '../support/operator.ts';
import { readyCondition, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const may = (group: string, resources: readonly string[], verbs: readonly string[]): object => ({
  apiGroups: [group],
  resources,
  verbs,
});
const BINDINGS = 'targetgroupbindings';
/** What the operator of one namespace has, without pods, and without what only target groups of AWS need. */
const rights: readonly object[] = rulesOf(
  RIGHTS.filter(
    ({ scope, resources }) => scope !== 'cluster' && !resources.includes('pods') && !resources.includes(BINDINGS),
  ),
);
const bindingRights = may('elbv2.k8s.aws', [BINDINGS], ['get', 'list', 'watch', 'create', 'patch', 'delete']);
const ISOLATION = ['serviceaccounts', 'networkpolicies'];
/** Without what only queues need that isolate their jobs. */
const withoutIsolation = rulesOf(
  RIGHTS.filter(({ resources }) => !['pods', BINDINGS, ...ISOLATION].some((kind) => resources.includes(kind))),
);
const accounts = may('', ['serviceaccounts'], ['get', 'list', 'watch', 'create', 'patch']);
const policies = (...verbs: string[]): object =>
  may('networking.k8s.io', ['networkpolicies'], ['list', 'watch', ...verbs]);
const pods = (...verbs: string[]): object => may('', ['pods'], verbs);
const writes = ['get', 'list', 'create', 'patch', 'delete', 'deletecollection'];

/** Makes the rules a role of the user: in the namespace, or, without one, of the cluster. */
async function grant(context: TestContext, user: string, rules: readonly object[], namespace?: string): Promise<void> {
  const scope = namespace === undefined ? 'Cluster' : '';
  const metadata = { name: user, ...(namespace !== undefined && { namespace }) };
  const api = { apiVersion: 'rbac.authorization.k8s.io/v1' };
  const items = [
    { ...api, kind: `${scope}Role`, metadata, rules },
    {
      ...api,
      kind: `${scope}RoleBinding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: `${scope}Role`, name: user },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  ];
  const { cluster } = suite();
  const applied = await cluster.kubectl(['apply', '--filename=-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
  expect(applied).toMatchObject({ code: 0 });
  context.onTestFinished(async () => {
    if (namespace === undefined)
      await cluster.kubectl(['delete', '--ignore-not-found', `clusterrole/${user}`, `clusterrolebinding/${user}`]);
  });
}

async function start(context: TestContext, user: string, args: readonly string[]): Promise<Operator> {
  const operator = suite().newOperator(args, await suite().cluster.userKubeconfig(user, []));
  context.onTestFinished(() => operator.kill('SIGTERM'));
  context.onTestFailed(() => console.error(`${user}:\n${operator.describe()}`));
  await operator.logged('longshore starts');
  return operator;
}

const readiness = async ({ healthPort }: Operator): Promise<string> =>
  (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).text();

describe.concurrent('an operator', () => {
  it('that may not watch pods says so, is not ready, and begins once it may', async (context) => {
    const user = 'rbac-missing-watch';
    await grant(context, user, [...rights, pods(...writes)]);
    const operator = await start(context, user, ['--no-leader-elect']);
    const problem =
      'not allowed to watch pods in all namespaces; the API server says: pods is forbidden: ' +
      `User "${user}" cannot watch resource "pods" in API group "" at the cluster scope`;
    await operator.logged(JSON.stringify(problem).slice(1, -1));
    // The other caches fill in their own time.
    const unready = `[-]caches waiting for pods (${problem})\nfailed\n`;
    for (let text = ''; text !== unready; text = await readiness(operator)) await delay(50);

    await grant(context, user, [...rights, pods(...writes, 'watch')]);
    await operator.ready();
    // It may not see nodes and compute environments either, which it can do without.
    await operator.logged('nodes may not be watched: tasks stay on nodes that are cordoned');
    await operator.logged('computeenvironments.longshore.dev may not be watched: job queues are INVALID');
    expect(await readiness(operator)).toBe('[+]caches ok\nok\n');
  });

  it('that may never watch pods ends with an error that says so', async (context) => {
    const user = 'rbac-missing-for-ever';
    await grant(context, user, [...rights, pods(...writes)]);
    const operator = await start(context, user, ['--no-leader-elect', '--cache-sync-timeout=10s']);
    expect(await operator.ended()).toBe(1);
    expect(operator.describe()).toContain(
      'longshore: these caches were not complete within 10 s: pods (not allowed to watch pods in all namespaces;',
    );
  });

  it('of one namespace needs no right outside of it', async (context) => {
    const user = 'rbac-one-namespace';
    const ns = await suite().namespace(context);
    await grant(context, user, [...rights, pods(...writes, 'watch')], ns.name);
    const operator = await start(context, user, [
      `--namespace=${ns.name}`,
      `--leader-elect-resource-namespace=${ns.name}`,
    ]);
    await operator.ready();
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2);

    // Files that it reads, a claim and an ExternalSecret that it makes: here the API server has no such kind.
    const [value, configMap, key] = ['arn:aws:s3:::config/app.env', 'config', 'app.env'];
    await ns.createRaw('configmaps', { metadata: { name: configMap }, data: { [key]: 'A=1' } });
    await ns.create(
      cluster('prod', {
        mappings: {
          files: [{ value, configMapKeyRef: { name: configMap, key } }],
          secretStores: [{ service: 'ParameterStore', name: 'aws' }],
        },
      }),
    );
    const volumes = [{ name: 'data', dockerVolumeConfiguration: { scope: 'shared', autoprovision: true } }];
    const secrets = [{ name: 'TOKEN', valueFrom: '/prod/token' }];
    await ns.create(
      taskDefinition('files', { volumes }, [{ ...webContainer, environmentFiles: [{ value, type: 's3' }] }]),
      taskDefinition('secret', {}, [{ ...webContainer, secrets }]),
      service('files'),
      service('secret'),
    );
    await ns.until('a task with its file', () =>
      ns.history.all('pods').some(({ spec }) => spec.containers[0]?.env?.some(({ name }) => name === 'A')),
    );
    await ns.until('the missing kind, which it may ask for', () =>
      readyCondition(ns.history.get('services', 'secret'))?.message.includes('install the External Secrets Operator'),
    );
    // Results, finalizers and the deletion of a job that is over.
    const resourceRequirements = [
      { type: 'VCPU', value: '0.25' },
      { type: 'MEMORY', value: '16' },
    ];
    await ns.create({
      kind: 'BatchJob',
      name: 'array',
      spec: {
        arrayProperties: { size: 2 },
        containerProperties: { image: 'busybox:1.36', resourceRequirements },
        kubernetes: { accounting: 'Strict', retention: { ttlSecondsAfterFinished: 0 } },
      },
    });
    await ns.until('the job to have gone', () => ns.history.get('batchjobs', 'array') === undefined);
    const agent = { desiredCount: undefined, schedulingStrategy: 'DAEMON', taskDefinition: 'web' };
    await ns.create(service('agent', agent));
    await ns.until(
      'what a daemon lacks',
      () => readyCondition(ns.history.get('services', 'agent'))?.reason === 'NodesUnknown',
    );
    const computeEnvironmentOrder = [{ order: 1, computeEnvironment: 'shared' }];
    await ns.create({ kind: 'JobQueue', name: 'low', spec: { priority: 1, computeEnvironmentOrder } });
    await ns.until(
      'what a queue lacks',
      () => readyCondition(ns.history.get('jobqueues', 'low'))?.reason === 'ComputeEnvironmentsNotSeen',
    );
    expect(operator.describe()).not.toMatch(/not allowed|forbidden/);
    await operator.logged('an operator of one namespace sees no nodes: tasks stay on nodes that are cordoned');
    await operator.logged('an operator of one namespace sees no compute environments: job queues are INVALID');
  });

  it('that may not watch TargetGroupBindings says so with the service that needs one, and looks again once it may', async (context) => {
    const user = 'rbac-bindings';
    const ns = await suite().namespace(context);
    const basic = [...rights, pods(...writes, 'watch')];
    await grant(context, user, basic, ns.name);
    const operator = await start(context, user, [
      `--namespace=${ns.name}`,
      `--leader-elect-resource-namespace=${ns.name}`,
    ]);
    await operator.ready();
    const targetGroupArn = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/6d0ecf831eec9f09';
    await ns.create(
      cluster('prod', { policy: { targetGroupArns: [targetGroupArn] } }),
      taskDefinition('web', {}, [{ ...webContainer, portMappings: [{ containerPort: 80 }] }]),
      service('web', { loadBalancers: [{ targetGroupArn, containerName: 'web', containerPort: 80 }] }),
    );
    const kind = 'targetgroupbindings.elbv2.k8s.aws';
    const untilSaid = (text: string) =>
      ns.until(text, () => {
        const ready = readyCondition(ns.history.get('services', 'web'));
        return ready?.reason === 'LoadBalancerControllerMissing' && ready.message.includes(text);
      });
    await untilSaid(`not allowed to watch ${kind} in namespace ${ns.name}`);
    await grant(context, user, [...basic, bindingRights], ns.name);
    await untilSaid(`the API server has no ${kind}`);
    expect(ns.history.all('pods')).toEqual([]);
  });
});

// By itself: an operator of all namespaces would see the queues of others, with rights of its own.
describe('an operator of all namespaces', () => {
  it('that may not close a network runs nothing in a queue that isolates its jobs, until it may', async (context) => {
    const user = 'rbac-isolation';
    const ns = await suite().namespace(context);
    const basic = [...withoutIsolation, pods(...writes, 'watch')];
    await grant(context, user, basic);
    const operator = await start(context, user, ['--no-leader-elect']);
    await operator.ready();
    await isolatedQueue(suite(), ns, context);
    await ns.create(job('graded'));
    await untilInvalid(ns, 'not allowed to watch serviceaccounts in all namespaces');
    await grant(context, user, [...basic, accounts]);
    await untilInvalid(ns, 'not allowed to watch networkpolicies.networking.k8s.io in all namespaces');
    await grant(context, user, [...basic, accounts, policies()]);
    await untilInvalid(ns, 'networkpolicies.networking.k8s.io may not be written');
    await ns.until('a waiting job', () => ns.history.get('batchjobs', 'graded')?.status?.status === 'RUNNABLE');
    expect(ns.history.all('pods')).toEqual([]);
    await grant(context, user, [...basic, accounts, policies('get', 'create', 'patch')]);
    await ns.until('its end', () => ns.history.get('batchjobs', 'graded')?.status?.status === 'SUCCEEDED');
  });
});

const untilInvalid = (ns: TestNamespace, reason: string) =>
  ns.until(reason, () => {
    const { status, statusReason } = ns.history.get('jobqueues', 'graders')?.status ?? {};
    return status === 'INVALID' && statusReason?.includes(reason);
  });
