import { z } from 'zod';
import { secretOptionsSchema } from './container-environment.ts';
import { celHasKey, type Parsed, textMap, withRules } from './schema.ts';

/** Where the output of a container goes (`ecs-semantics` §1.11). */
export const logConfigurationSchema = z
  .strictObject({
    logDriver: z
      .enum(['json-file', 'syslog', 'journald', 'gelf', 'fluentd', 'awslogs', 'splunk', 'awsfirelens'])
      .describe(
        'Log driver; on Fargate only awslogs, splunk and awsfirelens. On Kubernetes the node keeps what the container writes; kubectl logs shows it.',
      ),
    options: textMap(100).describe('Options of the log driver, at most 100.'),
    secretOptions: secretOptionsSchema(),
  })
  .describe('Where the output of the container goes. AWS: LogConfiguration.');

export type LogConfiguration = Parsed<typeof logConfigurationSchema>;

/** Makes a container the log router of its task (`ecs-semantics` §1.11). */
export const firelensConfigurationSchema = withRules(
  z.strictObject({
    type: z.enum(['fluentd', 'fluentbit']).describe('Log router that runs in the container: fluentd or fluentbit.'),
    options: textMap(20).describe(
      'enable-ecs-log-metadata (true or false), config-file-type (s3 or file; on Fargate only file) and config-file-value.',
    ),
  }),
  {
    message: 'config-file-type must be s3 or file, and config-file-value must name the file',
    holds: ({ options }) =>
      options['config-file-type'] === undefined ||
      (['s3', 'file'].includes(options['config-file-type']) && options['config-file-value'] !== undefined),
    cel:
      `!${celHasKey('self.options', 'config-file-type')} || ` +
      `(self.options['config-file-type'] in ['s3', 'file'] && ${celHasKey('self.options', 'config-file-value')})`,
    field: 'options',
  },
).describe(
  'Makes this container the log router of the containers with log driver awsfirelens. AWS: FirelensConfiguration.',
);

export type FirelensConfiguration = Parsed<typeof firelensConfigurationSchema>;
