/** The registered revisions of task definitions: immutable ControllerRevisions that outlive the object that made them. */
import { isDeepStrictEqual } from 'node:util';
import { ANNOTATIONS, LABELS, MANAGED_BY } from '../api/meta.ts';
import { dnsName, parseTaskDefinitionReference, uniqueDnsName } from '../api/names.ts';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../api/task-definition.ts';
import { type Interval, splitIntervals } from '../batch/intervals.ts';
import { isNotFound } from '../kube/errors.ts';
import { controllerRevisions, type KubeObject } from '../kube/resource.ts';
import { rfc3339 } from './conditions.ts';
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

export const isInactive = ({ deregisteredAt }: RevisionRecord): boolean => deregisteredAt !== undefined;

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
  const under = definition.annotations[ANNOTATIONS.deregister];
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
        annotations: { [ANNOTATIONS.family]: family, ...(under !== undefined && { [ANNOTATIONS.deregister]: under }) },
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
    ...(under !== undefined && { registeredUnder: under }),
    data: definition.given,
  };
}

/**
 * Makes INACTIVE what the deregister annotation names (`ecs-semantics §1.13`). It means the revisions that exist when it
 * is written: one that is registered under it, because a range is wide, stays ACTIVE.
 * @returns the revisions as they are now, and what is wrong with the annotation.
 */
export async function deregister(
  runtime: Runtime,
  definition: TaskDefinitionRecord,
  family: string,
  revisions: readonly RevisionRecord[],
): Promise<{ revisions: RevisionRecord[]; problem?: string }> {
  const text = definition.annotations[ANNOTATIONS.deregister];
  if (text === undefined) return { revisions: [...revisions] };
  const named = `metadata.annotations[${ANNOTATIONS.deregister}]: ${JSON.stringify(text)}`;
  let intervals: Interval[];
  try {
    intervals = splitIntervals(text);
  } catch {
    const problem = `${named} is no list of revisions of ${family}: write numbers and ranges, such as "3,5-7"`;
    return { revisions: [...revisions], problem };
  }
  const meant = revisions.filter(({ registeredUnder }) => registeredUnder !== text);
  const now: RevisionRecord[] = [];
  for (const record of revisions) {
    const asked =
      record.deregisteredAt === undefined &&
      meant.includes(record) &&
      intervals.some(([from, to]) => from <= record.number && record.number <= to);
    now.push(asked ? await markInactive(runtime, record) : record);
  }
  const newest = meant[0]?.number ?? 0;
  const unknown = intervals.find(([from, to]) => to > newest || from < 1);
  if (unknown === undefined) return { revisions: now };
  const [from, to] = unknown;
  const problem = `${named} names ${from === to ? from : `${from}-${to}`}, and ${family} has ${newest === 0 ? 'no revision' : `revisions up to ${newest}`}`;
  return { revisions: now, problem };
}

async function markInactive(runtime: Runtime, record: RevisionRecord): Promise<RevisionRecord> {
  const { namespace, name, uid, family } = record;
  const at = runtime.now();
  const patched = await runtime.client.patch<KubeObject>(
    controllerRevisions,
    { namespace, name },
    { metadata: { uid, annotations: { [ANNOTATIONS.deregisteredAt]: rfc3339(at) } } },
  );
  runtime.barriers.revisions.note(familyKey(namespace, family), patched.metadata.resourceVersion);
  return { ...record, resourceVersion: patched.metadata.resourceVersion, deregisteredAt: at };
}

/** AWS keeps a million revisions. Here each is an object that the operator caches: the newest, and those in use. */
export const KEPT_REVISIONS = 20;

/** Deletes the oldest revisions beyond the history, but none that a Service, BatchJob or Task names or runs. */
export async function pruneRevisions(
  runtime: Runtime,
  namespace: string,
  family: string,
  revisions: readonly RevisionRecord[],
): Promise<void> {
  const over = revisions.slice(KEPT_REVISIONS);
  if (over.length === 0) return;
  const used = revisionsInUse(runtime.stores, namespace, family);
  for (const record of over) {
    if (!used.has(record.number)) await deleteRevision(runtime, record);
  }
}

/** Deletes a ControllerRevision; the cache may not know yet that it is gone. */
export async function deleteRevision(runtime: Runtime, { namespace, name, uid }: RevisionRecord): Promise<void> {
  try {
    await runtime.client.delete(controllerRevisions, { namespace, name }, { preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function revisionsInUse(
  { services, batchJobs, runTasks, revisions, tasks }: Stores,
  namespace: string,
  family: string,
) {
  const used = new Set<number>();
  const note = (reference: string): void => {
    const named = parseTaskDefinitionReference(reference);
    if (!('error' in named) && named.family === family && named.revision !== undefined) used.add(named.revision);
  };
  const key = familyKey(namespace, family);
  for (const { uid, spec } of services.by('family', key)) {
    note(spec?.taskDefinition ?? '');
    for (const { data } of revisions.by('owner', uid)) {
      const deployment = data as { family: string; revision: number };
      if (deployment.family === family) used.add(deployment.revision);
    }
  }
  for (const { uid, spec } of batchJobs.by('family', key)) {
    note(spec?.taskDefinition ?? '');
    for (const { taskDefinition } of tasks.by('owner', uid)) note(taskDefinition);
  }
  for (const { spec, status } of runTasks.by('family', key)) {
    // What has ended needs it no more.
    if (status.lastStatus === 'STOPPED') continue;
    note(spec?.taskDefinition ?? '');
    note(status.taskDefinition ?? '');
  }
  return used;
}

export type Resolution = TaskRevision | { readonly waiting: string };

const resolutionOf = (record: RevisionRecord): TaskRevision => ({
  family: record.family,
  revision: record.number,
  definition: definitionOf(record),
  given: record.data,
});

/**
 * What a `taskDefinition` field means now: the pinned revision, or the newest ACTIVE one of the family. INACTIVE ones
 * start nothing new, but what runs one keeps it, scales and replaces tasks with it (`ecs-semantics §1.13`).
 * @param current what the owner runs now.
 */
export function resolveTaskDefinition(
  stores: Stores,
  namespace: string,
  reference: string,
  current?: { readonly family: string; readonly revision?: number },
): Resolution {
  const parsedReference = parseTaskDefinitionReference(reference);
  if ('error' in parsedReference) return { waiting: parsedReference.error };
  const { family, revision } = parsedReference;
  const registered = revisionsOf(stores, namespace, family);
  const running = current?.family === family ? registered.find(({ number }) => number === current.revision) : undefined;
  if (revision !== undefined) {
    const record = registered.find(({ number }) => number === revision);
    if (record === undefined) {
      const known = registered.map(({ number }) => number).join(', ') || 'none';
      return {
        waiting: `task definition ${family}:${revision} is not registered in namespace "${namespace}" (registered: ${known})`,
      };
    }
    if (isInactive(record) && record !== running) {
      return { waiting: `TaskDefinition is inactive: ${family}:${revision} was deregistered` };
    }
    return resolutionOf(record);
  }
  const holder = holderOf(stores, namespace, family);
  if (holder === undefined)
    return { waiting: `no TaskDefinition of family "${family}" exists in namespace "${namespace}"` };
  if (holder.problem !== undefined) return { waiting: `TaskDefinition ${holder.name} is not valid: ${holder.problem}` };
  // Following the family means its present content: a change that is not registered yet is waited for.
  if (!isRegistered(holder, registered[0])) return { waiting: `TaskDefinition ${holder.name} is being registered` };
  const active = registered.find((record) => !isInactive(record));
  // A deregistration alone never moves a service back.
  if (running !== undefined && isInactive(running) && running.number > (active?.number ?? 0)) {
    return resolutionOf(running);
  }
  if (active === undefined) {
    return {
      waiting: `TaskDefinition is inactive: every revision of ${family} in namespace "${namespace}" was deregistered`,
    };
  }
  return resolutionOf(active);
}
