/** What the tasks of a deployment are made of. */
import type { ClusterSpec } from '../api/cluster.ts';
import { LABELS } from '../api/meta.ts';
import { parseTaskDefinition } from '../api/task-definition.ts';
import { compileTemplate, type PodTemplate } from '../pod/compile.ts';
import { withDigests } from '../pod/image-digest.ts';
import type { TaskPlacement } from '../pod/placement.ts';
import type { Registration } from '../traffic/registration.ts';
import { isDaemon } from './daemons.ts';
import type { RevisionRecord } from './records.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { type DeploymentData, type ServiceDeployment, serviceNameOf } from './service-deployments.ts';
import { targetsOf, withNames } from './traffic/registrations.ts';

interface KnownTemplate {
  readonly cluster: ClusterSpec;
  /** Placement and traffic, as JSON. */
  readonly launch: string;
  readonly template: PodTemplate;
}

const templates = new WeakMap<RevisionRecord, KnownTemplate>();

/** Placement starts no deployment: it holds for all tasks that start later (`ecs-semantics §3.2`). */
export const placementOf = (runtime: Runtime, service: ServiceRecord, deployment: string): TaskPlacement => ({
  group: `service:${serviceNameOf(service)}`,
  among: { [LABELS.deployment]: deployment },
  placementConstraints: service.spec?.placementConstraints ?? [],
  placementStrategy: service.spec?.placementStrategy ?? [],
  daemon: isDaemon(service),
  zones: runtime.nodes.hasZones(),
  binpackScheduler: runtime.binpackScheduler,
});

/** The target groups of a deployment's tasks. */
export const registrationsOf = (
  runtime: Runtime,
  service: ServiceRecord,
  { record }: ServiceDeployment,
  cluster: ClusterSpec,
): readonly Registration[] =>
  targetsOf(runtime, service, cluster, (record.data as DeploymentData).trigger).registrations;

/** Compiled once a deployment, state of the Cluster and placement, not once a task. */
export function templateOf(
  runtime: Runtime,
  service: ServiceRecord,
  { id, record }: ServiceDeployment,
  cluster: ClusterSpec,
): PodTemplate {
  const placement = placementOf(runtime, service, id);
  const { family, revision, definition, trigger } = record.data as DeploymentData;
  const targets = targetsOf(runtime, service, cluster, trigger);
  const launch = JSON.stringify([placement, targets]);
  const known = templates.get(record);
  if (known?.cluster === cluster && known.launch === launch) return known.template;
  const parsed = parseTaskDefinition(definition);
  const compiled = compileTemplate({
    definition: parsed,
    family,
    revision,
    features: runtime.features,
    ...(trigger.kubernetes !== null && { kubernetes: trigger.kubernetes }),
    ...(trigger.volumeConfigurations !== undefined && { volumeConfigurations: trigger.volumeConfigurations }),
    cluster,
    placement,
    traffic: withNames(targets, trigger, parsed, cluster, service.namespace),
  });
  const template = record.digests === undefined ? compiled : withDigests(compiled, record.digests);
  templates.set(record, { cluster, launch, template });
  return template;
}
