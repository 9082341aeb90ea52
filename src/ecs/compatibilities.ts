import type { LaunchType } from '../api/common-fields.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';

/**
 * The launch types a definition satisfies, as RegisterTaskDefinition returns them (`ecs-semantics §1.1`): Fargate needs
 * awsvpc, task cpu and memory, and knows no privileged containers, links, host paths or placement constraints.
 */
export function compatibilities(definition: TaskDefinitionSpec): LaunchType[] {
  const fargate =
    definition.networkMode === 'awsvpc' &&
    definition.cpu !== undefined &&
    definition.memory !== undefined &&
    definition.placementConstraints.length === 0 &&
    definition.volumes.every(({ host }) => !host?.sourcePath) &&
    definition.containerDefinitions.every(({ privileged, links }) => !privileged && links.length === 0);
  return fargate ? ['EC2', 'FARGATE'] : ['EC2'];
}
