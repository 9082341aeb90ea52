/** The ways to ask for rights through Longshore's kinds, each with what makes it allowed. */
import type { Plural } from './kube-api.ts';
import type { Rule } from './tenants.ts';

export const GROUP = 'longshore.dev';
const KINDS = ['taskdefinitions', 'services', 'tasks', 'batchjobs', 'scheduledtasks', 'targetgroups', 'clusters'];
export const may = (group: string, resource: string, verbs: string | string[], ...resourceNames: string[]): Rule => ({
  apiGroups: [group],
  resources: [resource],
  verbs: [verbs].flat(),
  ...(resourceNames.length > 0 && { resourceNames }),
});
export const WRITES: Rule = {
  apiGroups: [GROUP],
  resources: KINDS,
  verbs: ['get', 'create', 'update', 'patch', 'delete'],
};
export const PODS = may('', 'pods', ['create', 'patch']);
export const NAMED = may(GROUP, 'taskdefinitions', 'use', 'web');

export const object = (kind: string, name: string, spec: object, metadata: object = {}) => ({
  apiVersion: `${GROUP}/v1alpha1`,
  kind,
  metadata: { name, ...metadata },
  spec,
});
const container = { name: 'app', image: 'busybox', memory: 16 };
export const definition = (spec: object = {}, changes: object = {}) =>
  object('TaskDefinition', 'web', { containerDefinitions: [{ ...container, ...changes }], ...spec });
export const change = (changes: object) => ({ spec: { containerDefinitions: [{ ...container, ...changes }] } });
const properties = {
  image: 'busybox',
  resourceRequirements: [
    { type: 'VCPU', value: '0.25' },
    { type: 'MEMORY', value: '16' },
  ],
};
export const job = (changes: object = {}, spec: object = {}) =>
  object('BatchJob', 'squares', { containerProperties: { ...properties, ...changes }, ...spec });
export const service = (spec: object = {}) =>
  object('Service', 'web', { taskDefinition: 'web', desiredCount: 1, ...spec });
export const task = (spec: object = {}, metadata: object = {}) =>
  object('Task', 'once', { taskDefinition: 'web', ...spec }, metadata);
export const schedule = (target: object) =>
  object('ScheduledTask', 'nightly', { scheduleExpression: 'rate(1 day)', target });
export const cluster = (spec: object) => object('Cluster', 'prod', spec);
const targetGroup = (spec: object = {}) => object('TargetGroup', 'web', { protocol: 'HTTP', port: 80, ...spec });

export const ROLE = 'arn:aws:iam::111122223333:role/admin';
const GROUP_ARN = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/6d0ecf831eec9f09';

export interface Attempt {
  readonly title: string;
  readonly plural: Plural;
  readonly body: object;
  /** Of the user, besides `WRITES` and what every attempt has. */
  readonly has?: readonly Rule[];
  /** Without pods. */
  readonly noPods?: true;
  /** The words of the refusal, with USER and NS for the names. */
  readonly refused: string;
  /** What makes it admitted. */
  readonly needs: Rule;
}

export const account = (name: string): Rule => may('', 'serviceaccounts', 'use', name);
export const needs = (what: string): string => `user "USER" needs the verb ${what} in namespace "NS"`;
const takesAccount = (kind: string, field: string): string =>
  `${kind}: ${field}: "admin" is a ServiceAccount that its tasks would have: ${needs('use on serviceaccounts "admin"')}`;
export const takesRole = (kind: string, field: string, name = ROLE): string =>
  `${kind}: ${field}: "${name}" is a role that its tasks would have: ${needs(`use on roles.longshore.dev "${name}"`)}`;
export const kubernetes = { serviceAccountName: 'admin' };
export const role = may(GROUP, 'roles', 'use', ROLE);
const overrides = { taskRoleArn: ROLE };
export const ecsProperties = (spec: object, changes: object = {}) => ({
  containerProperties: undefined,
  ecsProperties: { taskProperties: [{ containers: [{ name: 'app', ...properties, ...changes }], ...spec }] },
});

const withoutPods = (title: string, plural: Plural, body: { kind: string; metadata: { name: string } }): Attempt => ({
  title: `${title} without the right to create pods`,
  plural,
  body,
  has: [may('', 'services', 'create'), may(GROUP, 'taskdefinitions', 'use')],
  noPods: true,
  refused: `${body.kind} ${body.metadata.name} makes pods: ${needs('create on pods')}`,
  needs: PODS,
});

export const attempts: readonly Attempt[] = [
  withoutPods('a TaskDefinition', 'taskdefinitions', definition()),
  withoutPods('a Service', 'services', service()),
  withoutPods('a Task', 'tasks', task()),
  withoutPods('a BatchJob', 'batchjobs', job()),
  withoutPods('a ScheduledTask', 'scheduledtasks', schedule({ submitJob: job().spec })),
  withoutPods('a TargetGroup', 'targetgroups', targetGroup()),
  withoutPods('a Cluster', 'clusters', cluster({})),
  {
    title: 'a TaskDefinition with a ServiceAccount',
    plural: 'taskdefinitions',
    body: definition({ kubernetes }),
    refused: takesAccount('TaskDefinition web', 'spec.kubernetes.serviceAccountName'),
    needs: account('admin'),
  },
  {
    title: 'a Service with a ServiceAccount',
    plural: 'services',
    body: service({ kubernetes }),
    refused: takesAccount('Service web', 'spec.kubernetes.serviceAccountName'),
    needs: account('admin'),
  },
  {
    title: 'a Task with a ServiceAccount',
    plural: 'tasks',
    body: task({ kubernetes }),
    refused: takesAccount('Task once', 'spec.kubernetes.serviceAccountName'),
    needs: account('admin'),
  },
  {
    title: 'a BatchJob with a ServiceAccount',
    plural: 'batchjobs',
    body: job({}, { kubernetes }),
    refused: takesAccount('BatchJob squares', 'spec.kubernetes.serviceAccountName'),
    needs: account('admin'),
  },
  {
    title: 'a schedule of tasks with a ServiceAccount',
    plural: 'scheduledtasks',
    body: schedule({ runTask: { taskDefinition: 'web', kubernetes } }),
    refused: takesAccount('ScheduledTask nightly', 'spec.target.runTask.kubernetes.serviceAccountName'),
    needs: account('admin'),
  },
  {
    title: 'a schedule of jobs with a ServiceAccount',
    plural: 'scheduledtasks',
    body: schedule({ submitJob: job({}, { kubernetes }).spec }),
    refused: takesAccount('ScheduledTask nightly', 'spec.target.submitJob.kubernetes.serviceAccountName'),
    needs: account('admin'),
  },
  {
    title: 'a TaskDefinition with a role',
    plural: 'taskdefinitions',
    body: definition({ taskRoleArn: ROLE }),
    refused: takesRole('TaskDefinition web', 'spec.taskRoleArn'),
    needs: role,
  },
  {
    title: 'a role by its bare name',
    plural: 'taskdefinitions',
    body: definition({ taskRoleArn: 'admin' }),
    has: [role],
    refused: takesRole('TaskDefinition web', 'spec.taskRoleArn', 'admin'),
    needs: may(GROUP, 'roles', 'use', 'admin'),
  },
  {
    title: 'a Task with another role',
    plural: 'tasks',
    body: task({ overrides }),
    refused: takesRole('Task once', 'spec.overrides.taskRoleArn'),
    needs: role,
  },
  {
    title: 'a BatchJob with a role',
    plural: 'batchjobs',
    body: job({ jobRoleArn: ROLE }),
    refused: takesRole('BatchJob squares', 'spec.containerProperties.jobRoleArn'),
    needs: role,
  },
  {
    title: 'a BatchJob of several containers with a role',
    plural: 'batchjobs',
    body: job({}, ecsProperties(overrides)),
    refused: takesRole('BatchJob squares', 'spec.ecsProperties.taskProperties[0].taskRoleArn'),
    needs: role,
  },
  {
    title: 'a schedule of tasks with another role',
    plural: 'scheduledtasks',
    body: schedule({ runTask: { taskDefinition: 'web', overrides } }),
    refused: takesRole('ScheduledTask nightly', 'spec.target.runTask.overrides.taskRoleArn'),
    needs: role,
  },
  {
    title: 'a schedule of jobs with a role',
    plural: 'scheduledtasks',
    body: schedule({ submitJob: job({ jobRoleArn: ROLE }).spec }),
    refused: takesRole('ScheduledTask nightly', 'spec.target.submitJob.containerProperties.jobRoleArn'),
    needs: role,
  },
  ...(
    [
      ['a Service', 'services', service({ taskDefinition: 'payroll' }), 'Service web', 'spec.taskDefinition'],
      ['a revision', 'services', service({ taskDefinition: 'payroll:3' }), 'Service web', 'spec.taskDefinition'],
      [
        'an ARN',
        'tasks',
        task({ taskDefinition: 'arn:aws:ecs:eu-west-1:111122223333:task-definition/payroll:3' }),
        'Task once',
        'spec.taskDefinition',
      ],
      [
        'a schedule',
        'scheduledtasks',
        schedule({ runTask: { taskDefinition: 'task-definition/payroll:3' } }),
        'ScheduledTask nightly',
        'spec.target.runTask.taskDefinition',
      ],
      [
        'a job',
        'batchjobs',
        job({}, { containerProperties: undefined, taskDefinition: 'payroll' }),
        'BatchJob squares',
        'spec.taskDefinition',
      ],
      [
        'a schedule of jobs',
        'scheduledtasks',
        schedule({ submitJob: { taskDefinition: 'payroll:3' } }),
        'ScheduledTask nightly',
        'spec.target.submitJob.taskDefinition',
      ],
    ] as const
  ).map(
    ([title, plural, body, kind, field]): Attempt => ({
      title: `the task definition of others by ${title}`,
      plural,
      body,
      refused: `${kind}: ${field}: "payroll" is a task definition that it would run: ${needs('use on taskdefinitions.longshore.dev "payroll"')}`,
      needs: may(GROUP, 'taskdefinitions', 'use', 'payroll'),
    }),
  ),
  ...(
    [
      ['by its name', 'web', 'web'],
      ['by its name and id', 'targetgroup/web/6d0ecf831eec9f09', 'web'],
      ['by its ARN', GROUP_ARN, GROUP_ARN],
    ] as const
  ).map(
    ([title, targetGroupArn, name]): Attempt => ({
      title: `the traffic of a target group ${title}`,
      plural: 'services',
      body: service({
        loadBalancers: [
          { targetGroupArn: 'mine', containerName: 'app', containerPort: 80 },
          { targetGroupArn, containerName: 'app', containerPort: 80 },
        ],
      }),
      has: [may(GROUP, 'targetgroups', 'use', 'mine')],
      refused: `Service web: spec.loadBalancers[1].targetGroupArn: "${name}" is a target group whose traffic it would take: ${needs(`use on targetgroups.longshore.dev "${name}"`)}`,
      needs: may(GROUP, 'targetgroups', 'use', name),
    }),
  ),
  {
    title: 'a claim',
    plural: 'taskdefinitions',
    body: definition({
      volumes: [{ name: 'data', dockerVolumeConfiguration: { scope: 'shared', autoprovision: true } }],
    }),
    refused: `TaskDefinition web: spec.volumes[].dockerVolumeConfiguration.autoprovision: "true" makes a PersistentVolumeClaim: ${needs('create on persistentvolumeclaims')}`,
    needs: may('', 'persistentvolumeclaims', 'create'),
  },
  {
    title: 'a name in the namespace',
    plural: 'services',
    body: service({ serviceRegistries: [{ registryArn: 'web' }] }),
    refused: `Service web: spec.serviceRegistries, spec.serviceConnectConfiguration: "names" are core Services: ${needs('create on services')}`,
    needs: may('', 'services', 'create'),
  },
  {
    title: 'a core Service',
    plural: 'targetgroups',
    body: targetGroup(),
    refused: `TargetGroup web: spec.port: "80" is of a core Service: ${needs('create on services')}`,
    needs: may('', 'services', 'create'),
  },
  {
    title: 'the requests of a host name',
    plural: 'targetgroups',
    body: targetGroup({ routes: [{ hosts: ['bank.example.com'] }] }),
    has: [may('', 'services', 'create')],
    refused: `TargetGroup web: spec.routes: "1" routes take an Ingress or HTTPRoute: ${needs('create on ingresses.networking.k8s.io')}`,
    needs: may('networking.k8s.io', 'ingresses', 'create'),
  },
  {
    title: 'the requests of a Gateway',
    plural: 'targetgroups',
    body: targetGroup({ routes: [{ gateway: 'edge/public' }] }),
    has: [may('', 'services', 'create'), may('networking.k8s.io', 'ingresses', 'create')],
    refused: `TargetGroup web: spec.routes[].gateway: "edge/public" takes an HTTPRoute: ${needs('create on httproutes.gateway.networking.k8s.io')}`,
    needs: may('gateway.networking.k8s.io', 'httproutes', 'create'),
  },
  {
    title: 'a run of the schedule of others',
    plural: 'tasks',
    body: task(
      {},
      {
        ownerReferences: [
          { apiVersion: `${GROUP}/v1alpha1`, kind: 'ScheduledTask', name: 'nightly', uid: 'a', controller: true },
        ],
      },
    ),
    refused: `Task once: metadata.ownerReferences: "nightly" is a schedule whose run it would be: ${needs('use on scheduledtasks.longshore.dev "nightly"')}`,
    needs: may(GROUP, 'scheduledtasks', 'use', 'nightly'),
  },
  {
    title: 'a mapping of a role to a ServiceAccount',
    plural: 'clusters',
    body: cluster({
      mappings: {
        roles: [
          { role: 'web', serviceAccountName: 'web' },
          { role: 'app', serviceAccountName: 'admin' },
        ],
      },
    }),
    has: [account('web')],
    refused: `Cluster prod: spec.mappings.roles[1].serviceAccountName: "admin" is a ServiceAccount that tasks would have: ${needs('use on serviceaccounts "admin"')}`,
    needs: account('admin'),
  },
  {
    title: 'mappings of many roles',
    plural: 'clusters',
    body: cluster({
      mappings: { roles: Array.from({ length: 9 }, (_, i) => ({ role: `web-${i}`, serviceAccountName: 'web' })) },
    }),
    has: [account('web')],
    refused: `Cluster prod: spec.mappings.roles: "9" roles, more than 8, take every ServiceAccount: ${needs('use on serviceaccounts')}`,
    needs: may('', 'serviceaccounts', 'use'),
  },
  ...(
    [
      ['allowPrivileged', 'privileged containers'],
      ['allowHostPaths', 'paths of the node'],
      ['allowHostNetwork', 'the network of the node'],
      ['allowHostPorts', 'fixed ports of the node'],
      ['allowHostNamespaces', 'the processes and memory of the node'],
      ['allowAddedCapabilities', 'added capabilities'],
      ['allowDevices', 'devices of the node'],
    ] as const
  ).map(
    ([flag, what]): Attempt => ({
      title: `a policy that has ${flag}`,
      plural: 'clusters',
      body: cluster({ policy: { [flag]: true } }),
      refused: `Cluster prod: spec.policy.${flag}: "true" allows ${what}: ${needs(`grant on clusters.longshore.dev/policy "${flag}"`)}`,
      needs: may(GROUP, 'clusters/policy', 'grant', flag),
    }),
  ),
  {
    title: 'a policy that allows target groups of AWS',
    plural: 'clusters',
    body: cluster({ policy: { targetGroupArns: [GROUP_ARN] } }),
    refused: `Cluster prod: spec.policy.targetGroupArns: "${GROUP_ARN}" allows target groups of AWS: ${needs('use on targetgroups.longshore.dev')}`,
    needs: may(GROUP, 'targetgroups', 'use'),
  },
  {
    title: 'a store of secrets',
    plural: 'clusters',
    body: cluster({ mappings: { secretStores: [{ service: 'ParameterStore', name: 'aws' }] } }),
    refused: `Cluster prod: spec.mappings.secretStores: "aws" makes ExternalSecrets: ${needs('create on externalsecrets.external-secrets.io')}`,
    needs: may('external-secrets.io', 'externalsecrets', 'create'),
  },
  {
    title: 'an address that the operator asks',
    plural: 'clusters',
    body: cluster({ mappings: { alarmEvaluation: { prometheusUrl: 'http://169.254.169.254' } } }),
    refused: `Cluster prod: spec.mappings.alarms: "sources" are read by the operator: ${needs('grant on clusters.longshore.dev/policy "alarms"')}`,
    needs: may(GROUP, 'clusters/policy', 'grant', 'alarms'),
  },
  {
    title: 'a pod that the operator takes for its own',
    plural: 'pods',
    body: {
      metadata: {
        name: 'forged',
        labels: { 'app.kubernetes.io/managed-by': 'longshore', 'longshore.dev/service': 'web' },
      },
      spec: { containers: [{ name: 'app', image: 'busybox' }] },
    },
    has: [may(GROUP, 'services/status', 'patch')],
    refused: `Pod forged: metadata.labels["app.kubernetes.io/managed-by"]: "longshore" is for what the operator makes: ${needs('use on serviceaccounts')}`,
    needs: may('', 'serviceaccounts', 'use'),
  },
  {
    title: 'a revision of a task definition',
    plural: 'controllerrevisions',
    body: {
      metadata: { name: 'taskdefinition-web-7', labels: { 'app.kubernetes.io/managed-by': 'longshore' } },
      revision: 7,
      data: { containerDefinitions: [container], kubernetes },
    },
    has: [may('apps', 'controllerrevisions', 'create'), account('admin'), may('', 'serviceaccounts', 'use')],
    refused: `ControllerRevision taskdefinition-web-7: metadata.labels["app.kubernetes.io/managed-by"]: "longshore" is for what the operator makes: ${needs('patch on services.longshore.dev/status')}`,
    needs: may(GROUP, 'services/status', 'patch'),
  },
];
