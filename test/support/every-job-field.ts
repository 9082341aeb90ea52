/** As `every-field.ts`, of a BatchJob. */

const S3_FILES = 'arn:aws:s3files:eu-west-1:111122223333:file-system/fs-1';
const S3_ACCESS_POINT = `${S3_FILES}/access-point/fsap-1`;

const properties = { image: 'busybox', vcpus: 1, memory: 64 };

const job = (fields: object): object => ({ containerProperties: properties, ...fields });

const container = (fields: object): object => job({ containerProperties: { ...properties, ...fields } });

const requirements = (...others: readonly object[]): readonly object[] => [
  { type: 'VCPU', value: '2' },
  { type: 'MEMORY', value: '128' },
  ...others,
];

/** On Fargate. */
const fargate = (fields: object): object =>
  job({ platformCapabilities: ['FARGATE'], containerProperties: { image: 'busybox', ...fields } });

/** A container that may have ended before others start. */
const helper = { name: 'helper', image: 'busybox', essential: false };

const containers = (all: readonly object[], task: object = {}): object => ({
  ecsProperties: { taskProperties: [{ ...task, containers: all }] },
});

/** A job of several containers, of which one has the fields. */
const several = (fields: object, task: object = {}): object =>
  containers([{ name: 'app', image: 'busybox', ...fields }, helper], task);

const overriding = (overrides: object): object => ({
  ...several({}),
  ecsPropertiesOverride: { taskProperties: [{ containers: [{ name: 'helper', ...overrides }] }] },
});

/** Volumes that the containers of any job may have. */
const VOLUMES: readonly object[] = [
  {},
  { host: { sourcePath: '/srv/data' } },
  { efsVolumeConfiguration: { fileSystemId: 'fs-1', rootDirectory: '/jobs' } },
  {
    efsVolumeConfiguration: {
      fileSystemId: 'fs-1',
      transitEncryption: 'ENABLED',
      transitEncryptionPort: 2049,
      authorizationConfig: { accessPointId: 'fsap-1', iam: 'ENABLED' },
    },
  },
  { s3filesVolumeConfiguration: { fileSystemArn: S3_FILES, rootDirectory: '/jobs', transitEncryptionPort: 2049 } },
  { s3filesVolumeConfiguration: { fileSystemArn: S3_FILES, accessPointArn: S3_ACCESS_POINT } },
];
const mounted = { mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: true }] };
const volumes = (kind: object): object => ({ volumes: [{ name: 'data', ...kind }] });

/** What every container of a job may have. */
const CONTAINER_FIELDS: readonly object[] = [
  { command: ['echo', 'Ref::word'] },
  { environment: [{ name: 'NAME', value: 'value' }] },
  { secrets: [{ name: 'TOKEN', valueFrom: 'app.token' }] },
  { repositoryCredentials: { credentialsParameter: 'registry' } },
  ...['1000', '1000:1000', 'www-data', '1000:www-data'].map((user) => ({ user })),
  { privileged: true },
  { readonlyRootFilesystem: true },
  { ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 4096 }] },
  { logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'jobs' } } },
  { linuxParameters: { devices: [{ hostPath: '/dev/fuse', permissions: ['READ'] }] } },
  { privileged: true, linuxParameters: { devices: [{ hostPath: '/dev/fuse' }] } },
  { linuxParameters: { initProcessEnabled: true } },
  { linuxParameters: { sharedMemorySize: 64 } },
  { linuxParameters: { maxSwap: 64, swappiness: 10 } },
  { linuxParameters: { tmpfs: [{ containerPath: '/run', size: 16 }] } },
  ...[['ro'], ['ro', 'noexec'], ['noexec']].map((mountOptions) => ({
    linuxParameters: { tmpfs: [{ containerPath: '/run', size: 16, mountOptions }] },
  })),
];

const ROLE = 'arn:aws:iam::111122223333:role/app';

/** What the task of every job may have. */
const TASK_FIELDS: readonly object[] = [
  { executionRoleArn: 'arn:aws:iam::111122223333:role/execution' },
  { enableExecuteCommand: true },
  { ephemeralStorage: { sizeInGiB: 30 } },
  { runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' } },
  { runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } },
  { networkConfiguration: { assignPublicIp: 'ENABLED' } },
];

export const EVERY_JOB_FIELD: readonly object[] = [
  job({ jobName: 'squares' }),
  job({ jobQueue: 'high' }),
  { parameters: { word: 'hello' }, containerProperties: { ...properties, command: ['echo', 'Ref::word'] } },
  job({ arrayProperties: { size: 5 } }),
  job({ retryStrategy: { attempts: 3 } }),
  ...['onExitCode', 'onReason', 'onStatusReason'].map((field) =>
    job({ retryStrategy: { attempts: 3, evaluateOnExit: [{ action: 'EXIT', [field]: '1*' }] } }),
  ),
  job({ arrayProperties: { size: 5 }, dependsOn: [{ jobId: 'build', type: 'N_TO_N' }] }),
  job({ timeout: { attemptDurationSeconds: 60 } }),
  job({
    containerOverrides: {
      command: ['echo', 'override'],
      environment: [{ name: 'NAME', value: 'override' }],
      resourceRequirements: requirements(),
    },
  }),
  job({ containerProperties: { image: 'busybox', resourceRequirements: requirements({ type: 'GPU', value: '1' }) } }),
  ...[...CONTAINER_FIELDS, ...TASK_FIELDS].map((fields) => container(fields)),
  ...CONTAINER_FIELDS.map((fields) => several(fields)),
  ...TASK_FIELDS.map((fields) => several({}, fields)),
  ...VOLUMES.flatMap((kind) => [container({ ...mounted, ...volumes(kind) }), several(mounted, volumes(kind))]),
  ...[{}, { kubernetes: { serviceAccountName: 'own' } }].flatMap((options) => [
    { ...container({ jobRoleArn: ROLE }), ...options },
    { ...several({}, { taskRoleArn: ROLE }), ...options },
  ]),
  several({ resourceRequirements: requirements({ type: 'GPU', value: '1' }) }),
  ...['START', 'COMPLETE', 'SUCCESS'].map((condition) =>
    several({ dependsOn: [{ containerName: 'helper', condition }] }),
  ),
  containers([
    { name: 'app', image: 'busybox' },
    { ...helper, dependsOn: [{ containerName: 'app', condition: 'START' }] },
  ]),
  containers([
    { name: 'app', image: 'busybox', dependsOn: [{ containerName: 'helper', condition: 'SUCCESS' }] },
    { ...helper, startTimeout: 60 },
  ]),
  several({ stopTimeout: 60 }),
  several({ stopTimeout: 20 }),
  containers([
    { name: 'app', image: 'busybox', logConfiguration: { logDriver: 'awsfirelens' } },
    { ...helper, firelensConfiguration: { type: 'fluentbit' } },
  ]),
  ...['host', 'awsvpc', 'bridge', 'none'].map((networkMode) => several({}, { networkMode })),
  ...['host', 'task'].map((pidMode) => several({}, { pidMode })),
  ...['host', 'task', 'none'].map((ipcMode) => several({}, { ipcMode })),
  several({}, { platformVersion: '1.4.0' }),
  overriding({ command: ['echo', 'override'] }),
  overriding({ environment: [{ name: 'NAME', value: 'override' }] }),
  overriding({ resourceRequirements: requirements({ type: 'GPU', value: '1' }) }),
  container({ fargatePlatformConfiguration: { platformVersion: '1.4.0' } }),
  fargate({
    resourceRequirements: [
      { type: 'VCPU', value: '0.25' },
      { type: 'MEMORY', value: '512' },
    ],
  }),
  job({ containerOverrides: { vcpus: 2, memory: 128 } }),
  {
    containerProperties: { image: 'busybox', resourceRequirements: requirements() },
    containerOverrides: { vcpus: 4, memory: 256 },
  },
  job({ tags: { team: 'data' } }),
  job({ tags: { team: 'data' }, propagateTags: true }),
  job({ shareIdentifier: 'science' }),
  job({ schedulingPriority: 10 }),
  job({ schedulingPriorityOverride: 10 }),
];
