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

/** A volume of each kind that a job may have. */
const volume = (kind: object): object =>
  container({ volumes: [{ name: 'data', ...kind }], mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }] });

const linux = (linuxParameters: object, fields: object = {}): object => container({ linuxParameters, ...fields });

export const EVERY_JOB_FIELD: readonly object[] = [
  job({ jobName: 'squares' }),
  job({ jobQueue: 'high' }),
  container({ command: ['echo', 'Ref::word'] }),
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
  container({ environment: [{ name: 'NAME', value: 'value' }] }),
  ...['1000', '1000:1000', 'www-data', '1000:www-data'].map((user) => container({ user })),
  container({ privileged: true }),
  container({ readonlyRootFilesystem: true }),
  container({
    volumes: [{ name: 'data', host: { sourcePath: '/srv/data' } }],
    mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: true }],
  }),
  volume({}),
  volume({ efsVolumeConfiguration: { fileSystemId: 'fs-1', rootDirectory: '/jobs' } }),
  volume({
    efsVolumeConfiguration: {
      fileSystemId: 'fs-1',
      transitEncryption: 'ENABLED',
      transitEncryptionPort: 2049,
      authorizationConfig: { accessPointId: 'fsap-1', iam: 'ENABLED' },
    },
  }),
  volume({
    s3filesVolumeConfiguration: { fileSystemArn: S3_FILES, rootDirectory: '/jobs', transitEncryptionPort: 2049 },
  }),
  volume({ s3filesVolumeConfiguration: { fileSystemArn: S3_FILES, accessPointArn: S3_ACCESS_POINT } }),
  container({ secrets: [{ name: 'TOKEN', valueFrom: 'app.token' }] }),
  container({ repositoryCredentials: { credentialsParameter: 'registry' } }),
  container({ jobRoleArn: 'arn:aws:iam::111122223333:role/app' }),
  { ...container({ jobRoleArn: 'arn:aws:iam::111122223333:role/app' }), kubernetes: { serviceAccountName: 'own' } },
  container({ executionRoleArn: 'arn:aws:iam::111122223333:role/execution' }),
  container({ ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 4096 }] }),
  container({ logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': 'jobs' } } }),
  container({ enableExecuteCommand: true }),
  container({ ephemeralStorage: { sizeInGiB: 30 } }),
  container({ runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' } }),
  container({ runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } }),
  container({ networkConfiguration: { assignPublicIp: 'ENABLED' } }),
  container({ fargatePlatformConfiguration: { platformVersion: '1.4.0' } }),
  linux({ devices: [{ hostPath: '/dev/fuse', permissions: ['READ'] }] }),
  linux({ devices: [{ hostPath: '/dev/fuse' }] }, { privileged: true }),
  linux({ initProcessEnabled: true }),
  linux({ sharedMemorySize: 64 }),
  linux({ maxSwap: 64, swappiness: 10 }),
  linux({ tmpfs: [{ containerPath: '/run', size: 16 }] }),
  ...[['ro'], ['ro', 'noexec'], ['noexec']].map((mountOptions) =>
    linux({ tmpfs: [{ containerPath: '/run', size: 16, mountOptions }] }),
  ),
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
