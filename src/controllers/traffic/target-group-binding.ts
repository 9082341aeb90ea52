/** Registers the tasks of a service in target groups of AWS, where the AWS Load Balancer Controller is there to do it. */
import { services } from '../../api/meta.ts';
import { ApiError } from '../../kube/errors.ts';
import { resourceName, targetGroupBindings } from '../../kube/resource.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import {
  type BoundRegistration,
  bindingService,
  isBound,
  targetGroupBinding,
} from '../../traffic/target-group-binding.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Sight } from '../optional-cache.ts';
import { keyOf } from '../records.ts';
import type { Runtime, ServiceRecord } from '../runtime.ts';
import type { ServiceDeployment } from '../service-deployments.ts';
import type { Trouble } from '../service-revision.ts';
import { registrationsOf } from '../service-template.ts';
import { isOfBinding, keepCoreServices } from './core-services.ts';
import { keepEndpointSlices } from './endpoint-slices.ts';
import { type Keeper, type KeptRecord, keepObjects } from './kept-objects.ts';

export interface Bound {
  /** Why no task may start: without its binding it would be a target of nothing. */
  readonly trouble?: Trouble;
  /** As `trouble`, but for a moment only: nothing to be told of what runs. */
  readonly waiting?: Trouble;
  /** The write that failed, if any: it must not keep tasks from their end. */
  readonly failure?: unknown;
  /** When to look again, where no watch tells. */
  readonly retryAfterMs?: number;
}

/** What somebody else refuses or holds is tried again this often. */
const RETRY_MS = 10_000;
/** What is not known yet is asked for again after this long. */
const UNKNOWN_MS = 500;

/**
 * Makes the core Services and bindings that the service's tasks need: before the first of them starts, since the controller
 * looks at a pod when its binding is there. What is not needed any more goes with the last task behind it, and not before
 * the deployment is over: the one that it replaces may have to start another task.
 */
export async function keepBindings(
  runtime: Runtime,
  service: ServiceRecord,
  cluster: ClusterView,
  deployments: readonly ServiceDeployment[],
  tasks: readonly ObservedTask[],
): Promise<Bound> {
  const { stores, bindings } = runtime;
  const { uid, namespace } = service;
  const wanted = wantedOf(runtime, service, cluster, deployments, tasks);
  const known = stores.coreServices.by('owner', uid).filter(isOfBinding);
  if (wanted.length === 0 && known.length === 0) return {};
  const sight = bindings.look(keyOf(service));
  if (wanted[0] !== undefined && sight !== 'seen')
    return notSeen(sight, wanted[0], bindings.reflector.problem?.message);
  if (sight === 'unknown' || sight === 'forbidden') return {};
  try {
    const problem = await keepObjectsOf(runtime, service, wanted, deployments[0]?.completed === true, tasks);
    for (const { name } of known) await keepEndpointSlices(runtime, { kind: services, ...service }, name);
    const going = wanted.find(({ service: name }) => stores.bindings.get(namespace, name)?.deleting);
    const message = going === undefined ? problem : `TargetGroupBinding "${going.service}" is being deleted`;
    return message === undefined ? {} : { trouble: notBound(message), retryAfterMs: RETRY_MS };
  } catch (error) {
    // An admission webhook's no is the controller's: of the ARN, most likely.
    const message = error instanceof ApiError ? error.message : 'the API server did not answer';
    return { trouble: notBound(message), failure: error };
  }
}

const notBound = (message: string): Trouble => ({ reason: 'TargetGroupNotBound', message, stalled: false });

/** Of the newest deployment, and of those that still have tasks while it is not over. */
function wantedOf(
  runtime: Runtime,
  service: ServiceRecord,
  cluster: ClusterView,
  [newest, ...older]: readonly ServiceDeployment[],
  tasks: readonly ObservedTask[],
): BoundRegistration[] {
  if (newest === undefined) return [];
  const going = newest.completed ? [] : older.filter(({ id }) => tasks.some(({ deployment }) => deployment === id));
  const all = [newest, ...going]
    .flatMap((deployment) => registrationsOf(runtime, service, deployment, cluster.spec))
    .filter(isBound);
  return all.filter(({ service: name }, index) => all.findIndex((one) => one.service === name) === index);
}

/** @returns what is in the way. */
async function keepObjectsOf(
  runtime: Runtime,
  service: ServiceRecord,
  wanted: readonly BoundRegistration[],
  completed: boolean,
  tasks: readonly ObservedTask[],
): Promise<string | undefined> {
  const { stores, barriers } = runtime;
  const keeper: Keeper = { kind: services, ...service };
  const inUse = new Set(tasks.flatMap(({ targetGates = [] }) => targetGates.map(({ service: name }) => name)));
  const isOver = ({ name }: KeptRecord): boolean => completed && !inUse.has(name);
  const problem = await keepCoreServices(
    runtime,
    keeper,
    wanted.map((one) => ({ name: one.service, spec: bindingService(one) })),
    // A binding without its Service would be an error to the controller.
    (record) =>
      isOfBinding(record) && isOver(record) && stores.bindings.get(service.namespace, record.name) === undefined,
  );
  if (problem !== undefined) return problem;
  return keepObjects(
    runtime,
    { resource: targetGroupBindings, store: stores.bindings, barrier: barriers.bindings, isKept: isOver },
    keeper,
    wanted.map((one) => ({ name: one.service, spec: targetGroupBinding(one) })),
  );
}

/** Nothing is made where nobody is known to look at it. */
function notSeen(
  sight: Exclude<Sight, 'seen'>,
  { field, targetGroup: { arn } }: BoundRegistration,
  problem: string | undefined,
): Bound {
  const kind = resourceName(targetGroupBindings);
  const why = {
    absent: `the API server has no ${kind}: install the AWS Load Balancer Controller, or take the ARN out of policy.targetGroupArns of the namespace's Cluster, so that it means a TargetGroup of the namespace`,
    forbidden: problem ?? `${kind} may not be watched`,
    unknown: `whether the API server has ${kind} is not known yet`,
  }[sight];
  const message = `${field}.targetGroupArn: "${arn}": ${why}`;
  const trouble = { reason: 'LoadBalancerControllerMissing', message, stalled: false };
  // Of a kind that is not there no watch tells anything, but that it has come.
  return sight === 'unknown' ? { waiting: trouble, retryAfterMs: UNKNOWN_MS } : { trouble, retryAfterMs: RETRY_MS };
}
