/** What the stores keep of the objects that Longshore watches: parsed once where they enter, trusted afterwards. */
import { isDeepStrictEqual } from 'node:util';
import { ANNOTATIONS, LABELS, type Resource } from '../api/meta.ts';
import { InvalidSpecError } from '../api/parse.ts';
import type { AlarmRecord } from '../ecs/deployment-alarms.ts';
import type { DeploymentFailure } from '../ecs/deployment-failure.ts';
import type { Stored } from '../kube/store.ts';
import type { ImageDigests } from '../pod/image-digest.ts';

export interface CustomRecord<Spec, Status> extends Stored {
  readonly generation: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly deleting: boolean;
  /** UID of the controlling object; empty where there is none. */
  readonly owner: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Absent where what the user wrote breaks a rule; `problem` then says which. */
  readonly spec?: Spec;
  readonly problem?: string;
  /** As the API server has it. */
  readonly given: unknown;
  readonly status: Partial<Status>;
}

/** The projector of a kind. The API server has checked most already; what it cannot check becomes `problem`. */
export function recordOf<Spec, Status>(parse: (raw: unknown) => Spec): (raw: Resource) => CustomRecord<Spec, Status> {
  return (raw) => {
    const { metadata } = raw;
    const common = {
      uid: metadata.uid ?? '',
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      resourceVersion: metadata.resourceVersion ?? '',
      generation: metadata.generation ?? 0,
      createdAt: Date.parse(metadata.creationTimestamp ?? ''),
      deleting: metadata.deletionTimestamp !== undefined,
      owner: metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? '',
      annotations: metadata.annotations ?? {},
      given: raw.spec,
      status: (raw.status ?? {}) as Partial<Status>,
    };
    try {
      return { ...common, spec: parse(raw.spec) };
    } catch (error) {
      if (error instanceof InvalidSpecError) return { ...common, problem: error.message };
      throw error;
    }
  };
}

/** A ControllerRevision: a registered task definition revision, or a deployment of a service. */
export interface RevisionRecord extends Stored {
  /** UID of the Service for a deployment; task definition revisions have no owner, so that they outlive the object. */
  readonly owner: string;
  /** AWS family of a task definition revision; empty for a deployment. */
  readonly family: string;
  readonly number: number;
  readonly createdAt: number;
  readonly completed: boolean;
  /** Of a deployment that was given up. */
  readonly failed?: Verdict;
  /** Number of the failed deployment that this one took the place of again, once that rollout was over. */
  readonly restoredAfter?: number;
  /** The images of a deployment by digest; empty where it goes on by tag. */
  readonly digests?: ImageDigests;
  /** What was seen of the alarms of a deployment. */
  readonly alarms?: AlarmRecord;
  /** Value of the service's rollback annotation that was there when the deployment was made, or was acted on since. */
  readonly rollbackSettled?: string;
  /** Epoch milliseconds; of a task definition revision that is INACTIVE. */
  readonly deregisteredAt?: number;
  /** What the definition's deregister annotation said when this revision was registered: it does not mean this one. */
  readonly registeredUnder?: string;
  readonly data: unknown;
}

export interface ControllerRevisionJson {
  readonly metadata: Resource['metadata'];
  readonly revision: number;
  readonly data?: unknown;
}

/** That a deployment has failed, finally. */
export interface Verdict extends Partial<DeploymentFailure> {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Number of the deployment that takes its place again; absent where there is none, or none is wanted. */
  readonly rollbackTo?: number;
}

/** On a deployment's ControllerRevision, once its rollout has COMPLETED: it is what a rollback goes back to. */
export const ROLLOUT_STATE = 'longshore.dev/rollout-state';
/** On a deployment's ControllerRevision: the `Verdict`, as JSON; one without a kind is the circuit breaker's. */
export const FAILED = 'longshore.dev/failed';
/** On a deployment's ControllerRevision: `restoredAfter`. */
export const RESTORED_AFTER = 'longshore.dev/restored-after';

/** On a deployment's ControllerRevision: the `AlarmRecord`, as JSON. */
export const ALARMS = 'longshore.dev/alarms';

/** On a deployment's ControllerRevision: its `ImageDigests`, as JSON. */
export const IMAGE_DIGESTS = 'longshore.dev/image-digests';

export function revisionRecord({ metadata, revision, data }: ControllerRevisionJson): RevisionRecord {
  const isDeployment = metadata.labels?.[LABELS.deployment] !== undefined;
  const deregisteredAt = metadata.annotations?.[ANNOTATIONS.deregisteredAt];
  const registeredUnder = metadata.annotations?.[ANNOTATIONS.deregister];
  const failed = metadata.annotations?.[FAILED];
  const restoredAfter = metadata.annotations?.[RESTORED_AFTER];
  const alarms = metadata.annotations?.[ALARMS];
  const digests = metadata.annotations?.[IMAGE_DIGESTS];
  const rollbackSettled = metadata.annotations?.[ANNOTATIONS.rollback];
  return {
    uid: metadata.uid ?? '',
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    resourceVersion: metadata.resourceVersion ?? '',
    owner: metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? '',
    family: isDeployment ? '' : (metadata.annotations?.[ANNOTATIONS.family] ?? ''),
    number: revision,
    createdAt: Date.parse(metadata.creationTimestamp ?? ''),
    completed: metadata.annotations?.[ROLLOUT_STATE] === 'COMPLETED',
    ...(failed !== undefined && { failed: JSON.parse(failed) as Verdict }),
    ...(restoredAfter !== undefined && { restoredAfter: Number(restoredAfter) }),
    ...(digests !== undefined && { digests: JSON.parse(digests) as ImageDigests }),
    ...(alarms !== undefined && { alarms: JSON.parse(alarms) as AlarmRecord }),
    ...(rollbackSettled !== undefined && { rollbackSettled }),
    ...(deregisteredAt !== undefined && { deregisteredAt: Date.parse(deregisteredAt) }),
    ...(registeredUnder !== undefined && { registeredUnder }),
    data,
  };
}

export const sameContent = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);

export const keyOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;

export function splitKey(key: string): [namespace: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
