import { z } from 'zod';
import { integer, keyedList, type Parsed, withRules } from './schema.ts';

const objectName = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);

/** RFC 1035, as the API server asks of a core Service. */
export const CORE_SERVICE_NAME = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;
const coreServiceName = () => z.string().min(1).max(63).regex(CORE_SERVICE_NAME);

/** A key of a Secret or ConfigMap. */
const dataKey = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/);

const arnOrName = () => z.string().min(1).max(2048);

const exactlyOne = (fields: readonly string[]) => ({
  message: `exactly one of ${fields.join(', ')} must be given`,
  holds: (entry: object) => fields.filter((field) => Reflect.get(entry, field) !== undefined).length === 1,
  cel: `[${fields.map((field) => `has(self.${field})`).join(', ')}].filter(given, given).size() == 1`,
});

const roleSchema = z
  .strictObject({
    role: arnOrName().describe('taskRoleArn as task definitions have it: ARN or name of the role.'),
    serviceAccountName: objectName().describe('ServiceAccount of the same namespace that stands for it.'),
  })
  .describe('What a task role is here.');

const secretSchema = z
  .strictObject({
    valueFrom: arnOrName().describe(
      'ARN of a Secrets Manager secret, or ARN or name of an SSM parameter, as secrets[].valueFrom or credentialsParameter has it. Without the part from :json-key on, it stands for all of them; without the six characters that Secrets Manager appends to a name as well.',
    ),
    secretName: objectName().describe(
      'Secret of the same namespace. For repositoryCredentials it has to be of type kubernetes.io/dockerconfigjson.',
    ),
    key: dataKey()
      .optional()
      .describe('Key in the Secret. Default: the json-key of the reference if it has one, otherwise value.'),
  })
  .describe('Where a secret is here.');

const secretStoreSchema = z
  .strictObject({
    service: z
      .enum(['SecretsManager', 'ParameterStore'])
      .describe('The AWS service whose secrets the store reads: SecretsManager or ParameterStore.'),
    kind: z
      .enum(['SecretStore', 'ClusterSecretStore'])
      .default('ClusterSecretStore')
      .describe('SecretStore (of the same namespace) or ClusterSecretStore (default).'),
    name: objectName().describe('Name of the store.'),
  })
  .describe(
    'A store of the External Secrets Operator. Secrets that no other mapping names are fetched through it: Longshore makes an ExternalSecret for each.',
  );

const keyReference = (of: string) =>
  z.strictObject({
    name: objectName().describe(`Name of the ${of} in the same namespace.`),
    key: dataKey().describe('Key that has the text of the file.'),
  });

const wholeReference = (of: string) =>
  z.strictObject({ name: objectName().describe(`Name of the ${of} in the same namespace.`) });

const fileSchema = withRules(
  z.strictObject({
    value: arnOrName().describe('ARN of the S3 object, as environmentFiles[].value has it.'),
    configMapKeyRef: keyReference('ConfigMap')
      .optional()
      .describe("The text of the file; read when a task starts, by ECS's rules."),
    configMapRef: wholeReference('ConfigMap').optional().describe('A ConfigMap whose keys are the variables.'),
    secretRef: wholeReference('Secret')
      .optional()
      .describe('A Secret whose keys are the variables. Longshore does not read it.'),
  }),
  exactlyOne(['configMapKeyRef', 'configMapRef', 'secretRef']),
).describe(
  'Where an environment file is here. Variables of a configMapKeyRef win over those of the other two forms, whatever their order.',
);

const imageSchema = z
  .strictObject({
    prefix: z
      .string()
      .min(1)
      .max(512)
      .describe(
        'Beginning of image names, such as 111122223333.dkr.ecr.eu-west-1.amazonaws.com/ or docker.io/library/; the longest that fits counts.',
      ),
    replacement: z.string().min(1).max(512).describe('What takes its place, such as registry.example.com/team/.'),
  })
  .describe('Where images are here.');

const fileSystemSchema = withRules(
  z.strictObject({
    id: arnOrName().describe(
      'Id or ARN of the EFS, FSx or S3 Files file system, or of the access point where the volume names one.',
    ),
    claimName: objectName().optional().describe('PersistentVolumeClaim of the same namespace that has the files.'),
    nfs: z
      .strictObject({
        server: z.string().min(1).max(253).describe('Host name or address of the NFS server.'),
        path: z
          .string()
          .min(1)
          .max(4096)
          .regex(/^\//)
          .default('/')
          .describe('Exported directory that is the root of the file system. Default: /.'),
      })
      .optional()
      .describe('An NFS export that has the files.'),
  }),
  exactlyOne(['claimName', 'nfs']),
).describe('What a file system is here.');

const storageClassSchema = z
  .strictObject({
    volumeType: z
      .string()
      .min(1)
      .max(255)
      .describe(
        'EBS volume type (gp3, io2 …) of a volume configured at launch, or driver (local …) of a shared Docker volume.',
      ),
    storageClassName: objectName().describe('StorageClass of the claims made for it.'),
    accessMode: z
      .enum(['ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod'])
      .default('ReadWriteOnce')
      .describe('Access mode of the claims: ReadWriteOnce (default), ReadWriteMany or ReadWriteOncePod.'),
    sizeInGiB: z
      .int32()
      .min(1)
      .max(65536)
      .default(1)
      .describe('Size of claims for Docker volumes, which have none of their own, in GiB, 1 to 65536. Default: 1.'),
  })
  .describe('Which StorageClass stands for a type of volume.');

const serviceRegistrySchema = z
  .strictObject({
    registryArn: arnOrName().describe('ARN of the Cloud Map service, as serviceRegistries[].registryArn has it.'),
    serviceName: coreServiceName().describe('Name of the core Service that is to answer to it.'),
  })
  .describe('Which name a Cloud Map service has here.');

const alarmSchema = withRules(
  z.strictObject({
    alarmName: z.string().min(1).max(255).describe('Name of the CloudWatch alarm.'),
    query: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .describe('PromQL query that gives a vector: with an element the alarm is in ALARM, without it is OK.'),
    condition: z
      .strictObject({
        apiVersion: z.string().min(1).max(316).describe('apiVersion of the object, such as monitoring.example/v1.'),
        kind: z.string().min(1).max(63).describe('Kind of the object.'),
        name: objectName().describe('Name of the object, in the same namespace where its kind has namespaces.'),
        type: z.string().min(1).max(316).describe('Type of the condition in its status.conditions.'),
        status: z
          .enum(['True', 'False', 'Unknown'])
          .default('True')
          .describe('Status of the condition that means ALARM: True (default), False or Unknown.'),
      })
      .optional()
      .describe('Condition of an object.'),
  }),
  exactlyOne(['query', 'condition']),
).describe('What a CloudWatch alarm is here. A source that cannot be read is INSUFFICIENT_DATA, not ALARM.');

const alarmEvaluationSchema = z
  .strictObject({
    prometheusUrl: z
      .string()
      .max(2048)
      .regex(/^https?:\/\/[^\s?#]+$/)
      .optional()
      .describe('Prometheus, such as http://prometheus.monitoring:9090; the operator asks its /api/v1/query.'),
    intervalSeconds: integer(1, 300)
      .default(15)
      .describe('Seconds between two looks at an alarm of a deployment in progress, 1 to 300. Default: 15.'),
    timeoutSeconds: integer(1, 30).default(5).describe('Seconds to wait for an answer, 1 to 30. Default: 5.'),
  })
  .describe('How alarms are evaluated: only while a deployment that has alarms is in progress.');

const mapping = <Item extends z.ZodObject>(item: Item, key: string, text: string, max = 200) =>
  keyedList(item, key, { max }).default([]).describe(`${text}, at most ${max}.`);

/** What names of AWS mean in this namespace. */
export const clusterMappingsSchema = z
  .strictObject({
    roles: mapping(roleSchema, 'role', 'Task roles → ServiceAccounts'),
    secrets: mapping(secretSchema, 'valueFrom', 'Secrets and parameters → keys of Secrets', 500),
    secretStores: mapping(secretStoreSchema, 'service', 'Stores of the External Secrets Operator', 2),
    files: mapping(fileSchema, 'value', 'S3 objects of environmentFiles → ConfigMaps and Secrets'),
    images: mapping(imageSchema, 'prefix', 'Beginnings of image names → others'),
    fileSystems: mapping(fileSystemSchema, 'id', 'File systems → PersistentVolumeClaims or NFS exports'),
    storageClasses: mapping(storageClassSchema, 'volumeType', 'Types of volumes → StorageClasses'),
    serviceRegistries: mapping(serviceRegistrySchema, 'registryArn', 'Cloud Map services → names of core Services'),
    alarms: mapping(alarmSchema, 'alarmName', 'CloudWatch alarms → queries and conditions'),
    alarmEvaluation: alarmEvaluationSchema.prefault({}),
  })
  .describe('What names of AWS mean in this namespace. A change holds for tasks that start after it.');

export type ClusterMappings = Parsed<typeof clusterMappingsSchema>;
export type SecretMapping = ClusterMappings['secrets'][number];
export type AlarmMapping = ClusterMappings['alarms'][number];
export type FileMapping = ClusterMappings['files'][number];
export type FileSystemMapping = ClusterMappings['fileSystems'][number];
