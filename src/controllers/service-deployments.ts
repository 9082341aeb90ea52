/** A service's deployments: ControllerRevisions that it owns, so that a deleted task definition changes nothing that runs. */
import { createHash } from 'node:crypto';
import type { KubernetesOptions } from '../api/kubernetes-options.ts';
import { ANNOTATIONS, LABELS, MANAGED_BY, services } from '../api/meta.ts';
import { dnsName, uniqueDnsName } from '../api/names.ts';
import type { VolumeConfiguration } from '../api/volume-configuration.ts';
import type { AlarmRecord } from '../ecs/deployment-alarms.ts';
import type { DeploymentFailure, FailureKind } from '../ecs/deployment-failure.ts';
import { controllerRevisions, type KubeObject } from '../kube/resource.ts';
import type { ImageDigests } from '../pod/image-digest.ts';
import {
  ALARMS,
  FAILED,
  IMAGE_DIGESTS,
  RESTORED_AFTER,
  type RevisionRecord,
  ROLLOUT_STATE,
  sameContent,
  type Verdict,
} from './records.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { deleteRevision, type TaskRevision } from './task-revisions.ts';
import { ownerReference } from './tasks.ts';
import type { TrafficFields } from './traffic/registrations.ts';

/** What starts a new deployment when it changes (`ecs-semantics §3.2`). */
interface Trigger extends TrafficFields {
  readonly taskDefinition: string;
  readonly forceNewDeployment: string;
  readonly kubernetes: KubernetesOptions | null;
  /** Absent where there are none. */
  readonly volumeConfigurations?: readonly VolumeConfiguration[];
}

/** The content of a deployment's ControllerRevision. */
export interface DeploymentData {
  readonly family: string;
  readonly revision: number;
  readonly trigger: Trigger;
  /** The task definition as registered. */
  readonly definition: unknown;
}

export interface ServiceDeployment {
  /** 19 digits. */
  readonly id: string;
  /** Counts a service's deployments from 1; the highest is PRIMARY. One that was rolled back to is next to what failed. */
  readonly number: number;
  readonly completed: boolean;
  readonly failed: boolean;
  /** Why it has failed. */
  readonly failure?: DeploymentFailure;
  /** When it was rolled back to, epoch milliseconds, and what gave up the one that it takes the place of. */
  readonly since?: number;
  readonly rollbackOf?: FailureKind;
  readonly createdAt: number;
  readonly family: string;
  readonly revision: number;
  readonly record: RevisionRecord;
}

export const serviceNameOf = ({ spec, name }: ServiceRecord): string => spec?.serviceName ?? name;

/** ECS shows deployments as `ecs-svc/` and 19 digits; these follow from the service and the deployment's number. */
export function deploymentId(serviceUid: string, number: number): string {
  const digest = createHash('sha256').update(`${serviceUid}/${number}`).digest();
  return String(1_000_000_000_000_000_000n + (digest.readBigUInt64BE() % 8_000_000_000_000_000_000n));
}

/** PRIMARY first, then newest first. */
export function deploymentsOf(runtime: Runtime, service: ServiceRecord): ServiceDeployment[] {
  const made = runtime.stores.revisions
    .by('owner', service.uid)
    .map((record): ServiceDeployment => {
      const { family, revision } = record.data as DeploymentData;
      const { number, completed, createdAt } = record;
      const { kind = 'circuit breaker', detail } = record.failed ?? {};
      const failure = record.failed && { kind, ...(detail !== undefined && { detail }) };
      const known = { number, completed, failed: failure !== undefined, createdAt, family, revision, record };
      return { id: deploymentId(service.uid, number), ...known, ...(failure !== undefined && { failure }) };
    })
    .sort((a, b) => b.number - a.number);
  const verdicts = made.flatMap(({ number, record: { failed } }) =>
    failed === undefined ? [] : [{ number, ...failed }],
  );
  return made
    .map((deployment) => {
      const rollback = verdicts.find(({ rollbackTo }) => rollbackTo === deployment.number);
      if (rollback === undefined) return deployment;
      const { at, number, kind = 'circuit breaker' } = rollback;
      return {
        ...deployment,
        number: number + 0.5,
        since: at,
        rollbackOf: kind,
        completed: deployment.record.restoredAfter === number,
      };
    })
    .sort((a, b) => b.number - a.number);
}

/** The one that was made last, whether it is PRIMARY or has failed and was rolled back: what its trigger said was tried. */
export const lastMade = (deployments: readonly ServiceDeployment[]): ServiceDeployment | undefined =>
  deployments.reduce<ServiceDeployment | undefined>(
    (last, deployment) => (last === undefined || deployment.record.number > last.record.number ? deployment : last),
    undefined,
  );

/** Where a deployment that fails goes back to: the newest that was completed, unless it is a rollback itself. */
export const rollbackTarget = (
  [failing, ...older]: readonly ServiceDeployment[],
  rollback: boolean,
): ServiceDeployment | undefined =>
  rollback && failing?.since === undefined ? older.find(({ completed, failed }) => completed && !failed) : undefined;

function triggerOf(service: ServiceRecord, revision: TaskRevision): Trigger {
  const {
    volumeConfigurations = [],
    loadBalancers = [],
    serviceRegistries = [],
    serviceConnectConfiguration,
  } = service.spec ?? {};
  return {
    taskDefinition: `${revision.family}:${revision.revision}`,
    forceNewDeployment: service.annotations[ANNOTATIONS.forceNewDeployment] ?? '',
    kubernetes: service.spec?.kubernetes ?? null,
    ...(volumeConfigurations.length > 0 && { volumeConfigurations }),
    ...(loadBalancers.length > 0 && { loadBalancers }),
    ...(serviceRegistries.length > 0 && { serviceRegistries }),
    ...(serviceConnectConfiguration !== undefined && { serviceConnectConfiguration }),
  };
}

/** Whether the service asks for another deployment than its newest. */
export function needsDeployment(
  service: ServiceRecord,
  revision: TaskRevision,
  newest: ServiceDeployment | undefined,
): boolean {
  if (newest === undefined) return true;
  return !sameContent(
    (newest.record.data as DeploymentData).trigger,
    JSON.parse(JSON.stringify(triggerOf(service, revision))),
  );
}

/** Makes the next deployment. Its name is the lock: the same change never makes two. */
export async function createDeployment(
  runtime: Runtime,
  service: ServiceRecord,
  serviceName: string,
  revision: TaskRevision,
  number: number,
): Promise<void> {
  const data: DeploymentData = {
    family: revision.family,
    revision: revision.revision,
    trigger: triggerOf(service, revision),
    definition: revision.given,
  };
  const id = deploymentId(service.uid, number);
  const asked = service.annotations[ANNOTATIONS.rollback];
  const created = await runtime.client.create<KubeObject>(
    controllerRevisions,
    { namespace: service.namespace },
    {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `service-${uniqueDnsName(serviceName, 200)}-${number}`,
        namespace: service.namespace,
        labels: { [LABELS.managedBy]: MANAGED_BY, [LABELS.service]: dnsName(serviceName), [LABELS.deployment]: id },
        annotations: {
          [ANNOTATIONS.service]: serviceName,
          ...(asked !== undefined && { [ANNOTATIONS.rollback]: asked }),
        },
        ownerReferences: [ownerReference(services, service)],
      },
      revision: number,
      data,
    },
  );
  runtime.barriers.revisions.note(service.uid, created.metadata.resourceVersion);
  runtime.logger.info(
    { service: `${service.namespace}/${service.name}`, deployment: id },
    `deployment of ${data.trigger.taskDefinition}`,
  );
}

/** Remembers that the deployment's rollout is over: a rollback goes back to the newest such one. */
export async function markCompleted(runtime: Runtime, deployment: ServiceDeployment): Promise<void> {
  const { number, since } = deployment;
  await annotate(runtime, deployment, {
    [ROLLOUT_STATE]: 'COMPLETED',
    ...(since !== undefined && { [RESTORED_AFTER]: String(Math.floor(number)) }),
  });
}

/** Gives a deployment up, and in the same write makes the one it goes back to, if any, PRIMARY again. */
export async function markFailed(
  runtime: Runtime,
  service: ServiceRecord,
  deployment: ServiceDeployment,
  { failure, target }: { readonly failure: DeploymentFailure; readonly target?: ServiceDeployment },
  request: string | undefined,
): Promise<void> {
  const rollback = target === undefined ? {} : { rollbackTo: target.record.number };
  const verdict: Verdict = { at: runtime.now(), ...failure, ...rollback };
  await remember(runtime, service, deployment, {
    [FAILED]: JSON.stringify(verdict),
    ...(request !== undefined && { [ANNOTATIONS.rollback]: request }),
  });
}

/** Remembers what the alarms were, so that no restart forgets it. */
export async function recordAlarms(
  runtime: Runtime,
  service: ServiceRecord,
  deployment: ServiceDeployment,
  record: AlarmRecord,
): Promise<void> {
  await remember(runtime, service, deployment, { [ALARMS]: JSON.stringify(record) });
}

/** Remembers what the tags of its images meant: its later tasks, and those of a rollback to it, run the same. */
export async function recordDigests(
  runtime: Runtime,
  service: ServiceRecord,
  deployment: ServiceDeployment,
  digests: ImageDigests,
): Promise<void> {
  await remember(runtime, service, deployment, { [IMAGE_DIGESTS]: JSON.stringify(digests) });
}

/** Remembers that this value of the rollback annotation was answered. */
export async function settleRollback(
  runtime: Runtime,
  service: ServiceRecord,
  deployment: ServiceDeployment,
  request: string,
): Promise<void> {
  await remember(runtime, service, deployment, { [ANNOTATIONS.rollback]: request });
}

/** The next plan waits until the cache has it. */
async function remember(
  runtime: Runtime,
  { uid }: ServiceRecord,
  deployment: ServiceDeployment,
  annotations: Readonly<Record<string, string>>,
): Promise<void> {
  const written = await annotate(runtime, deployment, annotations);
  runtime.barriers.revisions.note(uid, written.metadata.resourceVersion);
}

function annotate(
  runtime: Runtime,
  { record: { namespace, name, uid } }: ServiceDeployment,
  annotations: Readonly<Record<string, string>>,
): Promise<KubeObject> {
  return runtime.client.patch<KubeObject>(controllerRevisions, { namespace, name }, { metadata: { uid, annotations } });
}

/** Deployments that are over and that no rollback needs: kept for reading, up to this many. */
const KEPT_DEPLOYMENTS = 10;

/** Deletes the oldest deployments beyond the history; never one with tasks, nor the newest completed one. */
export async function pruneDeployments(
  runtime: Runtime,
  deployments: readonly ServiceDeployment[],
  inUse: ReadonlySet<string>,
): Promise<void> {
  const completed = deployments.find((deployment) => deployment.completed && !deployment.failed);
  const last = lastMade(deployments);
  const over = deployments
    .slice(1)
    .filter((deployment) => deployment !== completed && deployment !== last && !inUse.has(deployment.id));
  for (const { record } of over.slice(KEPT_DEPLOYMENTS)) await deleteRevision(runtime, record);
}
