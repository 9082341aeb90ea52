/** What SubmitJob changes in the containers of a job definition (`ecs-semantics` §5.2). */
import { z } from 'zod';
import { batchCommand, batchEnvironment, resourceRequirements } from './batch-container.ts';
import { integer, type Parsed } from './schema.ts';

export const containerOverridesSchema = z
  .strictObject({
    command: batchCommand(),
    environment: batchEnvironment(),
    resourceRequirements: resourceRequirements(),
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
