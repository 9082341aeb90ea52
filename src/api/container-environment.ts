import { z } from 'zod';
import { list, type Parsed, withRules } from './schema.ts';

const variableName = () =>
  z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[ -<>-~]+$/);

export const environmentVariableSchema = z
  .strictObject({
    name: variableName().describe('Name of the variable: printable ASCII without `=`.'),
    value: z.string().max(65536).default('').describe('Value of the variable. Default: empty.'),
  })
  .describe('A variable and its value. AWS: KeyValuePair.');

export type EnvironmentVariable = Parsed<typeof environmentVariableSchema>;

/** `[{name, value}]` as ECS and Batch take it. */
export const environmentSchema = (item = environmentVariableSchema) =>
  list(item, 1000).describe(
    'Variables passed to the container, at most 1000; of two with one name the last counts. Never put credentials here. AWS: KeyValuePair[].',
  );

export const environmentFileSchema = z
  .strictObject({
    value: withRules(
      z.string().min(1).max(2048),
      {
        // Text: AWS (measured 2026-09).
        message: 'Invalid arn syntax.',
        holds: (value) => /^arn:aws[a-z-]*:s3:::[^/]+\/./.test(value),
        cel: "self.matches('^arn:aws[a-z-]*:s3:::[^/]+/.')",
      },
      {
        message: 'the environment file must have the extension .env',
        holds: (value) => !value.startsWith('arn:') || value.endsWith('.env'),
        cel: "!self.startsWith('arn:') || self.endsWith('.env')",
      },
    ).describe('ARN of the S3 object, whose name ends in .env.'),
    type: z.literal('s3').describe('s3 is the only type.'),
  })
  .describe('A file of NAME=VALUE lines. AWS: EnvironmentFile.');

export type EnvironmentFile = Parsed<typeof environmentFileSchema>;

const valueFrom = () =>
  z
    .string()
    .min(1)
    .max(2048)
    .describe(
      'ARN of the Secrets Manager secret (optionally with :json-key:version-stage:version-id), or ARN or name of the SSM parameter.',
    );

const secretSchema = z
  .strictObject({ name: variableName().describe('Name of the variable that gets the value.'), valueFrom: valueFrom() })
  .describe('A variable whose value is a secret. AWS: Secret.');

export type Secret = Parsed<typeof secretSchema>;

/** `[{name, valueFrom}]` as ECS and Batch take it. */
export const secretsSchema = () =>
  list(secretSchema, 100).describe(
    'Variables whose values are secrets, at most 100; they win over environment and environmentFiles. AWS: Secret[].',
  );

/** Options of a log driver whose values are secrets. */
export const secretOptionsSchema = () =>
  list(
    z
      .strictObject({
        name: z.string().min(1).max(512).describe('Name of the option.'),
        valueFrom: valueFrom(),
      })
      .describe('An option whose value is a secret. AWS: Secret.'),
    100,
  ).describe('Options whose values come from secrets, at most 100. AWS: Secret[].');
