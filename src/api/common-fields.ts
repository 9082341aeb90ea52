import { z } from 'zod';
import { keyedList, type Parsed, textMap, withRules } from './schema.ts';

/** AWS: TagKey and TagValue. */
const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u;

const tagSchema = withRules(
  z.strictObject({
    key: z
      .string()
      .min(1)
      .max(128)
      .regex(TAG_TEXT)
      .describe('Key: at most 128 letters, digits, spaces and _ . : / = + - @; the prefix aws: is reserved.'),
    value: z
      .string()
      .max(256)
      .regex(TAG_TEXT)
      .default('')
      .describe(
        'Value: at most 256 letters, digits, spaces and _ . : / = + - @; the prefix aws: is reserved. Default: empty.',
      ),
  }),
  {
    message: 'the prefix aws: is reserved, in any case of letters',
    holds: ({ key }) => !key.toLowerCase().startsWith('aws:'),
    cel: "!self.key.lowerAscii().startsWith('aws:')",
    field: 'key',
  },
  {
    message: 'the prefix aws: is reserved, in any case of letters',
    holds: ({ value }) => !value.toLowerCase().startsWith('aws:'),
    cel: "!has(self.value) || !self.value.lowerAscii().startsWith('aws:')",
    field: 'value',
  },
);

export type Tag = Parsed<typeof tagSchema>;

/** AWS: Tag[] (`ecs-semantics` §1.1). */
export const tagsSchema = () =>
  keyedList(tagSchema, 'key', { max: 50 }).default([]).describe('Tags, at most 50, each key once. AWS: Tag[].');

const isReserved = (text: string): boolean => text.toLowerCase().startsWith('aws:');

/** AWS Batch's tags: a map, unlike those of ECS. */
export const jobTagsSchema = (text: string) =>
  withRules(textMap(50, 256), {
    message:
      'keys of tags have 1 to 128 characters, and neither keys nor values start with aws:, in any case of letters',
    holds: (tags) =>
      Object.entries(tags).every(
        ([key, value]) => key.length >= 1 && key.length <= 128 && !isReserved(key) && !isReserved(value),
      ),
    cel:
      "self.all(k, size(k) >= 1 && size(k) <= 128 && !k.lowerAscii().startsWith('aws:') && " +
      "(dyn(self[k]) == null || !self[k].lowerAscii().startsWith('aws:')))",
  }).describe(text);

/** The `cluster` of a Service and of a Task. */
export const clusterReferenceSchema = () =>
  z
    .string()
    .min(1)
    .max(2048)
    .optional()
    .describe(
      'Name or ARN of the cluster. A namespace stands for a cluster; the controller reports one that is another.',
    );

/** Where a task may run. */
export const launchTypeSchema = z.enum(['EC2', 'FARGATE', 'EXTERNAL', 'MANAGED_INSTANCES']);
export type LaunchType = z.output<typeof launchTypeSchema>;

/** `web`, `web:3`, `task-definition/web:3` or the ARN. */
export const taskDefinitionReferenceSchema = () =>
  z
    .string()
    .min(1)
    .max(512)
    .regex(
      /^(arn:aws[a-z-]*:ecs:[a-z0-9-]*:[0-9]*:task-definition\/|task-definition\/)?[A-Za-z0-9_-]{1,255}(:[1-9][0-9]{0,6})?$/,
    );
