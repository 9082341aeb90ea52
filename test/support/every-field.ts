/**
 * Small task definitions that together give every field of AWS's model, each a value that says something, and meet every
 * case that the support tables tell apart.
 */

const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf';

/** What their names of AWS mean, in a Cluster. */
export const CLUSTER_OF_EVERY_FIELD = {
  account: '111122223333',
  region: 'eu-west-1',
  mappings: {
    roles: [{ role: 'arn:aws:iam::111122223333:role/app', serviceAccountName: 'app' }],
    files: [{ value: 'arn:aws:s3:::bucket/app.env', configMapKeyRef: { name: 'config', key: 'app.env' } }],
    fileSystems: [
      { id: 'fs-1', claimName: 'files' },
      { id: 'fsap-1', claimName: 'point' },
    ],
    storageClasses: [{ volumeType: 'nfs', storageClassName: 'nfs' }],
  },
};

/** Not essential, and has a mount. */
const helper = {
  name: 'helper',
  image: 'busybox',
  memory: 32,
  essential: false,
  mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
};

const task = (fields: object, container: object = {}, ...others: readonly object[]): object => ({
  volumes: [{ name: 'data', host: { sourcePath: '/srv/data' } }],
  ...fields,
  containerDefinitions: [{ name: 'app', image: 'busybox', memory: 64, ...container }, helper, ...others],
});

const app = (fields: object, ...others: readonly object[]): object => task({}, fields, ...others);

/** The only container of its task. */
const alone = (container: object, fields: object = {}): object => ({
  ...fields,
  containerDefinitions: [{ name: 'alone', image: 'busybox', memory: 64, ...container }],
});

const linux = (linuxParameters: object): object => app({ linuxParameters });

const volume = (kind: object): object =>
  task(
    { volumes: [{ name: 'data' }, { name: 'more', ...kind }] },
    { mountPoints: [{ sourceVolume: 'more', containerPath: '/more' }] },
  );

export const EVERY_FIELD: readonly object[] = [
  task({ family: 'web' }),
  task({ taskRoleArn: 'arn:aws:iam::111122223333:role/app' }),
  task({ taskRoleArn: 'arn:aws:iam::111122223333:role/app', kubernetes: { serviceAccountName: 'other' } }),
  task({ executionRoleArn: 'arn:aws:iam::111122223333:role/execution' }),
  ...['host', 'none'].map((networkMode) => task({ networkMode })),
  ...['bridge', 'awsvpc'].map((networkMode) =>
    task({ networkMode }, { portMappings: [{ containerPort: 80, hostPort: 80 }] }),
  ),
  alone({}, { networkMode: 'bridge' }),
  ...['attribute:ecs.instance-type == g2.2xlarge', 'not (task:group == databases)', 'runningTasksCount == 1'].map(
    (expression) => task({ placementConstraints: [{ type: 'memberOf', expression }] }),
  ),
  task({ requiresCompatibilities: ['EC2'] }),
  task({ cpu: '1024', memory: '1024' }, { memory: undefined }),
  task({ tags: [{ key: 'team', value: 'web' }] }),
  ...['host', 'task'].map((pidMode) => task({ pidMode })),
  ...['host', 'task', 'none'].map((ipcMode) => task({ ipcMode })),
  task({
    networkMode: 'awsvpc',
    proxyConfiguration: {
      type: 'APPMESH',
      containerName: 'helper',
      properties: ['IgnoredUID', 'AppPorts', 'ProxyIngressPort', 'ProxyEgressPort'].map((name) => ({
        name,
        value: '15000',
      })),
    },
  }),
  task({ ephemeralStorage: { sizeInGiB: 30 } }),
  ...['LINUX', 'WINDOWS_SERVER_2022_CORE'].map((operatingSystemFamily) =>
    task({ runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily } }),
  ),
  task({ enableFaultInjection: true }),
  task({
    trustedExecutionConfiguration: { isolationMode: 'CONFIDENTIAL_SANDBOX', attestationPolicy: 'cG9saWN5' },
  }),

  volume({ host: { sourcePath: '/srv/more' } }),
  ...['task', 'shared'].map((scope) =>
    volume({
      dockerVolumeConfiguration: {
        scope,
        ...(scope === 'shared' && { autoprovision: true }),
        driver: 'nfs',
        driverOpts: { device: ':/export' },
        labels: { team: 'web' },
      },
    }),
  ),
  volume({
    dockerVolumeConfiguration: { scope: 'task', driver: 'local', driverOpts: { type: 'tmpfs', o: 'size=1m' } },
  }),
  volume({}),
  volume({
    efsVolumeConfiguration: {
      fileSystemId: 'fs-1',
      rootDirectory: '/',
      transitEncryption: 'ENABLED',
      transitEncryptionPort: 2999,
      authorizationConfig: { accessPointId: 'fsap-1', iam: 'ENABLED' },
    },
  }),
  volume({ efsVolumeConfiguration: { fileSystemId: 'fs-1', rootDirectory: '/web' } }),
  volume({
    s3filesVolumeConfiguration: {
      fileSystemArn: 'arn:aws:s3files:eu-west-1:111122223333:file-system/fs-1',
      rootDirectory: '/',
      transitEncryptionPort: 2999,
      accessPointArn: 'arn:aws:s3files:eu-west-1:111122223333:file-system/fs-1/access-point/fsap-1',
    },
  }),
  volume({
    s3filesVolumeConfiguration: { fileSystemArn: 'arn:aws:s3files:eu-west-1:111122223333:file-system/fs-1' },
  }),
  volume({
    fsxWindowsFileServerVolumeConfiguration: {
      fileSystemId: 'fs-1',
      rootDirectory: 'share',
      authorizationConfig: { credentialsParameter: SECRET, domain: 'example.com' },
    },
  }),
  volume({ configuredAtLaunch: true }),

  app({ repositoryCredentials: { credentialsParameter: SECRET } }),
  app({ cpu: 256, memoryReservation: 32 }),
  app({ links: ['helper:alias'] }),
  app({
    portMappings: [
      { containerPort: 80, hostPort: 8080, protocol: 'udp', name: 'web', appProtocol: 'http' },
      { containerPort: 81, hostPort: 0, name: 'admin_port' },
      { containerPortRange: '9000-9010' },
    ],
  }),
  app({ restartPolicy: { enabled: true, ignoredExitCodes: [0, 3], restartAttemptPeriod: 60 } }),
  app({ entryPoint: ['sh', '-c'], command: ['exec wait'], workingDirectory: '/srv' }),
  app({ environment: [{ name: 'NAME', value: 'value' }] }),
  app({ environmentFiles: [{ value: 'arn:aws:s3:::bucket/app.env', type: 's3' }] }),
  app({ secrets: [{ name: 'PASSWORD', valueFrom: SECRET }] }),
  app({
    mountPoints: [{ sourceVolume: 'data', containerPath: '/own', readOnly: true }],
    volumesFrom: [{ sourceContainer: 'helper', readOnly: true }],
  }),
  linux({ capabilities: { add: ['SYS_PTRACE'], drop: ['NET_RAW'] } }),
  linux({ devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse0', permissions: ['read'] }] }),
  alone({ privileged: true, linuxParameters: { devices: [{ hostPath: '/dev/fuse' }] } }),
  linux({ initProcessEnabled: true }),
  linux({ sharedMemorySize: 128 }),
  linux({ tmpfs: [{ containerPath: '/memory', size: 16, mountOptions: ['ro'] }] }),
  ...[['noexec'], ['ro', 'noexec']].map((mountOptions) =>
    linux({ tmpfs: [{ containerPath: '/memory', size: 16, mountOptions }] }),
  ),
  linux({ maxSwap: 64, swappiness: 10 }),
  app(
    {
      dependsOn: [
        { containerName: 'helper', condition: 'START' },
        { containerName: 'migrate', condition: 'SUCCESS' },
        { containerName: 'seed', condition: 'COMPLETE' },
        { containerName: 'database', condition: 'HEALTHY' },
        { containerName: 'queue', condition: 'START' },
      ],
    },
    { name: 'queue', image: 'busybox', memory: 8 },
    { name: 'migrate', image: 'busybox', memory: 8, essential: false, startTimeout: 60 },
    { name: 'seed', image: 'busybox', memory: 8, essential: false, stopTimeout: 90 },
    { name: 'database', image: 'busybox', memory: 8, healthCheck: { command: ['CMD', 'true'] } },
  ),
  app({ stopTimeout: 60 }),
  app({ stopTimeout: 60 }, { name: 'slow', image: 'busybox', memory: 8, stopTimeout: 90 }),
  ...['enabled', 'disabled'].map((versionConsistency) => app({ versionConsistency })),
  app({ hostname: 'web' }, { name: 'other', image: 'busybox', memory: 8, hostname: 'other' }),
  task({ networkMode: 'host' }, { hostname: 'web' }),
  ...['1000', '1000:1000', 'www-data', '1000:www-data'].map((user) => app({ user })),
  app({ disableNetworking: true }),
  app({ privileged: true }),
  app({ readonlyRootFilesystem: true }),
  app({ dnsServers: ['10.0.0.2'], dnsSearchDomains: ['example.com'] }),
  alone({ dnsServers: ['10.0.0.2'], dnsSearchDomains: ['example.com'] }),
  alone({ dnsServers: ['resolver'], dnsSearchDomains: ['_'] }),
  alone({ dnsSearchDomains: ['example.com'] }),
  app({ extraHosts: [{ hostname: 'db.example.com', ipAddress: '10.0.0.3' }] }),
  alone({ extraHosts: [{ hostname: 'db.example.com', ipAddress: '10.0.0.3' }] }),
  alone({ extraHosts: [{ hostname: '_', ipAddress: 'gateway' }] }),
  ...['no-new-privileges', 'apparmor:unconfined', 'label:level:s0', 'credentialspec:file'].map((option) =>
    app({ dockerSecurityOptions: [option] }),
  ),
  app({ interactive: true, pseudoTerminal: true }),
  app({ dockerLabels: { team: 'web' } }),
  app({ ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 4096 }] }),
  app({
    logConfiguration: {
      logDriver: 'awslogs',
      options: { 'awslogs-group': '/ecs/web', 'awslogs-region': 'eu-west-1' },
      secretOptions: [{ name: 'token', valueFrom: SECRET }],
    },
  }),
  app({ healthCheck: { command: ['CMD', 'true'], interval: 10, timeout: 3, retries: 5, startPeriod: 20 } }),
  app({ systemControls: [{ namespace: 'net.ipv4.tcp_syncookies', value: '1' }] }),
  alone({ systemControls: [{ namespace: 'net.ipv4.tcp_syncookies', value: '1' }] }),
  alone({ systemControls: [{ namespace: 'net.core.somaxconn', value: '1024' }] }),
  alone({ systemControls: [{ namespace: 'net.core.somaxconn', value: '1024' }] }, { networkMode: 'host' }),
  ...['1', 'ALL'].map((value) => app({ resourceRequirements: [{ type: 'GPU', value }] })),
  app({ resourceRequirements: [{ type: 'NeuronDevice', value: 'ALL' }] }),
  app({
    resourceRequirements: [{ type: 'GPU', sharingStrategy: { nvidiaMps: { memory: 1024, maxComputePercent: 50 } } }],
  }),
  app(
    { firelensConfiguration: { type: 'fluentbit', options: { 'enable-ecs-log-metadata': 'false' } } },
    { name: 'logging', image: 'busybox', memory: 8, logConfiguration: { logDriver: 'awsfirelens' } },
  ),
  app({ credentialSpecs: ['credentialspec:arn:aws:s3:::bucket/spec.json'] }),
];
