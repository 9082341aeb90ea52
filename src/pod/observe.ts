/** Pod → task: the flat record that stores keep and plans read. Everything else of the pod is dropped. */
import type { V1Affinity } from '@kubernetes/client-node';
import { ANNOTATIONS, LABELS } from '../api/meta.ts';
import { neverStarted } from '../ecs/dependencies.ts';
import {
  type Container,
  type ContainerTraits,
  type Disruption,
  type DisruptionKind,
  OUTLIVED,
  type StopCode,
  type Task,
} from '../ecs/task.ts';
import { targetOf } from './daemon.ts';
import type { RunningImages } from './image-digest.ts';
import { type ContainerStatusJson, observeContainer, time } from './observe-container.ts';
import { targetGatesOf } from './observe-gates.ts';
import { hostPortsOf, type TrafficMembership, trafficOf } from './observe-traffic.ts';
import { claimOf, type QueueClaim } from './queue-claim.ts';
import { SharedValues } from './shared-values.ts';
import { RECORDED_GATE, TRACKED } from './stamp.ts';
import type { StartBarriers } from './start-barrier.ts';
import { zoneOf } from './zone.ts';

interface ContainerJson {
  readonly name: string;
  readonly image?: string;
  readonly ports?: readonly { readonly hostPort?: number; readonly protocol?: string }[];
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
}

/** The part of a pod's JSON that is read. */
export interface PodJson {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly uid: string; readonly controller?: boolean }[];
    readonly finalizers?: readonly string[];
  };
  readonly spec?: {
    readonly nodeName?: string;
    readonly activeDeadlineSeconds?: number;
    readonly affinity?: V1Affinity;
    readonly schedulingGates?: readonly { readonly name: string }[];
    readonly readinessGates?: readonly { readonly conditionType: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly image?: string }[];
    readonly containers?: readonly ContainerJson[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly startTime?: string;
    readonly nominatedNodeName?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly initContainerStatuses?: readonly ContainerStatusJson[];
    readonly containerStatuses?: readonly ContainerStatusJson[];
  };
}

/** A task of any owner; service tasks have a deployment and a seat, Batch attempts a number and perhaps an index. */
export interface ObservedTask extends Task {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** UID of the controller that owns the pod. */
  readonly owner: string;
  /** AWS `family:revision`; empty for a Batch job with its own container properties. */
  readonly taskDefinition: string;
  readonly deployment: string;
  /** {@link ANNOTATIONS.placement} */
  readonly placement?: string;
  /** Of a DAEMON service's: the only node that it may run on. */
  readonly target?: string;
  readonly slot: number;
  readonly generation: number;
  readonly index?: number;
  readonly attempt: number;
  /** What it takes of a compute environment until it has ended. */
  readonly claim?: QueueClaim;
  /** The kubelet has seen the pod, so that a deadline can end it. */
  readonly acknowledged: boolean;
  /** Id of the task in a fuller zone that it stands in for. */
  readonly standsInFor?: string;
  readonly standInZone?: string;
  /** Its node has not got its volumes and its network yet, and has tried since then: epoch milliseconds. */
  readonly mountingSince?: number;
  readonly startBarriers?: StartBarriers;
  /** Core Services behind which it stands now. */
  readonly traffic?: readonly TrafficMembership[];
  /** Its addresses, where Longshore writes the endpoints of one of these. */
  readonly addresses?: readonly string[];
  /** Milliseconds that its containers wait before their SIGTERM. */
  readonly pauseMs?: number;
  /** It has been told to end, by a deadline or by deletion. */
  readonly terminating?: true;
  /** {@link RECORDED_GATE} keeps it from the nodes. */
  readonly gated?: true;
  /** Scheduling gates that are not Longshore's; kept of a gated pod only. */
  readonly otherGates?: readonly string[];
  /** {@link TRACKED} keeps it when it is deleted. */
  readonly tracked?: true;
  /** Ports of the node that it takes, as `TCP/80`. */
  readonly hostPorts?: readonly string[];
  /** Absent before any of them was pulled. */
  readonly images?: RunningImages;
  /** The pod is deleted; it is there until its node confirms that. */
  readonly deleting: boolean;
  /** The reason why it stopped is written on the pod. */
  readonly stopRecorded: boolean;
}

const sharedTraits = new SharedValues<Readonly<Record<string, ContainerTraits>>>();

/** Tasks of one revision share the text, so that it is parsed once and kept once. */
const traitsOf = (text: string): Readonly<Record<string, ContainerTraits>> =>
  sharedTraits.get(text, () => JSON.parse(text) as Readonly<Record<string, ContainerTraits>>);

/** @param previous what was observed before at its place, if anything. */
export function observePod(pod: PodJson, previous?: ObservedTask): ObservedTask {
  const { metadata, spec, status } = pod;
  const labels = metadata.labels ?? {};
  const annotations = metadata.annotations ?? {};
  const traits = traitsOf(annotations[ANNOTATIONS.containers] ?? '{}');
  const phase = status?.phase;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const stopCode = annotations[ANNOTATIONS.stopCode] as StopCode | undefined;
  // The kubelet says so before the pod's phase, which it writes once no container runs, and with it a reason of its own. To
  // ask for a stop in between would end the pod as Failed, beyond its deadline, whatever its exit codes and that reason.
  const atNodesEnd = ready?.reason === 'PodCompleted' || ready?.reason === 'PodFailed';
  const phaseIsLast = phase === 'Succeeded' || phase === 'Failed';
  const isWhyKnown = stopCode !== undefined || metadata.deletionTimestamp !== undefined;
  const ending = atNodesEnd && !phaseIsLast && !isWhyKnown;
  const tracked = metadata.finalizers?.includes(TRACKED) === true;
  const disruption = disruptionOf(status);
  const over =
    phaseIsLast ||
    (tracked && neverStarts(pod, statuses)) ||
    (atNodesEnd && isWhyKnown && statuses.every(({ state }) => state?.terminated !== undefined));
  // A pod beyond its deadline is Failed at once; its containers still have their grace, and their codes to come.
  // One that is kept has them to come also where it is deleted, unless its node has gone.
  const isAwaited = metadata.deletionTimestamp === undefined || (tracked && disruption?.kind !== 'NodeLost');
  const stopping = isAwaited && statuses.some(({ state }) => state?.running !== undefined);
  const ended = over && !stopping;
  const states = new Map(statuses.map((container) => [container.name, container]));
  // An init container without traits is part of how a container is started, not one of the task's.
  const initContainers = (spec?.initContainers ?? []).filter(({ name }) => traits[name] !== undefined);
  const startBarriers = annotations[ANNOTATIONS.startBarriers];
  const barriers = startBarriers === undefined ? undefined : (JSON.parse(startBarriers) as StartBarriers);
  const startedAt = time(status?.startTime);
  const stoppedReason = annotations[ANNOTATIONS.stoppedReason] ?? '';
  const reasons = JSON.parse(annotations[ANNOTATIONS.containerReasons] ?? '{}') as Readonly<Record<string, string>>;
  const unscheduled = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  const readinessChangedAt = time(ready?.lastTransitionTime);
  const target = targetOf(spec?.affinity);
  const [, slot, generation] = /-(\d+)-(\d+)$/.exec(metadata.name) ?? [];
  const index = labels[LABELS.arrayIndex];
  const claim = ended ? undefined : claimOf(annotations);
  // A deadline that the pod was made with ends it only when it is over.
  const deadline = annotations[ANNOTATIONS.deadline];
  const isOutlived = deadline !== undefined && status?.reason === 'DeadlineExceeded';
  const isTold =
    spec?.activeDeadlineSeconds !== undefined && (isOutlived || String(spec.activeDeadlineSeconds) !== deadline);
  // Once the node has confirmed the deletion, the API server has put the time of that in its place.
  const known = previous?.uid === metadata.uid && previous.deleting ? previous.stoppingAt : undefined;
  const deletedAt =
    known ?? Date.parse(metadata.deletionTimestamp ?? '') - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  const stopAsked = Date.parse(annotations[ANNOTATIONS.stoppingAt] ?? '');
  const stoppingAt = Number.isNaN(stopAsked) ? deletedAt : stopAsked;
  const drainingUntil = Date.parse(annotations[ANNOTATIONS.drainingUntil] ?? '');
  const protectedUntil = Date.parse(annotations[ANNOTATIONS.protectedUntil] ?? '');
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    owner: metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? '',
    id: labels[LABELS.task] ?? metadata.uid,
    taskDefinition: annotations[ANNOTATIONS.taskDefinition] ?? '',
    deployment: labels[LABELS.deployment] ?? '',
    ...(annotations[ANNOTATIONS.placement] !== undefined && { placement: annotations[ANNOTATIONS.placement] }),
    ...(target !== undefined && { target }),
    ...standInOf(annotations, spec?.affinity),
    slot: Number(slot ?? 0),
    generation: Number(generation ?? 0),
    ...(index !== undefined && { index: Number(index) }),
    attempt: Number(labels[LABELS.attempt] ?? 1),
    ...(claim !== undefined && { claim }),
    createdAt: Date.parse(metadata.creationTimestamp),
    node: spec?.nodeName,
    ...(labels[LABELS.service] !== undefined && { ofService: true }),
    unplaceable:
      spec?.nodeName === undefined &&
      // One for which others make room is about to have it.
      status?.nominatedNodeName === undefined &&
      unscheduled?.reason === 'Unschedulable'
        ? (unscheduled.message ?? '')
        : undefined,
    containers: [...initContainers, ...(spec?.containers ?? [])].map(({ name }) => {
      const own = traits[name] ?? { name, essential: true };
      const neverMet = barriers?.failed[own.name];
      if (neverMet !== undefined) return { ...own, ready: false, ...neverStarted(neverMet) };
      const opened = barriers?.opened.includes(own.name) === true;
      const seen = observeContainer(own, states.get(name), { ended: over, startedAt, opened });
      const container: Container = opened ? { ...seen, released: true } : seen;
      const reason = reasons[own.name];
      if (reason === undefined || container.startedAt !== undefined) return container;
      return { ...container, reason, startFailure: reason };
    }),
    ended,
    acknowledged: startedAt !== undefined,
    ...(!over && startedAt !== undefined && isMounting(status) && { mountingSince: startedAt }),
    ...(barriers !== undefined && { startBarriers: barriers }),
    ...gateOf(spec),
    ...(tracked && { tracked }),
    ...hostPortsOf(spec),
    ...trafficOf(pod),
    ...targetGatesOf(pod, traits),
    ...((metadata.deletionTimestamp !== undefined || isTold) && { terminating: true as const }),
    ...imagesOf(spec, statuses),
    stopRequested: ending || metadata.deletionTimestamp !== undefined || isTold || !Number.isNaN(drainingUntil),
    ...(!Number.isNaN(drainingUntil) && { drainingUntil }),
    ...(ending && { ending }),
    ...(Number.isNaN(stoppingAt) ? {} : { stoppingAt }),
    deleting: metadata.deletionTimestamp !== undefined,
    stopRecorded: stopCode !== undefined,
    stopCause: stopCode === undefined ? (isOutlived ? OUTLIVED : undefined) : { stopCode, stoppedReason },
    ...(readinessChangedAt !== undefined && { readinessChangedAt }),
    podReason: status?.reason || undefined,
    podMessage: status?.message || undefined,
    ...(disruption !== undefined && { disruption }),
    userStop: annotations[ANNOTATIONS.stop],
    ...(Number.isNaN(protectedUntil) ? {} : { protectedUntil }),
  };
}

/**
 * Kept, and deleted before a container ran: no node gets it any more, or its node has confirmed the deletion.
 * Nobody writes a last phase then.
 */
function neverStarts({ metadata, spec, status }: PodJson, statuses: readonly ContainerStatusJson[]): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  if (spec?.nodeName === undefined) return true;
  const hasRun = statuses.some(({ state }) => state?.running !== undefined || state?.terminated !== undefined);
  return metadata.deletionGracePeriodSeconds === 0 && status?.phase === 'Pending' && !hasRun;
}

function standInOf(
  annotations: Readonly<Record<string, string>>,
  affinity: V1Affinity | undefined,
): Pick<ObservedTask, 'standsInFor' | 'standInZone'> {
  const standsInFor = annotations[ANNOTATIONS.standsInFor];
  const standInZone = standsInFor === undefined ? undefined : zoneOf(affinity);
  return {
    ...(standsInFor !== undefined && { standsInFor }),
    ...(standInZone !== undefined && { standInZone }),
  };
}

function gateOf(spec: PodJson['spec']): Pick<ObservedTask, 'gated' | 'otherGates'> {
  const gates = spec?.schedulingGates?.map(({ name }) => name) ?? [];
  return gates.includes(RECORDED_GATE)
    ? { gated: true, otherGates: gates.filter((gate) => gate !== RECORDED_GATE) }
    : {};
}

const sharedImages = new SharedValues<RunningImages>();

/** Tasks of one deployment run the same images: they share the record. */
function imagesOf(
  spec: PodJson['spec'],
  statuses: readonly ContainerStatusJson[],
): { readonly images?: RunningImages } {
  if (!statuses.some(({ imageID }) => imageID)) return {};
  const ids = new Map(statuses.map(({ name, imageID }) => [name, imageID ?? '']));
  const entries = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(
    ({ name, image = '' }) => [name, [image, ids.get(name) ?? '']] as const,
  );
  const images = sharedImages.get(JSON.stringify(entries), () => Object.fromEntries(entries));
  return { images };
}

const isMounting = (status: PodJson['status']): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'PodReadyToStartContainers' && is === 'False') === true;

/** Reasons of the condition DisruptionTarget (`kubernetes-mapping §2.6`). */
const DISRUPTIONS: Readonly<Record<string, DisruptionKind>> = {
  DeletionByTaintManager: 'NodeLost',
  DeletionByPodGC: 'NodeLost',
  EvictionByEvictionAPI: 'Evicted',
  PreemptionByScheduler: 'Preempted',
  TerminationByKubelet: 'NodePressure',
};

function disruptionOf(status: PodJson['status']): Disruption | undefined {
  const target = status?.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  const kind = DISRUPTIONS[target?.reason ?? ''];
  return kind === undefined ? undefined : { kind, message: target?.message ?? '' };
}
