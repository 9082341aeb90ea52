/** deploy/tenancy: who makes objects of Longshore must have the rights that their tasks get. */
import { GROUP, LABELS, MANAGED_BY } from '../../src/api/meta.ts';
import {
  type AdmissionPolicy,
  CHANGED,
  inWords,
  lacking,
  listAt,
  may,
  ofGroup,
  type Permission,
  sentence,
  textAt,
  type Validation,
  valueAt,
  valuesAt,
} from './admission-policy.ts';

/** Where a Task or BatchJob is spelled out: in its own spec, or in a schedule. */
const RUN_TASK = ['spec', 'spec.target.runTask'];
const SUBMIT_JOB = ['spec', 'spec.target.submitJob'];
const below = (bases: readonly string[], ...paths: readonly string[]): string[] =>
  bases.flatMap((base) => paths.map((path) => `${base}.${path}`));

const ACCOUNTS = ['spec', 'spec.target.runTask', 'spec.target.submitJob'].map(
  (base) => `${base}.kubernetes.serviceAccountName`,
);
const ROLES = [
  'spec.taskRoleArn',
  ...below(RUN_TASK, 'overrides.taskRoleArn'),
  ...below(SUBMIT_JOB, 'containerProperties.jobRoleArn', 'ecsProperties.taskProperties[0].taskRoleArn'),
];
/** Of Services, Tasks and BatchJobs, and of what a schedule runs. */
const DEFINITIONS = [...below(RUN_TASK, 'taskDefinition'), 'spec.target.submitJob.taskDefinition'];

/** Of `family`, `family:revision`, `task-definition/family:revision` and the ARN: the family. */
const familyIn = (reference: string): string =>
  `${reference}.substring(${reference}.lastIndexOf('/') + 1).split(':')[0]`;

const pods: Permission = { group: '', resource: 'pods', verb: 'create' };
const use = (resource: string, name?: string, group = GROUP): Permission => ({
  group,
  resource,
  verb: 'use',
  ...(name !== undefined && { name }),
});
const create = (group: string, resource: string): Permission => ({ group, resource, verb: 'create' });

const mayCreatePods: Validation = {
  expression: may(pods),
  messageExpression: `variables.what + ' makes pods: user "' + request.userInfo.username + '" needs ' + ${inWords(pods)}`,
};

/** Each value of a list of `{field, value}` needs a right of its name. */
const eachNeeds = (list: string, permission: (name: string) => Permission, because: string): Validation => ({
  expression: `variables.${list}.all(e, ${may(permission('string(e.value)'))})`,
  messageExpression: lacking(
    `variables.${list}[0].field`,
    `variables.${list}[0].value`,
    permission(`variables.${list}[0].value`),
    because,
  ),
});

const needsWhere = (
  where: string,
  field: string,
  value: string,
  permission: Permission,
  because: string,
): Validation => ({
  expression: `!(${where}) || ${may(permission)}`,
  messageExpression: lacking(`'${field}'`, value, permission, because),
});

/** An ARN may be one of AWS's own target groups: it is named in full. */
const TARGET_GROUP_NAME = (reference: string): string =>
  `${reference}.startsWith('arn:') || !${reference}.contains('/') ? ${reference} : ${reference}.split('/')[1]`;

const MAX_TARGET_GROUPS = 5;

const workloads: AdmissionPolicy = {
  name: 'longshore-tenancy',
  rules: ofGroup(['taskdefinitions', 'services', 'tasks', 'batchjobs', 'scheduledtasks']),
  conditions: { changed: CHANGED },
  variables: {
    accounts: valuesAt(ACCOUNTS),
    roles: valuesAt(ROLES),
    definitions: valuesAt(DEFINITIONS),
    families: `variables.definitions.map(e, {'field': dyn(e.field), 'value': dyn(${familyIn('string(e.value)')})})`,
    targetGroups: `${listAt('spec.loadBalancers')}.map(l, dyn(l).?targetGroupArn.orValue(null) == null ? '' : string(l.targetGroupArn)).map(t, ${TARGET_GROUP_NAME('t')})`,
    claims: `${listAt('spec.volumes')}.filter(v, dyn(v).?dockerVolumeConfiguration.?autoprovision.orValue(null) == true)`,
    names: `${listAt('spec.serviceRegistries')}.size() > 0 || ${valueAt('spec.serviceConnectConfiguration.enabled')} == true`,
    schedules: `dyn(object).metadata.?ownerReferences.orValue([]).filter(o, o.kind == 'ScheduledTask' && o.apiVersion.startsWith('${GROUP}/')).map(o, {'field': dyn('metadata.ownerReferences'), 'value': dyn(o.name)})`,
  },
  validations: [
    mayCreatePods,
    eachNeeds('accounts', (name) => use('serviceaccounts', name, ''), 'is a ServiceAccount that its tasks would have'),
    eachNeeds('roles', (name) => use('roles', name), 'is a role that its tasks would have'),
    eachNeeds('families', (name) => use('taskdefinitions', name), 'is a task definition that it would run'),
    ...Array.from({ length: MAX_TARGET_GROUPS }, (_, index): Validation => {
      const name = `variables.targetGroups[${index}]`;
      return {
        expression: `variables.targetGroups.size() <= ${index} || ${may(use('targetgroups', name))}`,
        messageExpression: lacking(
          `'spec.loadBalancers[${index}].targetGroupArn'`,
          name,
          use('targetgroups', name),
          'is a target group whose traffic it would take',
        ),
      };
    }),
    needsWhere(
      'variables.claims.size() > 0',
      'spec.volumes[].dockerVolumeConfiguration.autoprovision',
      'true',
      create('', 'persistentvolumeclaims'),
      'makes a PersistentVolumeClaim',
    ),
    needsWhere(
      'variables.names',
      'spec.serviceRegistries, spec.serviceConnectConfiguration',
      "'names'",
      create('', 'services'),
      'are core Services',
    ),
    eachNeeds('schedules', (name) => use('scheduledtasks', name), 'is a schedule whose run it would be'),
  ],
};

const traffic: AdmissionPolicy = {
  name: 'longshore-tenancy-traffic',
  rules: ofGroup(['targetgroups']),
  conditions: { changed: CHANGED },
  variables: {
    routes: listAt('spec.routes'),
    gateways: 'variables.routes.filter(r, dyn(r).?gateway.orValue(null) != null)',
  },
  validations: [
    mayCreatePods,
    needsWhere('true', 'spec.port', 'object.spec.port', create('', 'services'), 'is of a core Service'),
    needsWhere(
      'variables.gateways.size() > 0',
      'spec.routes[].gateway',
      'variables.gateways[0].gateway',
      create('gateway.networking.k8s.io', 'httproutes'),
      'takes an HTTPRoute',
    ),
    {
      expression: `variables.routes.size() == 0 || variables.gateways.size() > 0 || ${may(create('networking.k8s.io', 'ingresses'))} || ${may(create('gateway.networking.k8s.io', 'httproutes'))}`,
      messageExpression: lacking(
        "'spec.routes'",
        'variables.routes.size()',
        create('networking.k8s.io', 'ingresses'),
        'routes take an Ingress or HTTPRoute',
      ),
    },
  ],
};

/** What a Cluster allows its namespace, and what of a task definition that is. */
export const HOST_ACCESS: Readonly<Record<string, string>> = {
  allowPrivileged: 'privileged containers',
  allowHostPaths: 'paths of the node',
  allowHostNetwork: 'the network of the node',
  allowHostPorts: 'fixed ports of the node',
  allowHostNamespaces: 'the processes and memory of the node',
  allowAddedCapabilities: 'added capabilities',
  allowDevices: 'devices of the node',
};

/** Roles that a Cluster may map where its writer has `use` of single ServiceAccounts only: each look costs (docs/tenancy.md). */
const NAMED_MAPPINGS = 8;

const grant = (name: string): Permission => ({
  group: GROUP,
  resource: 'clusters',
  subresource: 'policy',
  verb: 'grant',
  name: `'${name}'`,
});

const clusters: AdmissionPolicy = {
  name: 'longshore-tenancy-clusters',
  rules: ofGroup(['clusters']),
  conditions: { changed: CHANGED },
  variables: {
    roles: listAt('spec.mappings.roles'),
    targetGroups: listAt('spec.policy.targetGroupArns'),
    stores: listAt('spec.mappings.secretStores'),
    alarms: `${listAt('spec.mappings.alarms')}.size() > 0 || ${valueAt('spec.mappings.alarmEvaluation.prometheusUrl')} != null`,
  },
  validations: [
    mayCreatePods,
    ...Array.from({ length: NAMED_MAPPINGS }, (_, index): Validation => {
      const name = `variables.roles[${index}].serviceAccountName`;
      return {
        expression: `variables.roles.size() <= ${index} || variables.roles.size() > ${NAMED_MAPPINGS} || ${may(use('serviceaccounts', name, ''))}`,
        messageExpression: lacking(
          `'spec.mappings.roles[${index}].serviceAccountName'`,
          name,
          use('serviceaccounts', name, ''),
          'is a ServiceAccount that tasks would have',
        ),
      };
    }),
    needsWhere(
      `variables.roles.size() > ${NAMED_MAPPINGS}`,
      'spec.mappings.roles',
      'variables.roles.size()',
      use('serviceaccounts', undefined, ''),
      `roles, more than ${NAMED_MAPPINGS}, take every ServiceAccount`,
    ),
    ...Object.entries(HOST_ACCESS).map(([flag, what]) =>
      needsWhere(
        `${valueAt(`spec.policy.${flag}`)} == true`,
        `spec.policy.${flag}`,
        'true',
        grant(flag),
        `allows ${what}`,
      ),
    ),
    needsWhere(
      'variables.targetGroups.size() > 0',
      'spec.policy.targetGroupArns',
      'variables.targetGroups[0]',
      use('targetgroups'),
      'allows target groups of AWS',
    ),
    needsWhere(
      'variables.stores.size() > 0',
      'spec.mappings.secretStores',
      'variables.stores[0].name',
      create('external-secrets.io', 'externalsecrets'),
      'makes ExternalSecrets',
    ),
    needsWhere('variables.alarms', 'spec.mappings.alarms', "'sources'", grant('alarms'), 'are read by the operator'),
  ],
};

const definitionsIn = ['spec', ...below(SUBMIT_JOB, 'containerProperties', 'ecsProperties.taskProperties[0]')];
const LISTS_OF_CONTAINERS = [
  'spec.containerDefinitions',
  ...below(SUBMIT_JOB, 'ecsProperties.taskProperties[0].containers'),
];
const SINGLE_CONTAINERS = below(SUBMIT_JOB, 'containerProperties');
const CONTAINERS = [...LISTS_OF_CONTAINERS.map((path) => `${path}[]`), ...SINGLE_CONTAINERS];
const containersIn = [
  ...LISTS_OF_CONTAINERS.map((path) => listAt(path)),
  ...SINGLE_CONTAINERS.map((path) => `[${valueAt(path)}].filter(c, c != null)`),
].join(' + ');
const anyOf = (paths: readonly string[], holds: (value: string) => string): string =>
  paths.map((path) => holds(valueAt(path))).join(' || ');

const isHostPath = (volume: string): string =>
  `${textAt('host.sourcePath', volume)} != '' || (${textAt('dockerVolumeConfiguration.driver', volume)} in ['', 'local'] && ` +
  `${textAt('dockerVolumeConfiguration.driverOpts.o', volume)}.split(',').exists(f, f in ['bind', 'rbind']))`;

/** Flag of the Cluster → field, and whether the object asks for it. */
const ASKED: Readonly<Record<string, readonly [field: string, asks: string]>> = {
  allowPrivileged: ['privileged', 'variables.containers.exists(c, dyn(c).?privileged.orValue(null) == true)'],
  allowHostNetwork: [
    'networkMode',
    anyOf(
      definitionsIn.map((at) => `${at}.networkMode`),
      (value) => `${value} == 'host'`,
    ),
  ],
  allowHostNamespaces: [
    'pidMode, ipcMode',
    anyOf(
      definitionsIn.flatMap((at) => [`${at}.pidMode`, `${at}.ipcMode`]),
      (value) => `${value} == 'host'`,
    ),
  ],
  allowHostPaths: [
    'volumes',
    definitionsIn.map((at) => `${listAt(`${at}.volumes`)}.exists(v, ${isHostPath('v')})`).join(' || '),
  ],
  allowDevices: [
    'linuxParameters.devices',
    `variables.containers.exists(c, ${listAt('linuxParameters.devices', 'c')}.size() > 0)`,
  ],
  allowAddedCapabilities: [
    'linuxParameters.capabilities.add',
    `variables.containers.exists(c, ${listAt('linuxParameters.capabilities.add', 'c')}.size() > 0)`,
  ],
};

const externalSecrets = create('external-secrets.io', 'externalsecrets');

const host: AdmissionPolicy = {
  name: 'longshore-tenancy-host',
  rules: ofGroup(['taskdefinitions', 'batchjobs', 'scheduledtasks']),
  paramKind: 'Cluster',
  conditions: {
    changed: CHANGED,
    // What a schedule runs was judged with the schedule; the operator judges it again when it starts.
    own: "!dyn(object).metadata.?ownerReferences.orValue([]).exists(o, o.kind == 'ScheduledTask')",
  },
  variables: {
    containers: containersIn,
    fetching: `variables.containers.filter(c, ${listAt('secrets', 'c')}.exists(s, !${listAt('spec.mappings.secrets', 'params')}.exists(m, m.valueFrom == s.valueFrom)))`,
  },
  validations: [
    ...Object.entries(ASKED).map(
      ([flag, [field, asks]]): Validation => ({
        expression: `${valueAt(`spec.policy.${flag}`, 'params')} == true || !(${asks})`,
        messageExpression: `variables.what + ': ${field}: ${HOST_ACCESS[flag]} need spec.policy.${flag}: true of Cluster ' + params.metadata.name`,
      }),
    ),
    {
      expression: `${listAt('spec.mappings.secretStores', 'params')}.size() == 0 || variables.fetching.size() == 0 || ${may(externalSecrets)}`,
      messageExpression: lacking(
        "'secrets'",
        textAt('name', 'variables.fetching[0]'),
        externalSecrets,
        'is a container whose secrets a store would be asked for',
      ),
    },
  ],
};

/** A family that others follow: who changes it decides what runs under what they gave their tasks. */
interface Follower {
  readonly kind: string;
  /** Where, in the follower, its input is. */
  readonly input: string;
  /** Fields of that whose values the tasks of the family get. */
  readonly given: Readonly<Record<string, (name: string) => Permission>>;
  /** CEL: whether what the family becomes still matters to it. */
  readonly still: string;
}

function followed(name: string, { kind, input, given, still }: Follower): AdmissionPolicy {
  return {
    name: `longshore-tenancy-followed-by-${name}`,
    rules: ofGroup(['taskdefinitions']),
    paramKind: kind,
    conditions: { changed: CHANGED },
    variables: {
      family: `${textAt('spec.family')} == '' ? ${textAt('metadata.name')} : ${textAt('spec.family')}`,
      reference: textAt(`${input}.taskDefinition`, 'params'),
      follows: `variables.reference.substring(variables.reference.lastIndexOf('/') + 1) == variables.family && (${still})`,
    },
    validations: Object.entries(given).map(([field, permission]): Validation => {
      const value = textAt(`${input}.${field}`, 'params');
      const needed = permission(value);
      return {
        expression: `!variables.follows || ${value} == '' || ${may(needed)}`,
        messageExpression: sentence(
          "'spec.family'",
          'variables.family',
          `'is followed by ${kind} ' + params.metadata.name + ', whose ${input}.${field} is "' + ${value} + '": user "' + request.userInfo.username + '" needs ' + ${inWords(needed)}`,
        ),
      };
    }),
  };
}

const account = (name: string): Permission => use('serviceaccounts', name, '');
const role = (name: string): Permission => use('roles', name);

/** What only the operator writes: pods and revisions that it takes for its own. */
const objects: AdmissionPolicy = {
  name: 'longshore-tenancy-objects',
  rules: [
    { group: '', version: 'v1', resources: ['pods'] },
    { group: 'apps', version: 'v1', resources: ['controllerrevisions'] },
  ],
  labels: { [LABELS.managedBy]: MANAGED_BY },
  conditions: {
    changed:
      'oldObject == null || dyn(object).metadata.?labels.orValue({}) != dyn(oldObject).metadata.?labels.orValue({}) || ' +
      'dyn(object).?data.orValue(null) != dyn(oldObject).?data.orValue(null) || ' +
      'dyn(object).metadata.?ownerReferences.orValue([]).exists(o, !(o in dyn(oldObject).metadata.?ownerReferences.orValue([])))',
  },
  variables: {},
  validations: [
    { group: GROUP, resource: 'services', subresource: 'status', verb: 'patch' } satisfies Permission,
    use('serviceaccounts', undefined, ''),
  ].map((permission) => ({
    expression: may(permission),
    messageExpression: sentence(
      `'metadata.labels["${LABELS.managedBy}"]'`,
      `'${MANAGED_BY}'`,
      `'is for what the operator makes: user "' + request.userInfo.username + '" needs ' + ${inWords(permission)}`,
    ),
  })),
};

export const POLICIES: readonly AdmissionPolicy[] = [
  workloads,
  traffic,
  clusters,
  host,
  followed('services', {
    kind: 'Service',
    input: 'spec',
    given: { 'kubernetes.serviceAccountName': account },
    still: 'true',
  }),
  followed('tasks', {
    kind: 'Task',
    input: 'spec',
    given: { 'kubernetes.serviceAccountName': account, 'overrides.taskRoleArn': role },
    still: `${textAt('status.taskDefinition', 'params')} == ''`,
  }),
  followed('batchjobs', {
    kind: 'BatchJob',
    input: 'spec',
    given: { 'kubernetes.serviceAccountName': account },
    still: `!(${textAt('status.status', 'params')} in ['SUCCEEDED', 'FAILED'])`,
  }),
  followed('schedules', {
    kind: 'ScheduledTask',
    input: 'spec.target.runTask',
    given: { 'kubernetes.serviceAccountName': account, 'overrides.taskRoleArn': role },
    still: 'true',
  }),
  followed('scheduled-jobs', {
    kind: 'ScheduledTask',
    input: 'spec.target.submitJob',
    given: { 'kubernetes.serviceAccountName': account },
    still: 'true',
  }),
  objects,
];

/** What lets the operator itself make runs of schedules, and pods and revisions of its own. */
export const OPERATOR_RULES = [
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['use'] },
  { apiGroups: [GROUP], resources: ['roles', 'scheduledtasks', 'targetgroups', 'taskdefinitions'], verbs: ['use'] },
];

/** Fields of the schemas that the policies look at: a list is `[]`. */
export const SEEN: readonly string[] = [
  ...ACCOUNTS,
  ...ROLES,
  ...DEFINITIONS,
  'spec.loadBalancers[0].targetGroupArn',
  'spec.mappings.roles[0].serviceAccountName',
  ...definitionsIn.flatMap((at) =>
    ['networkMode', 'pidMode', 'ipcMode', 'volumes[].host.sourcePath'].map((field) => `${at}.${field}`),
  ),
  ...CONTAINERS.flatMap((at) => [
    `${at}.privileged`,
    `${at}.linuxParameters.devices`,
    `${at}.linuxParameters.capabilities.add`,
  ]),
].map((path) => path.replaceAll('[0]', '[]'));
