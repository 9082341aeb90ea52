import type { ClusterSpec } from '../api/cluster.ts';
import type { ContainerDefinition } from '../api/container-definition.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { VolumeConfiguration } from '../api/volume-configuration.ts';
import type { Registration, Traffic } from '../traffic/registration.ts';
import type { ClusterFeatures } from './cluster-features.ts';
import { type StartPlan, startPlan } from './start-order.ts';
import { uniqueNames } from './unique-names.ts';

/** What the parts of one task share while they are compiled. */
export interface TaskContext {
  readonly definition: TaskDefinitionSpec;
  readonly features: ClusterFeatures;
  /** What names of AWS mean in the namespace. */
  readonly cluster: ClusterSpec;
  /** What volumes are that the definition leaves to the launch. */
  readonly volumeConfigurations: readonly VolumeConfiguration[];
  /** Where the task stands in the traffic. */
  readonly registrations: readonly Registration[];
  /** Core Services under whose names it is found. */
  readonly names: readonly string[];
  /** In the order in which they are to start. */
  readonly containers: readonly ContainerDefinition[];
  readonly start: StartPlan;
  /** AWS volume name → pod volume name. */
  readonly volumeNames: ReadonlyMap<string, string>;
  /** AWS container name → pod container name. */
  readonly containerNames: ReadonlyMap<string, string>;
}

export function taskContext(
  definition: TaskDefinitionSpec,
  features: ClusterFeatures,
  cluster: ClusterSpec,
  volumeConfigurations: readonly VolumeConfiguration[],
  { registrations, names }: Traffic,
): TaskContext {
  const start = startPlan(definition.containerDefinitions);
  const containers = [...start.init, ...start.regular];
  return {
    definition,
    features,
    cluster,
    volumeConfigurations,
    registrations,
    names: names.map(({ name }) => name),
    containers,
    start,
    containerNames: uniqueNames(containers.map(({ name }) => name)),
    volumeNames: uniqueNames(definition.volumes.map(({ name }) => name)),
  };
}
