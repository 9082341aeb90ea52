/** What the operator may do: the one table that its roles, the README and the tests of its requests come from. */
import { GROUP } from '../../src/api/meta.ts';
import { KINDS } from './kinds.ts';

/** Where the rights hold. */
export type Scope =
  /** In all namespaces, or with `--namespace` in that one. */
  | 'watched'
  /** Of things without a namespace: an operator of one namespace does without. */
  | 'cluster'
  /** In the namespace of the lease. */
  | 'lease';

export interface Right {
  readonly scope: Scope;
  /** API group; '' is the core group. */
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly purpose: string;
}

const kinds = KINDS.map(({ resource }) => resource);
const ofScope = (scope: Scope): string[] =>
  kinds.filter(({ namespaced }) => namespaced === (scope === 'watched')).map(({ plural }) => plural);
const own = (scope: Scope): Right[] => {
  const plurals = ofScope(scope);
  const common = { scope, group: GROUP };
  if (plurals.length === 0) return [];
  return [
    { ...common, resources: plurals, verbs: ['list', 'watch'], purpose: 'its own kinds' },
    { ...common, resources: plurals.map((plural) => `${plural}/status`), verbs: ['patch'], purpose: 'their status' },
  ];
};

const watched = (group: string, resources: readonly string[], verbs: readonly string[], purpose: string): Right => ({
  scope: 'watched',
  group,
  resources,
  verbs,
  purpose,
});

export const RIGHTS: readonly Right[] = [
  ...own('watched'),
  ...own('cluster'),
  watched(
    GROUP,
    ['tasks', 'batchjobs'],
    ['get', 'create', 'delete'],
    'runs of ScheduledTasks; delete: `ttlSecondsAfterFinished` of BatchJobs, too',
  ),
  watched(GROUP, ['batchjobs'], ['patch'], '`jobStateTimeLimitActions` of JobQueues: cancelled as users cancel'),
  watched('', ['pods'], ['get', 'list', 'watch', 'create', 'patch', 'delete', 'deletecollection'], 'tasks'),
  watched(
    'apps',
    ['controllerrevisions'],
    ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    'revisions and deployments',
  ),
  watched('', ['configmaps'], ['get', 'create', 'patch'], 'environment files; start barriers; results of array jobs'),
  watched('', ['persistentvolumeclaims'], ['create'], 'shared Docker volumes with `autoprovision`'),
  watched(
    'external-secrets.io',
    ['externalsecrets'],
    ['get', 'create', 'patch'],
    '`mappings.secretStores`; not needed without',
  ),
  watched(
    'elbv2.k8s.aws',
    ['targetgroupbindings'],
    ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    '`policy.targetGroupArns`; not needed without',
  ),
  watched('', ['podtemplates'], ['create'], 'a dry run: which pod fields the API server serves'),
  watched(
    'policy',
    ['poddisruptionbudgets'],
    ['list', 'watch', 'create', 'patch', 'delete'],
    'one a service, of its lower bound; without, none',
  ),
  watched(
    '',
    ['services'],
    ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    'of target groups and names; without, these have no core Service',
  ),
  watched(
    'discovery.k8s.io',
    ['endpointslices'],
    ['list', 'watch', 'create', 'patch', 'delete'],
    'of target groups and names whose tasks have containers that may end alone',
  ),
  watched(
    'gateway.networking.k8s.io',
    ['httproutes'],
    ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    '`routes` of TargetGroups; not needed without',
  ),
  watched(
    'networking.k8s.io',
    ['ingresses'],
    ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    '`routes` of TargetGroups; not needed without',
  ),
  watched('gateway.networking.k8s.io', ['gateways'], ['list', 'watch'], 'what `routes` hang on'),
  {
    scope: 'cluster',
    group: 'networking.k8s.io',
    resources: ['ingressclasses'],
    verbs: ['list', 'watch'],
    purpose: 'what `routes` hang on; with `--namespace` no IngressClass is seen',
  },
  {
    scope: 'cluster',
    group: '',
    resources: ['nodes'],
    verbs: ['list', 'watch'],
    purpose: 'draining, tasks on lost nodes, DAEMON; without, and with `--namespace`, none',
  },
  ...[
    { group: '', resources: ['serviceaccounts'] },
    { group: 'networking.k8s.io', resources: ['networkpolicies'] },
  ].map(({ group, resources }) =>
    watched(
      group,
      resources,
      ['get', 'list', 'watch', 'create', 'patch'],
      '`kubernetes.isolation` of JobQueues; not needed without; where it is missing, such a queue is INVALID and its jobs wait',
    ),
  ),
  watched('events.k8s.io', ['events'], ['list', 'create', 'patch'], 'events; list: why volumes do not mount'),
  {
    scope: 'lease',
    group: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get', 'watch', 'create', 'update'],
    purpose: 'leader election, in the namespace of the lease',
  },
];

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** As a Role or ClusterRole has them. */
export const rulesOf = (rights: readonly Right[]): Rule[] =>
  rights.map(({ group, resources, verbs }) => ({ apiGroups: [group], resources, verbs }));
