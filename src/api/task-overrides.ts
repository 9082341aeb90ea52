import { z } from 'zod';
import { environmentFileSchema, environmentSchema } from './container-environment.ts';
import { resourceRequirementSchema } from './resource-requirement.ts';
import { awsName, integer, keyedList, list, type Parsed, withControllerRule } from './schema.ts';
import { ephemeralStorageSchema } from './task-definition-fields.ts';

const containerOverrideSchema = z
  .strictObject({
    name: awsName().describe('Name of the container in the task definition.'),
    command: list(z.string().max(65536), 1000).describe(
      "Takes the place of the definition's command. Absent or empty: the definition's.",
    ),
    environment: environmentSchema().describe(
      "Added to the definition's variables, and wins over one of the same name. AWS: KeyValuePair[].",
    ),
    environmentFiles: list(environmentFileSchema, 10).describe(
      "Take the place of the definition's files, at most 10. Absent or empty: the definition's. AWS: EnvironmentFile[].",
    ),
    cpu: integer(0).optional().describe("CPU units reserved; 1024 are one vCPU. Absent: the definition's."),
    memory: integer(4).optional().describe("Hard memory limit in MiB, at least 4. Absent: the definition's."),
    memoryReservation: integer(4).optional().describe("Memory reserved in MiB, at least 4. Absent: the definition's."),
    resourceRequirements: list(resourceRequirementSchema, 10).describe(
      "Accelerators; each takes the place of the definition's of the same type, at most 10. AWS: ResourceRequirement[].",
    ),
  })
  .describe('What differs from the definition in one container. AWS: ContainerOverride.');

export type ContainerOverride = Parsed<typeof containerOverrideSchema>;

const fields = z.strictObject({
  containerOverrides: keyedList(containerOverrideSchema, 'name', { max: 10 })
    .default([])
    .describe('What differs in single containers, at most 10. AWS: ContainerOverride[].'),
  cpu: z
    .string()
    .max(32)
    .regex(/^([0-9]{1,6}|([0-9]{1,3}(\.[0-9]{1,3})?|\.[0-9]{1,3}) ?[vV][cC][pP][uU])$/)
    .optional()
    .describe('Hard CPU limit of the task: units such as "1024" (1024 are one vCPU) or "1 vCPU".'),
  memory: z
    .string()
    .max(32)
    .regex(/^([0-9]{1,7}|([0-9]{1,4}(\.[0-9]{1,3})?|\.[0-9]{1,3}) ?[gG][bB])$/)
    .optional()
    .describe('Hard memory limit of the task: MiB such as "512", or "1GB".'),
  executionRoleArn: z.string().min(1).max(2048).optional().describe('Role of the platform: image pull, logs, secrets.'),
  taskRoleArn: z.string().min(1).max(2048).optional().describe('Role of the code in the containers.'),
  ephemeralStorage: ephemeralStorageSchema.optional(),
});

/** AWS: "A total of 8192 characters are allowed for overrides. This limit includes the JSON formatting characters". */
const MAX_JSON = 8192;

const jsonOf = (overrides: object): string =>
  JSON.stringify(overrides, (_, value: unknown) => (Array.isArray(value) && value.length === 0 ? undefined : value));

/** What differs from the task definition in the tasks of one run (`ecs-semantics` §4). */
export const taskOverridesSchema = withControllerRule(fields, (overrides) => {
  const { length } = jsonOf(overrides);
  return length <= MAX_JSON ? undefined : `overrides has ${length} characters as JSON; AWS takes at most ${MAX_JSON}`;
}).describe('What differs from the task definition, at most 8192 characters as JSON. AWS: TaskOverride.');

export type TaskOverrides = Parsed<typeof taskOverridesSchema>;
