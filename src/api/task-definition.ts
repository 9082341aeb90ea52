import { z } from 'zod';
import { launchTypeSchema } from './common-fields.ts';
import { parseWith } from './parse.ts';
import { integer, type Parsed, timestamp, withControllerRule, withRules } from './schema.ts';
import { commonStatus } from './status.ts';
import { taskDefinitionFields } from './task-definition-fields.ts';
import { controllerRules, taskDefinitionRules } from './task-definition-rules.ts';

/** `spec` of a TaskDefinition: the input of RegisterTaskDefinition (`ecs-semantics` §1). */
export const taskDefinitionSpecSchema = controllerRules
  .reduce(
    (schema, { refuses, field }) => withControllerRule(schema, refuses, field),
    withRules(taskDefinitionFields, ...taskDefinitionRules),
  )
  .describe('What runs as one task: the input of RegisterTaskDefinition. Every change makes a new revision.');

export type TaskDefinitionSpec = Parsed<typeof taskDefinitionSpecSchema>;
export type NetworkMode = TaskDefinitionSpec['networkMode'];

export const taskDefinitionStatusSchema = z
  .object({
    ...commonStatus,
    family: z.string().max(255).optional().describe('Family, with the AWS name.'),
    latestRevision: integer(1).optional().describe('Newest revision. Numbers are never reused.'),
    revisions: z
      .array(
        z.object({
          revision: integer(1).describe('Number of the revision.'),
          status: z
            .enum(['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS'])
            .describe('INACTIVE revisions start nothing new.'),
          registeredAt: timestamp().describe('When the revision was made (RFC 3339).'),
          deregisteredAt: timestamp().optional().describe('When it became INACTIVE (RFC 3339).'),
        }),
      )
      .max(20)
      .optional()
      .describe('The newest revisions, newest first, at most 20.'),
    compatibilities: z
      .array(launchTypeSchema)
      .max(4)
      .optional()
      .describe('Launch types that the definition satisfies.'),
  })
  .describe('What the controller found and made.');

export type TaskDefinitionStatus = Parsed<typeof taskDefinitionStatusSchema>;

/**
 * Checks and compiles the `spec` of a TaskDefinition.
 * @throws InvalidSpecError
 */
export function parseTaskDefinition(raw: unknown): TaskDefinitionSpec {
  return parseWith(taskDefinitionSpecSchema, raw);
}
