import { z } from 'zod';
import { capacityProviderStrategySchema } from './capacity-provider-strategy.ts';
import { clusterMappingsSchema } from './cluster-mappings.ts';
import { clusterPolicySchema } from './cluster-policy.ts';
import { tagsSchema } from './common-fields.ts';
import { parseWith } from './parse.ts';
import { awsName, flag, immutable, integer, keyedList, list, type Parsed, withRules } from './schema.ts';
import { commonStatus } from './status.ts';

const settingSchema = z
  .strictObject({
    name: z.enum(['containerInsights']).describe('containerInsights is the only setting.'),
    value: z.enum(['enhanced', 'enabled', 'disabled']).describe('enhanced, enabled or disabled.'),
  })
  .describe('A setting of the cluster. AWS: ClusterSetting.');

const executeCommandSchema = withRules(
  z.strictObject({
    kmsKeyId: z.string().min(1).max(2048).optional().describe('KMS key for the data of a session.'),
    logging: z
      .enum(['NONE', 'DEFAULT', 'OVERRIDE'])
      .default('DEFAULT')
      .describe("NONE; DEFAULT (default): the task definition's awslogs configuration; OVERRIDE: logConfiguration."),
    logConfiguration: z
      .strictObject({
        cloudWatchLogGroupName: z.string().min(1).max(512).optional().describe('CloudWatch log group.'),
        cloudWatchEncryptionEnabled: flag().describe('Whether those logs are encrypted. Default: false.'),
        s3BucketName: z.string().min(1).max(255).optional().describe('S3 bucket.'),
        s3EncryptionEnabled: flag().describe('Whether those logs are encrypted. Default: false.'),
        s3KeyPrefix: z.string().max(1024).optional().describe('Folder in the bucket.'),
      })
      .optional()
      .describe('Where sessions are logged. AWS: ExecuteCommandLogConfiguration.'),
  }),
  {
    message: 'logging OVERRIDE needs a logConfiguration',
    holds: ({ logging, logConfiguration }) => logging !== 'OVERRIDE' || logConfiguration !== undefined,
    cel: "self.logging != 'OVERRIDE' || has(self.logConfiguration)",
    field: 'logConfiguration',
  },
).describe('How ECS Exec works. AWS: ExecuteCommandConfiguration.');

const configurationSchema = z
  .strictObject({
    executeCommandConfiguration: executeCommandSchema.optional(),
    managedStorageConfiguration: z
      .strictObject({
        kmsKeyId: z.string().min(1).max(2048).optional().describe('KMS key for volumes that ECS manages.'),
        fargateEphemeralStorageKmsKeyId: z
          .string()
          .min(1)
          .max(2048)
          .optional()
          .describe('KMS key for the ephemeral storage of Fargate.'),
      })
      .optional()
      .describe('How storage is encrypted. AWS: ManagedStorageConfiguration.'),
  })
  .describe('AWS: ClusterConfiguration.');

const fields = z.strictObject({
  clusterName: immutable(awsName(), 'clusterName cannot be changed')
    .optional()
    .describe(
      "Name of the cluster: at most 255 letters, digits, - and _. Default: the object's name. Cannot be changed.",
    ),
  account: z
    .string()
    .regex(/^[0-9]{12}$/)
    .max(12)
    .optional()
    .describe(
      'AWS account that this cluster stands for, 12 digits. With it an ARN of another account is never taken as local, and one of this account and region may go by its name.',
    ),
  region: z
    .string()
    .min(1)
    .max(32)
    .regex(/^[a-z0-9-]+$/)
    .optional()
    .describe('AWS region that this cluster stands for, such as eu-west-1. As account.'),
  settings: keyedList(settingSchema, 'name', { max: 10 })
    .default([])
    .describe('Settings of the cluster. AWS: ClusterSetting[].'),
  configuration: configurationSchema.optional(),
  capacityProviders: list(z.string().min(1).max(255), 20).describe('Capacity providers of the cluster, at most 20.'),
  defaultCapacityProviderStrategy: capacityProviderStrategySchema().describe(
    'Where tasks run whose service or RunTask names neither launch type nor strategy. AWS: CapacityProviderStrategyItem[].',
  ),
  serviceConnectDefaults: z
    .strictObject({
      namespace: z.string().min(1).max(2048).describe('Name or ARN of the Cloud Map namespace.'),
    })
    .optional()
    .describe('Namespace of services that name none. AWS: ClusterServiceConnectDefaultsRequest.'),
  tags: tagsSchema(),
  mappings: clusterMappingsSchema.prefault({}),
  policy: clusterPolicySchema.prefault({}),
  retention: z
    .strictObject({
      stoppedTaskSeconds: integer(0, 2592000)
        .default(3600)
        .describe(
          'Seconds that the pod of a task which ended on its own or for a fault stays readable, 0 to 2592000 (30 days). Default: 3600.',
        ),
      stoppedTasks: integer(0, 1000).default(10).describe('Such pods a service, 0 to 1000. Default: 10.'),
    })
    .prefault({})
    .describe('How long what is over stays readable.'),
});

/** `spec` of a Cluster: the input of CreateCluster, and what AWS keeps elsewhere (design §1). */
export const clusterSpecSchema = withRules(fields, {
  message: 'every capacityProvider of defaultCapacityProviderStrategy must be one of capacityProviders',
  holds: (cluster) =>
    cluster.defaultCapacityProviderStrategy.every((item) => cluster.capacityProviders.includes(item.capacityProvider)),
  cel:
    '!has(self.defaultCapacityProviderStrategy) || self.defaultCapacityProviderStrategy.all(i, ' +
    'has(self.capacityProviders) && i.capacityProvider in self.capacityProviders)',
  field: 'defaultCapacityProviderStrategy',
}).describe(
  'What the namespace stands for on AWS, what names of AWS mean in it, and what is allowed: the input of CreateCluster and what AWS keeps elsewhere. At most one a namespace.',
);

export type ClusterSpec = Parsed<typeof clusterSpecSchema>;

export const clusterStatusSchema = z
  .object({
    ...commonStatus,
    status: z.enum(['ACTIVE', 'INACTIVE']).optional().describe('ACTIVE; INACTIVE: another one has the namespace.'),
    clusterName: z.string().max(255).optional().describe('Name of the cluster, with the AWS name.'),
    clusterArn: z.string().max(512).optional().describe('Its ARN, where account and region are given.'),
  })
  .describe('What DescribeClusters shows.');

export type ClusterStatus = Parsed<typeof clusterStatusSchema>;

/**
 * Checks and compiles the `spec` of a Cluster.
 * @throws InvalidSpecError
 */
export function parseCluster(raw: unknown): ClusterSpec {
  return parseWith(clusterSpecSchema, raw);
}

/** What holds in a namespace without a Cluster: what one that says nothing would say. */
export const NO_CLUSTER: ClusterSpec = parseCluster({});
