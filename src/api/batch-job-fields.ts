/** What a BatchJob has of its job definition, and of SubmitJob what changes it (`ecs-semantics` §5.1, §5.2). */
import { z } from 'zod';
import { containerPropertiesSchema } from './batch-container-properties.ts';
import { ecsPropertiesSchema } from './batch-ecs-properties.ts';
import { containerOverridesSchema, ecsPropertiesOverrideSchema } from './batch-overrides.ts';
import { jobTagsSchema, taskDefinitionReferenceSchema } from './common-fields.ts';
import { flag, integer, list, textMap } from './schema.ts';

export const jobDefinitionFields = {
  parameters: textMap(100, 8192).describe('Values for Ref::name in command, at most 100.'),
  platformCapabilities: list(z.enum(['EC2', 'FARGATE', 'MANAGED_INSTANCES']), 3).describe(
    'What the job is checked against: EC2 (when absent), FARGATE or MANAGED_INSTANCES.',
  ),
  containerProperties: containerPropertiesSchema.optional(),
  ecsProperties: ecsPropertiesSchema.optional(),
  taskDefinition: taskDefinitionReferenceSchema()
    .optional()
    .describe(
      'Task definition to run instead of containerProperties or ecsProperties: family, family:revision or the ARN.',
    ),
  containerOverrides: containerOverridesSchema.optional(),
  ecsPropertiesOverride: ecsPropertiesOverrideSchema.optional(),
  propagateTags: flag().describe('Whether the tasks of the job get its tags. Default: false.'),
  tags: jobTagsSchema('Tags of the job, at most 50. With propagateTags its tasks have them as well.'),
  shareIdentifier: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9]*$/)
    .optional()
    .describe('Share of the queue that the job belongs to: at most 255 letters and digits.'),
  schedulingPriority: integer(0, 9999).optional().describe('Rank of the job within its share of the queue, 0 to 9999.'),
  schedulingPriorityOverride: integer(0, 9999)
    .optional()
    .describe("Takes the place of the definition's schedulingPriority, 0 to 9999."),
};
