/** Pieces of ValidatingAdmissionPolicies: what a field says, who may use it, and the sentence that refuses it. */
import { GROUP } from '../../src/api/meta.ts';

/** One rule: what must hold, and what is said where it does not. Both are CEL. */
export interface Validation {
  readonly expression: string;
  readonly messageExpression: string;
}

export interface AdmissionPolicy {
  readonly name: string;
  /** Group, plurals and operations that it sees. */
  readonly rules: readonly {
    readonly group: string;
    readonly version: string;
    readonly resources: readonly string[];
    readonly operations?: readonly string[];
  }[];
  /** Only objects with these labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Kind of which each object of the namespace is a `params`. */
  readonly paramKind?: string;
  readonly conditions: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
  readonly validations: readonly Validation[];
}

/** `spec.a.b[0].c` of the object as CEL: null where any part is absent. */
export const valueAt = (path: string, of = 'object'): string => {
  const steps = path
    .split('.')
    .map((step) => `.?${step.replaceAll(/\[(\d+)\]/g, '[?$1]')}`)
    .join('');
  return `dyn(${of})${steps}.orValue(null)`;
};

/** A list of `{field, value}` of those paths that have a value. */
export const valuesAt = (paths: readonly string[]): string => {
  const entries = paths.map((path) => `{'field': dyn('${path}'), 'value': ${valueAt(path)}}`);
  return `[${entries.join(', ')}].filter(e, e.value != null && e.value != '')`;
};

/** A list: empty where the field is absent. */
export const listAt = (path: string, of = 'object'): string => {
  const value = valueAt(path, of);
  return `(${value} == null ? dyn([]) : ${value})`;
};

/** A text: empty where the field is absent. */
export const textAt = (path: string, of = 'object'): string => {
  const value = valueAt(path, of);
  return `(${value} == null ? '' : string(${value}))`;
};

export interface Permission {
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
  /** CEL of the name; absent: all of them. */
  readonly name?: string;
}

/** Whether the user has it in the namespace of the request. */
export const may = ({ group, resource, subresource, verb, name }: Permission): string =>
  [
    `authorizer.group('${group}').resource('${resource}')`,
    ...(subresource === undefined ? [] : [`.subresource('${subresource}')`]),
    '.namespace(request.namespace)',
    ...(name === undefined ? [] : [`.name(${name})`]),
    `.check('${verb}').allowed()`,
  ].join('');

/** The words for it, as CEL: `the verb use on serviceaccounts "web" in namespace "shop"`. */
export const inWords = ({ group, resource, subresource, verb, name }: Permission): string => {
  const full = `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  const named = name === undefined ? '' : ` "' + string(${name}) + '"`;
  return `'the verb ${verb} on ${full}${named} in namespace "' + request.namespace + '"'`;
};

/** `<Kind> <name>: <field>: "<value>" …`, as CEL. */
export const sentence = (field: string, value: string, rest: string): string =>
  `variables.what + ': ' + ${field} + ': "' + string(${value}) + '" ' + ${rest}`;

/** That the user lacks a right that a field takes. */
export const lacking = (field: string, value: string, needed: Permission, because: string): string =>
  sentence(field, value, `'${because}: user "' + request.userInfo.username + '" needs ' + ${inWords(needed)}`);

/** For messages: what the request is about. */
export const WHAT =
  "dyn(object).kind + ' ' + (dyn(object).metadata.?name.orValue('') != '' ? dyn(object).metadata.name : dyn(object).metadata.?generateName.orValue(''))";

/** Changes that can start or alter tasks: not those of a status, a label or a finalizer. */
export const CHANGED =
  'oldObject == null || dyn(object).spec != dyn(oldObject).spec || ' +
  'dyn(object).metadata.?annotations.orValue({}) != dyn(oldObject).metadata.?annotations.orValue({}) || ' +
  'dyn(object).metadata.?ownerReferences.orValue([]).exists(o, !(o in dyn(oldObject).metadata.?ownerReferences.orValue([])))';

export const ofGroup = (plurals: readonly string[]): AdmissionPolicy['rules'] => [
  { group: GROUP, version: 'v1alpha1', resources: plurals },
];

const label = { 'app.kubernetes.io/name': 'longshore', 'app.kubernetes.io/component': 'tenancy' };

/** The policy and its binding, as they are applied. */
export function manifestsOf(policy: AdmissionPolicy): object[] {
  const { name, rules, labels, paramKind, conditions, variables, validations } = policy;
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const metadata = { name, labels: label };
  const named = (entries: Readonly<Record<string, string>>) =>
    Object.entries(entries).map(([key, expression]) => ({ name: key, expression }));
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        ...(paramKind !== undefined && { paramKind: { apiVersion: `${GROUP}/v1alpha1`, kind: paramKind } }),
        matchConstraints: {
          resourceRules: rules.map(({ group, version, resources, operations = ['CREATE', 'UPDATE'] }) => ({
            apiGroups: [group],
            apiVersions: [version],
            operations,
            resources,
          })),
          ...(labels !== undefined && { objectSelector: { matchLabels: labels } }),
        },
        matchConditions: named(conditions),
        variables: named({ what: WHAT, ...variables }),
        validations: validations.map((validation) => ({ ...validation, reason: 'Forbidden' })),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: {
        policyName: name,
        validationActions: ['Deny'],
        // Where the namespace has no such object there is nothing to compare with: the operator decides.
        ...(paramKind !== undefined && { paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } }),
      },
    },
  ];
}
