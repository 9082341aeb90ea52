/** What users may do with Longshore's kinds, as additions to Kubernetes' own roles view, edit and admin. */
import { GROUP } from '../../src/api/meta.ts';
import { KINDS } from './kinds.ts';
import type { Rule } from './rights.ts';

export type UserRole = 'view' | 'edit' | 'admin';

/** Kinds that say what others may do: for who runs the namespace, and not for all who deploy to it. */
const OF_ADMINS = ['clusters', 'jobqueues'];

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

const kinds = KINDS.map(({ resource }) => resource);
const plurals = kinds.map(({ plural }) => plural);
const namespaced = kinds.filter((kind) => kind.namespaced).map(({ plural }) => plural);
const scaled = KINDS.filter(({ scale }) => scale !== undefined).map(({ resource }) => `${resource.plural}/scale`);
const ofEditors = namespaced.filter((plural) => !OF_ADMINS.includes(plural));
const ofAdmins = namespaced.filter((plural) => OF_ADMINS.includes(plural));
const ofPlatform = plurals.filter((plural) => !namespaced.includes(plural));

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): Rule[] =>
  resources.length === 0 ? [] : [{ apiGroups: [group], resources, verbs }];

export const USER_ROLES: readonly { name: string; to?: UserRole; rules: readonly Rule[] }[] = [
  {
    name: 'longshore-view',
    to: 'view',
    rules: rule(GROUP, [...plurals, ...plurals.map((plural) => `${plural}/status`), ...scaled], READ),
  },
  {
    name: 'longshore-edit',
    to: 'edit',
    rules: [...rule(GROUP, ofEditors, WRITE), ...rule(GROUP, scaled, ['patch', 'update'])],
  },
  // Kubernetes' edit may impersonate every ServiceAccount of the namespace already. Leave this one out to grant by name.
  {
    name: 'longshore-use',
    to: 'edit',
    rules: [
      ...rule('', ['serviceaccounts'], ['use']),
      ...rule(GROUP, ['roles', 'scheduledtasks', 'targetgroups', 'taskdefinitions'], ['use']),
    ],
  },
  { name: 'longshore-admin', to: 'admin', rules: rule(GROUP, ofAdmins, WRITE) },
  {
    name: 'longshore-platform',
    rules: [
      ...rule(GROUP, [...ofAdmins, ...ofPlatform], [...READ, ...WRITE]),
      ...rule(GROUP, ['clusters/policy'], ['grant']),
    ],
  },
];
