/** What SubmitJob changes in the containers of a job definition (`ecs-semantics` §5.2). */
import { z } from 'zod';
import { batchCommand, batchEnvironment, resourceRequirements } from './batch-container.ts';
import { awsName, integer, keyedList, type Parsed } from './schema.ts';
import { MAX_CONTAINERS } from './task-definition-fields.ts';

const overridable = {
  command: batchCommand(),
  environment: batchEnvironment(),
  resourceRequirements: resourceRequirements(),
};

export const containerOverridesSchema = z
  .strictObject({
    ...overridable,
    vcpus: integer(1, 196608)
      .optional()
      .describe("Takes the place of the definition's vcpus, not of its resourceRequirements."),
    memory: integer(4)
      .optional()
      .describe("Takes the place of the definition's memory (MiB), not of its resourceRequirements."),
  })
  .describe(
    "Takes the place of the definition's command, adds to its environment by name, replaces resourceRequirements by type. AWS: ContainerOverrides.",
  );

export type BatchContainerOverrides = Parsed<typeof containerOverridesSchema>;

const taskContainerOverridesSchema = z
  .strictObject({
    name: awsName().describe('Name of the container in the definition.'),
    ...overridable,
  })
  .describe(
    "Takes the place of the container's command, adds to its environment by name, replaces resourceRequirements by type. AWS: TaskContainerOverrides.",
  );

export const ecsPropertiesOverrideSchema = z
  .strictObject({
    taskProperties: z
      .array(
        z
          .strictObject({
            containers: keyedList(taskContainerOverridesSchema, 'name', { max: MAX_CONTAINERS })
              .default([])
              .describe('What differs in single containers, at most 10. AWS: TaskContainerOverrides[].'),
          })
          .describe('What differs in the task of the job. AWS: TaskPropertiesOverride.'),
      )
      .max(1)
      .default([])
      .describe('What differs in the task of the job, at most 1. AWS: TaskPropertiesOverride[].'),
  })
  .describe('What differs from ecsProperties, or from the task definition. AWS: EcsPropertiesOverride.');

export type BatchEcsPropertiesOverride = Parsed<typeof ecsPropertiesOverrideSchema>;
