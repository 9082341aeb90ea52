/** Each way to gain rights through Longshore is refused, with one sentence; what one may do is admitted (docs/tenancy.md). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from 'vitest';
import { POLICIES } from '../../dev/generate/tenancy.ts';
import { overlay, rendered } from '../support/installation.ts';
import type { Plural } from '../support/kube-api.ts';
import { readyCondition } from '../support/services.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';
import {
  account,
  attempts,
  change,
  cluster,
  definition,
  ecsProperties,
  GROUP,
  job,
  kubernetes,
  may,
  NAMED,
  needs,
  type object,
  PODS,
  ROLE,
  role,
  schedule,
  service,
  takesRole,
  task,
  WRITES,
} from '../support/tenancy-attempts.ts';
import { bindRole, grant, install, type Rule, Tenant } from '../support/tenants.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });
let uninstall: (() => Promise<void>) | undefined;

beforeAll(async () => {
  uninstall = await install(suite(), 'tenancy');
  await bindRole(suite(), 'longshore-tenancy', OPERATOR_USER);
});
afterAll(async () => uninstall?.());

/** Roles and policies are seen some time after they were written. */
const answers = (ask: () => Promise<string>, answer: string): Promise<void> =>
  vi.waitFor(
    async () => {
      const given = await ask();
      if (given !== answer) throw new Error(`${given}\nand not\n${answer}`);
    },
    { timeout: 90_000, interval: 250 },
  );
const filled = (text: string, user: Tenant, namespace: string): string =>
  text.replaceAll('USER', user.name).replaceAll('NS', namespace);

const NAMESPACE = `tenancy-${process.pid}`;
/** By attempt: one user without the right that it needs, and one with it. */
const users = attempts.map(({ has = [], noPods, needs: right }, index) => {
  const rules = [WRITES, NAMED, ...(noPods ? [] : [PODS]), ...has];
  const name = `tenant-${process.pid}-${index}`;
  return [
    { name: `${name}-without`, rules },
    { name: `${name}-with`, rules: [...rules, right] },
  ];
});

describe.concurrent('what gives rights that the user does not have', () => {
  // Nothing is made in it.
  beforeAll(async () => {
    await suite().api.call('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
    await grant(suite(), NAMESPACE, users.flat());
  });
  afterAll(() => suite().api.call('DELETE', `/api/v1/namespaces/${NAMESPACE}`));

  it.for([...attempts.entries()].map(([index, attempt]) => ({ index, ...attempt })))(
    '$title is refused, and admitted with the right',
    async ({ index, plural, body, refused }, context) => {
      const [without, having] = await Promise.all(
        (users[index] ?? []).map(({ name }) => Tenant.of(context, suite(), name, NAMESPACE)),
      );
      if (without === undefined || having === undefined) throw new Error('two users an attempt');
      await answers(() => without.tryCreate(plural, body), filled(refused, without, NAMESPACE));
      await answers(() => having.tryCreate(plural, body), 'admitted');
    },
  );
});

describe.concurrent('through objects of others', () => {
  const edit = (context: TestContext, ns: TestNamespace, name: string, ...rules: Rule[]) => {
    const user = `${name}-${ns.name}`;
    return grant(suite(), ns.name, [{ name: user, rules: [WRITES, PODS, ...rules] }]).then(() =>
      Tenant.of(context, suite(), user, ns.name),
    );
  };

  it('nobody changes what runs under a role that is not theirs', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('taskdefinitions', definition({ taskRoleArn: ROLE }));
    const [other, owner] = await Promise.all([edit(context, ns, 'other'), edit(context, ns, 'owner', role)]);
    const patch = change({ command: ['steal'] });
    const refused = takesRole('TaskDefinition web', 'spec.taskRoleArn');
    await answers(() => other.tryPatch('taskdefinitions', 'web', patch), filled(refused, other, ns.name));
    await answers(() => owner.tryPatch('taskdefinitions', 'web', patch), 'admitted');
    // Nothing that runs: a label, a finalizer, and what takes the role away.
    await answers(() => other.tryPatch('taskdefinitions', 'web', { metadata: { labels: { team: 'a' } } }), 'admitted');
    await answers(() => other.tryPatch('taskdefinitions', 'web', { spec: { taskRoleArn: null } }), 'admitted');
    await answers(() => other.tryDelete('taskdefinitions', 'web'), 'admitted');
  });

  it.for([
    ['Service', 'services', service({ kubernetes }), 'spec.kubernetes.serviceAccountName'],
    ['Task', 'tasks', task({ kubernetes }), 'spec.kubernetes.serviceAccountName'],
    [
      'ScheduledTask',
      'scheduledtasks',
      schedule({ runTask: { taskDefinition: 'task-definition/web', kubernetes } }),
      'spec.target.runTask.kubernetes.serviceAccountName',
    ],
    [
      'BatchJob',
      'batchjobs',
      job({}, { containerProperties: undefined, taskDefinition: 'web', kubernetes }),
      'spec.kubernetes.serviceAccountName',
    ],
    [
      'schedule of jobs',
      'scheduledtasks',
      schedule({ submitJob: { taskDefinition: 'web', kubernetes } }),
      'spec.target.submitJob.kubernetes.serviceAccountName',
    ],
  ] as const)(
    'nobody changes what runs under the account of a %s that follows it',
    async ([, plural, body, path], context) => {
      const ns = await suite().namespace(context);
      await ns.createRaw(plural, body);
      const [other, owner] = await Promise.all([
        edit(context, ns, 'other'),
        edit(context, ns, 'owner', account('admin')),
      ]);
      const refused = `TaskDefinition web: spec.family: "web" is followed by ${body.kind} ${body.metadata.name}, whose ${path} is "admin": ${needs('use on serviceaccounts "admin"')}`;
      await answers(() => other.tryCreate('taskdefinitions', definition()), filled(refused, other, ns.name));
      // By another name, but of the same family.
      const disguised = { ...definition({ family: 'web' }), metadata: { name: 'mine' } };
      const said = filled(refused, other, ns.name).replace('TaskDefinition web', 'TaskDefinition mine');
      await answers(() => other.tryCreate('taskdefinitions', disguised), said);
      await answers(() => owner.tryCreate('taskdefinitions', definition()), 'admitted');
      await answers(
        () => other.tryCreate('taskdefinitions', { ...definition(), metadata: { name: 'mine' } }),
        'admitted',
      );
    },
  );

  it('nobody rolls back to, or starts again, what they may not run', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('services', service({ taskDefinition: 'payroll:3' }));
    const user = await edit(context, ns, 'other');
    const refused = `Service web: spec.taskDefinition: "payroll" is a task definition that it would run: ${needs('use on taskdefinitions.longshore.dev "payroll"')}`;
    for (const key of ['rollback', 'force-new-deployment'])
      await answers(
        () => user.tryPatch('services', 'web', { metadata: { annotations: { [`longshore.dev/${key}`]: 'now' } } }),
        filled(refused, user, ns.name),
      );
  });

  it('nobody makes a pod one of the operator, and everybody may ask for its stop', async (context) => {
    const ns = await suite().namespace(context);
    const labels = { 'app.kubernetes.io/managed-by': 'longshore', 'longshore.dev/service': 'web' };
    const pod = { spec: { containers: [{ name: 'app', image: 'busybox' }] } };
    await ns.createRaw('pods', { metadata: { name: 'mine' }, ...pod });
    await ns.createRaw('pods', { metadata: { name: 'task', labels }, ...pod });
    const user = await edit(context, ns, 'other');
    const refused = `Pod mine: metadata.labels["app.kubernetes.io/managed-by"]: "longshore" is for what the operator makes: ${needs('patch on services.longshore.dev/status')}`;
    await answers(() => user.tryPatch('pods', 'mine', { metadata: { labels } }), filled(refused, user, ns.name));
    const stop = { metadata: { annotations: { 'longshore.dev/stop': 'asked' } } };
    await answers(() => user.tryPatch('pods', 'task', stop), 'admitted');
  });

  it('the policy of the Cluster counts, and a store of secrets is for those who may ask it', async (context) => {
    const ns = await suite().namespace(context);
    const user = await edit(context, ns, 'other', may('', 'services', 'create'));
    const secrets = [{ name: 'TOKEN', valueFrom: '/prod/token' }];
    // Without a Cluster the operator alone decides.
    await answers(() => user.tryCreate('taskdefinitions', definition({}, { privileged: true, secrets })), 'admitted');
    await ns.createRaw(
      'clusters',
      cluster({ mappings: { secretStores: [{ service: 'ParameterStore', name: 'aws' }] } }),
    );
    const volume = (of: object) => ({ volumes: [{ name: 'data', ...of }] });
    const bind = { dockerVolumeConfiguration: { driverOpts: { type: 'none', o: 'bind', device: '/' } } };
    const devices = { linuxParameters: { devices: [{ hostPath: '/dev/kvm' }] } };
    const added = { linuxParameters: { capabilities: { add: ['SYS_ADMIN'] } } };
    const path = volume({ host: { sourcePath: '/' } });
    const asked: readonly (readonly [Plural, ReturnType<typeof object>, field: string, what: string, flag: string])[] =
      [
        [
          'taskdefinitions',
          definition({}, { privileged: true }),
          'privileged',
          'privileged containers',
          'allowPrivileged',
        ],
        ['taskdefinitions', definition(path), 'volumes', 'paths of the node', 'allowHostPaths'],
        ['taskdefinitions', definition(volume(bind)), 'volumes', 'paths of the node', 'allowHostPaths'],
        [
          'taskdefinitions',
          definition({ networkMode: 'host' }),
          'networkMode',
          'the network of the node',
          'allowHostNetwork',
        ],
        [
          'taskdefinitions',
          definition({ pidMode: 'host' }),
          'pidMode, ipcMode',
          'the processes and memory of the node',
          'allowHostNamespaces',
        ],
        ['taskdefinitions', definition({}, devices), 'linuxParameters.devices', 'devices of the node', 'allowDevices'],
        [
          'taskdefinitions',
          definition({}, added),
          'linuxParameters.capabilities.add',
          'added capabilities',
          'allowAddedCapabilities',
        ],
        ['batchjobs', job({ privileged: true }), 'privileged', 'privileged containers', 'allowPrivileged'],
        ['batchjobs', job(path), 'volumes', 'paths of the node', 'allowHostPaths'],
        [
          'batchjobs',
          job({}, ecsProperties({}, { privileged: true })),
          'privileged',
          'privileged containers',
          'allowPrivileged',
        ],
        [
          'batchjobs',
          job({}, ecsProperties({ ipcMode: 'host' })),
          'pidMode, ipcMode',
          'the processes and memory of the node',
          'allowHostNamespaces',
        ],
        [
          'scheduledtasks',
          schedule({ submitJob: job({ privileged: true }).spec }),
          'privileged',
          'privileged containers',
          'allowPrivileged',
        ],
      ];
    for (const [plural, body, field, what, flag] of asked) {
      const refused = `${body.kind} ${body.metadata.name}: ${field}: ${what} need spec.policy.${flag}: true of Cluster prod`;
      await answers(() => user.tryCreate(plural, body), refused);
    }
    const fetched = `secrets: "app" is a container whose secrets a store would be asked for: ${needs('create on externalsecrets.external-secrets.io')}`;
    await answers(
      () => user.tryCreate('taskdefinitions', definition({}, { secrets })),
      filled(`TaskDefinition web: ${fetched}`, user, ns.name),
    );
    const policy = Object.fromEntries(asked.map(([, , , , flag]) => [flag, true]));
    const mapped = [{ valueFrom: '/prod/token', secretName: 'token', key: 'value' }];
    await ns.patch('clusters', 'prod', { spec: { policy, mappings: { secrets: mapped } } });
    for (const [plural, body] of asked) await answers(() => user.tryCreate(plural, body), 'admitted');
    await answers(() => user.tryCreate('taskdefinitions', definition({}, { secrets })), 'admitted');
  });

  it('those who may write none of it may still scale', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('services', service());
    const name = `scaler-${ns.name}`;
    await grant(suite(), ns.name, [{ name, rules: [may(GROUP, 'services/scale', ['get', 'patch', 'update'])] }]);
    const scaler = await Tenant.of(context, suite(), name, ns.name);
    await answers(() => scaler.tryPatch('services', 'web', { spec: { replicas: 3 } }, '/scale'), 'admitted');
  });
});

it('deploy/tenancy is a component of an overlay, and has the operator take what is not allowed as refused', async (context) => {
  const folder = mkdtempSync(join(suite().cluster.dir, 'tenancy-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  const at = (path: string): string => relative(folder, join(overlay('ha'), '..', '..', path));
  const [resources, components] = [[at('overlays/ha')], [at('tenancy')]];
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ resources, components }));
  const objects = await rendered(suite().cluster, folder);
  const named = (kind: string) => objects.filter((object) => object.kind === kind);
  expect(named('ValidatingAdmissionPolicyBinding').map(({ metadata }) => metadata.name)).toEqual(
    POLICIES.map(({ name }) => name).sort(),
  );
  expect(JSON.stringify(named('Deployment'))).toContain('"--default-policy=Restricted"');
});

describe('the operator', () => {
  it('works as ever, and keeps what asks for the node from starting where nothing allows it', async (context) => {
    const ns = await suite().namespace(context);
    const operator = await suite().startOperator(['--no-leader-elect', '--default-policy=Restricted']);
    context.onTestFailed(() => console.error(operator.describe(ns.name)));
    const user = `owner-${ns.name}`;
    const rules = [WRITES, PODS, account('default'), NAMED, may(GROUP, 'taskdefinitions', 'use', 'host')];
    await grant(suite(), ns.name, [{ name: user, rules }]);
    const tenant = await Tenant.of(context, suite(), user, ns.name);
    const given = { kubernetes: { serviceAccountName: 'default' } };
    await answers(() => tenant.tryCreate('taskdefinitions', definition(given)), 'admitted');
    await tenant.create('taskdefinitions', definition(given));
    await tenant.create('services', service());
    await tenant.create('tasks', task());
    const target = { runTask: { taskDefinition: 'web' } };
    const [now] = new Date(Date.now() + 2000).toISOString().split('.');
    await tenant.create('scheduledtasks', { ...schedule(target), spec: { scheduleExpression: `at(${now})`, target } });
    await ns.until('the service, the task and the run of the schedule to have a pod', () => {
      const owners = new Set(ns.history.all('pods').map(({ metadata }) => metadata.ownerReferences?.[0]?.uid));
      return owners.size === 3;
    });
    const asks = { ...definition({}, { privileged: true }), metadata: { name: 'host' } };
    await tenant.create('taskdefinitions', asks);
    await tenant.create('services', { ...service({ taskDefinition: 'host' }), metadata: { name: 'host' } });
    await ns.until('why it does not start', () =>
      readyCondition(ns.history.get('services', 'host'))?.message.includes(
        "privileged: true is not allowed: the namespace's Cluster does not have policy.allowPrivileged: true",
      ),
    );
    await ns.createRaw('clusters', cluster({ policy: { allowPrivileged: true } }));
    await ns.until('a privileged task', () =>
      ns.history.all('pods').some(({ metadata }) => metadata.labels?.['longshore.dev/service'] === 'host'),
    );
  });
});
