import type { Sample } from './samples.ts';

const account = '111122223333';
const region = 'eu-west-1';

const everything = {
  clusterName: 'Prod_Cluster',
  account,
  region,
  settings: [{ name: 'containerInsights', value: 'enhanced' }],
  configuration: {
    executeCommandConfiguration: {
      kmsKeyId: 'key',
      logging: 'OVERRIDE',
      logConfiguration: { cloudWatchLogGroupName: '/ecs/exec', cloudWatchEncryptionEnabled: true },
    },
    managedStorageConfiguration: { kmsKeyId: 'key', fargateEphemeralStorageKmsKeyId: 'key' },
  },
  capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
  defaultCapacityProviderStrategy: [
    { capacityProvider: 'FARGATE', weight: 1, base: 2 },
    { capacityProvider: 'FARGATE_SPOT', weight: 4 },
  ],
  serviceConnectDefaults: { namespace: 'internal' },
  tags: [{ key: 'team', value: 'web' }],
  mappings: {
    roles: [{ role: `arn:aws:iam::${account}:role/web`, serviceAccountName: 'web' }],
    secrets: [
      { valueFrom: `arn:aws:secretsmanager:${region}:${account}:secret:prod/db-AbCdEf`, secretName: 'db' },
      { valueFrom: '/prod/token', secretName: 'tokens', key: 'prod.token' },
    ],
    secretStores: [{ service: 'SecretsManager', name: 'aws' }],
    files: [
      { value: 'arn:aws:s3:::config/app.env', configMapKeyRef: { name: 'app', key: 'app.env' } },
      { value: 'arn:aws:s3:::config/more.env', secretRef: { name: 'more' } },
    ],
    images: [{ prefix: `${account}.dkr.ecr.${region}.amazonaws.com/`, replacement: 'registry.example.com/' }],
    fileSystems: [
      { id: 'fs-1234567890abcdef0', claimName: 'shared' },
      { id: 'fsap-1234567890abcdef0', nfs: { server: 'nas.example.com', path: '/exports/app' } },
    ],
    storageClasses: [{ volumeType: 'gp3', storageClassName: 'fast', accessMode: 'ReadWriteMany' }],
    serviceRegistries: [
      { registryArn: `arn:aws:servicediscovery:${region}:${account}:service/srv-utcrh6wavdkggqtk`, serviceName: 'api' },
    ],
    alarms: [{ alarmName: 'too-many-errors', query: 'errors > 1' }],
  },
  policy: {
    allowPrivileged: false,
    hostPathPrefixes: ['/var/log'],
    addableCapabilities: ['SYS_PTRACE'],
    targetGroupArns: [
      `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/web/6d0ecf831eec9f09`,
      `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/web/*`,
      `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/shop-*`,
      `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/*`,
    ],
  },
  retention: { stoppedTaskSeconds: 60, stoppedTasks: 3 },
};

const mapped = (mappings: object): object => ({ mappings });

export const clusterSamples: readonly Sample[] = [
  { title: 'a cluster that says nothing', kind: 'Cluster', spec: { tags: null } },
  { title: 'a cluster with everything', kind: 'Cluster', spec: everything },
  ...[
    '*',
    'web',
    `arn:aws:elasticloadbalancing:${region}:*`,
    `arn:aws:elasticloadbalancing:*:${account}:targetgroup/web/*`,
  ].map(
    (arn): Sample => ({
      title: `${arn} among the target groups of AWS`,
      kind: 'Cluster',
      spec: { policy: { targetGroupArns: [arn] } },
      refused: ['spec.policy.targetGroupArns[0]'],
    }),
  ),
  {
    title: 'an account of eleven digits',
    kind: 'Cluster',
    spec: { account: '11112222333' },
    refused: ['spec.account'],
  },
  {
    title: 'a role mapped twice',
    kind: 'Cluster',
    spec: mapped({
      roles: [
        { role: 'web', serviceAccountName: 'a' },
        { role: 'web', serviceAccountName: 'b' },
      ],
    }),
    refused: ['spec.mappings.roles[1]', 'Duplicate value'],
  },
  {
    title: 'a file that is two things',
    kind: 'Cluster',
    spec: mapped({
      files: [{ value: 'arn:aws:s3:::config/app.env', configMapRef: { name: 'a' }, secretRef: { name: 'b' } }],
    }),
    refused: ['spec.mappings.files[0]', 'exactly one of configMapKeyRef, configMapRef, secretRef must be given'],
  },
  {
    title: 'a file system that is nothing',
    kind: 'Cluster',
    spec: mapped({ fileSystems: [{ id: 'fs-1' }] }),
    refused: ['spec.mappings.fileSystems[0]', 'exactly one of claimName, nfs must be given'],
  },
  {
    title: 'a Secret that no Secret can be named',
    kind: 'Cluster',
    spec: mapped({ secrets: [{ valueFrom: 'db', secretName: 'DB_Password' }] }),
    refused: ['spec.mappings.secrets[0].secretName'],
  },
  {
    title: 'sessions logged elsewhere without saying where',
    kind: 'Cluster',
    spec: { configuration: { executeCommandConfiguration: { logging: 'OVERRIDE' } } },
    refused: ['logging OVERRIDE needs a logConfiguration'],
  },
  {
    title: 'a default strategy with a provider that the cluster has not',
    kind: 'Cluster',
    spec: { capacityProviders: ['FARGATE'], defaultCapacityProviderStrategy: [{ capacityProvider: 'SPOT' }] },
    refused: ['spec.defaultCapacityProviderStrategy', 'must be one of capacityProviders'],
  },
  {
    title: 'a strategy with two bases',
    kind: 'Cluster',
    spec: {
      capacityProviders: ['A', 'B'],
      defaultCapacityProviderStrategy: [
        { capacityProvider: 'A', base: 1 },
        { capacityProvider: 'B', base: 1 },
      ],
    },
    refused: ['spec.defaultCapacityProviderStrategy', 'only one capacity provider of a strategy may have a base'],
  },
];
