/** What a queue that isolates its jobs has in its namespace, before the first of them starts: an account, and a closed network. */
import { isDeepStrictEqual } from 'node:util';
import { LABELS, MANAGED_BY } from '../../api/meta.ts';
import { isAlreadyExists, isForbidden, isNotFound } from '../../kube/errors.ts';
import {
  apiVersion,
  type KubeObject,
  networkPolicies,
  type Resource,
  resourceName,
  serviceAccounts,
} from '../../kube/resource.ts';
import type { WriteBarrier } from '../../kube/write-barrier.ts';
import { isolationName, jobQueueLabel } from '../../pod/isolation.ts';
import type { OnDemandCache } from '../optional-cache.ts';
import type { Runtime } from '../runtime.ts';
import { ownerReference } from '../tasks.ts';
import type { Keeper, KeptRecord } from '../traffic/kept-objects.ts';
import { accountRecord, policyRecord } from './isolation-caches.ts';

/** Why no job of the queue may start. */
export interface IsolationProblem {
  readonly message: string;
  /** Nothing is wrong: the queue is looked at again once the caches are there. */
  readonly waiting?: true;
  /** When to look again, where no watch tells. */
  readonly retryAfterMs?: number;
}

/** What somebody else refuses or holds is tried again this often. */
const RETRY_MS = 10_000;

interface Wanted<Json extends KubeObject> {
  readonly resource: Resource;
  readonly cache: OnDemandCache<KeptRecord, Json>;
  readonly known: KeptRecord | undefined;
  readonly barrier: WriteBarrier;
  readonly record: (json: Json) => KeptRecord;
  /** The fields that are the queue's. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly isAsWanted: (record: KeptRecord) => boolean;
}

/**
 * Makes the queue's ServiceAccount, which gives no token, and its NetworkPolicy, which lets nothing in and nothing out; mends
 * them where somebody changed or deleted them. Call it before each look at what may start: it costs a look at two caches.
 * @returns undefined where both are as they must be; no job may start before.
 */
export async function ensureIsolation(runtime: Runtime, queue: Keeper): Promise<IsolationProblem | undefined> {
  const { isolation, stores, barriers } = runtime;
  const name = isolationName(queue.name);
  const account = { automountServiceAccountToken: false };
  const policy = {
    podSelector: { matchLabels: { [LABELS.jobQueue]: jobQueueLabel(queue.name) } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [],
    egress: [],
  };
  return (
    (await ensure(runtime, queue, name, {
      resource: serviceAccounts,
      cache: isolation.serviceAccounts,
      known: stores.serviceAccounts.get(queue.namespace, name),
      barrier: barriers.serviceAccounts,
      record: accountRecord,
      fields: account,
      isAsWanted: ({ spec }) => isDeepStrictEqual(spec, account),
    })) ??
    (await ensure(runtime, queue, name, {
      resource: networkPolicies,
      cache: isolation.networkPolicies,
      known: stores.networkPolicies.get(queue.namespace, name),
      barrier: barriers.networkPolicies,
      record: policyRecord,
      fields: { spec: policy },
      // Nothing more either: whatever is added to a policy opens it, or selects less.
      isAsWanted: ({ spec }) => isDeepStrictEqual(spec, policy),
    }))
  );
}

async function ensure<Json extends KubeObject>(
  { client }: Runtime,
  queue: Keeper,
  name: string,
  { resource, cache, known, barrier, record, fields, isAsWanted }: Wanted<Json>,
): Promise<IsolationProblem | undefined> {
  const { namespace, uid } = queue;
  const kind = resourceName(resource);
  const sight = cache.look(uid);
  if (sight === 'unknown') return { message: `the ${kind} of the namespace are not known yet`, waiting: true };
  if (sight !== 'seen') return { message: cache.reflector.problem?.message ?? `${kind} may not be watched` };

  /** @param labels where it has lost the one by which the cache finds it. */
  const mend = async (
    found: KeptRecord,
    labels?: Readonly<Record<string, string>>,
  ): Promise<IsolationProblem | undefined> => {
    if (found.owner !== uid)
      return problem(`${resource.kind} "${name}" exists and does not belong to this JobQueue: delete or rename it`);
    if (found.deleting) return problem(`${resource.kind} "${name}" is being deleted`);
    if (labels === undefined && isAsWanted(found)) return undefined;
    const change = [
      { op: 'test', path: '/metadata/uid', value: found.uid },
      ...(labels === undefined
        ? []
        : [{ op: 'add', path: '/metadata/labels', value: { ...labels, [LABELS.managedBy]: MANAGED_BY } }]),
      ...Object.entries(fields).map(([field, value]) => ({ op: 'add', path: `/${field}`, value })),
    ];
    const written = await client.patch<KubeObject>(resource, { namespace, name }, change, 'json');
    barrier.note(uid, written.metadata.resourceVersion);
    return undefined;
  };
  try {
    // What was written last, or read, is as it must be; the cache has yet to show it.
    if (barrier.pending(uid) !== undefined) return undefined;
    if (known !== undefined) return await mend(known);
    const created = await client
      .create<KubeObject>(
        resource,
        { namespace },
        {
          apiVersion: apiVersion(resource),
          kind: resource.kind,
          metadata: {
            name,
            namespace,
            labels: { [LABELS.managedBy]: MANAGED_BY },
            ownerReferences: [ownerReference(queue.kind, queue)],
          },
          ...fields,
        },
      )
      .catch((error: unknown) => {
        if (isAlreadyExists(error)) return undefined;
        throw error;
      });
    if (created === undefined) {
      const found = await client.get<Json>(resource, { namespace, name });
      const { labels = {}, resourceVersion } = found.metadata;
      const isLabelled = labels[LABELS.managedBy] === MANAGED_BY;
      const trouble = await mend(record(found), isLabelled ? undefined : labels);
      // Another look at the same queue may have made it a moment ago.
      if (trouble === undefined) barrier.note(uid, resourceVersion);
      return trouble;
    }
    barrier.note(uid, created.metadata.resourceVersion);
    return undefined;
  } catch (error) {
    if (isForbidden(error)) return problem(`${kind} may not be written: ${error.message}`);
    if (isNotFound(error)) return problem(`${resource.kind} "${name}" has just been deleted`);
    throw error;
  }
}

const problem = (message: string): IsolationProblem => ({ message, retryAfterMs: RETRY_MS });
