/** The registered revisions of task definitions: immutable ControllerRevisions that outlive the object that made them. */
import { isDeepStrictEqual } from 'node:util';
import { ANNOTATIONS, LABELS, MANAGED_BY } from '../api/meta.ts';
import { dnsName, parseTaskDefinitionReference, uniqueDnsName } from '../api/names.ts';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../api/task-definition.ts';
import { controllerRevisions, type KubeObject } from '../kube/resource.ts';
import type { RevisionRecord } from './records.ts';
import type { Runtime, Stores, TaskDefinitionRecord } from './runtime.ts';

export interface TaskRevision {
  readonly family: string;
  readonly revision: number;
  readonly definition: TaskDefinitionSpec;
  /** As it was registered. */
  readonly given: unknown;
}

const familyKey = (namespace: string, family: string): string => `${namespace}/${family}`;

export const familyOf = (definition: TaskDefinitionRecord): string =>
  definition.spec?.family ?? givenFamily(definition) ?? definition.name;

/** A definition that breaks a rule still has its family. */
function givenFamily({ given }: TaskDefinitionRecord): string | undefined {
  const family: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, 'family') : undefined;
  return typeof family === 'string' ? family : undefined;
}

/** Newest first. */
export function revisionsOf(stores: Stores, namespace: string, family: string): RevisionRecord[] {
  return [...stores.revisions.by('family', familyKey(namespace, family))].sort((a, b) => b.number - a.number);
}

const parsed = new WeakMap<RevisionRecord, TaskDefinitionSpec>();

export function definitionOf(record: RevisionRecord): TaskDefinitionSpec {
  const known = parsed.get(record);
  if (known !== undefined) return known;
  const definition = parseTaskDefinition(record.data);
  parsed.set(record, definition);
  return definition;
}

/** Whether the object's content is what was registered last. Both are parsed by today's rules, so that a new default is no change. */
export function isRegistered(definition: TaskDefinitionRecord, latest: RevisionRecord | undefined): boolean {
  return (
    latest !== undefined && definition.spec !== undefined && isDeepStrictEqual(definitionOf(latest), definition.spec)
  );
}

const isReady = ({ type, status }: { type: string; status: string }): boolean => type === 'Ready' && status === 'True';

/** The object that speaks for a family: the oldest, where several in a namespace claim it. */
export function holderOf(stores: Stores, namespace: string, family: string): TaskDefinitionRecord | undefined {
  const claims = stores.taskDefinitions.by('family', familyKey(namespace, family)).filter(({ deleting }) => !deleting);
  // Times have whole seconds: of two made in one, the one that has registered keeps it.
  const registered = ({ status }: TaskDefinitionRecord): number => (status.conditions?.some(isReady) ? 0 : 1);
  return [...claims].sort(
    (a, b) => a.createdAt - b.createdAt || registered(a) - registered(b) || (a.uid < b.uid ? -1 : 1),
  )[0];
}

/** Registers the next revision; its name is the lock that keeps numbers from being given twice. */
export async function registerRevision(
  runtime: Runtime,
  definition: TaskDefinitionRecord,
  family: string,
  revision: number,
): Promise<RevisionRecord> {
  const { namespace } = definition;
  const created = await runtime.client.create<KubeObject>(
    controllerRevisions,
    { namespace },
    {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `taskdefinition-${uniqueDnsName(family, 200)}-${revision}`,
        namespace,
        labels: {
          [LABELS.managedBy]: MANAGED_BY,
          [LABELS.family]: dnsName(family),
          [LABELS.revision]: String(revision),
        },
        annotations: { [ANNOTATIONS.family]: family },
      },
      revision,
      data: definition.given,
    },
  );
  runtime.barriers.revisions.note(familyKey(namespace, family), created.metadata.resourceVersion);
  return {
    uid: created.metadata.uid,
    namespace,
    name: created.metadata.name,
    resourceVersion: created.metadata.resourceVersion,
    owner: '',
    family,
    number: revision,
    createdAt: Date.parse(created.metadata.creationTimestamp),
    completed: false,
    data: definition.given,
  };
}

export type Resolution = TaskRevision | { readonly waiting: string };

/** What a `taskDefinition` field means now: the pinned revision, or the newest one of the family. */
export function resolveTaskDefinition(stores: Stores, namespace: string, reference: string): Resolution {
  const parsedReference = parseTaskDefinitionReference(reference);
  if ('error' in parsedReference) return { waiting: parsedReference.error };
  const { family, revision } = parsedReference;
  const registered = revisionsOf(stores, namespace, family);
  const record = revision === undefined ? registered[0] : registered.find(({ number }) => number === revision);
  const holder = holderOf(stores, namespace, family);
  if (revision === undefined) {
    if (holder === undefined)
      return { waiting: `no TaskDefinition of family "${family}" exists in namespace "${namespace}"` };
    if (holder.problem !== undefined)
      return { waiting: `TaskDefinition ${holder.name} is not valid: ${holder.problem}` };
    // Following the family means its present content: a change that is not registered yet is waited for.
    if (!isRegistered(holder, record)) return { waiting: `TaskDefinition ${holder.name} is being registered` };
  }
  if (record === undefined) {
    const known = registered.map(({ number }) => number).join(', ') || 'none';
    return {
      waiting: `task definition ${family}:${revision} is not registered in namespace "${namespace}" (registered: ${known})`,
    };
  }
  return { family, revision: record.number, definition: definitionOf(record), given: record.data };
}
