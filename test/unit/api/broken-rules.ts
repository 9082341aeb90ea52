import { brokenJobs } from './broken-rules-of-jobs.ts';
import { brokenRulesOfOthers } from './broken-rules-of-others.ts';
import { container, type SampleKind, scheduled, task } from './samples.ts';

/** A spec that breaks one rule of the schema, and what every checker must say about it. */
export interface BrokenRule {
  readonly kind: SampleKind;
  readonly path: string;
  readonly message: string;
  readonly spec: unknown;
}

type Fields = Record<string, unknown>;

const containers = 'spec.containerDefinitions';
const first = `${containers}[0]`;

const broken = (path: string, message: string, spec: Fields): BrokenRule => ({
  kind: 'TaskDefinition',
  path,
  message,
  spec: JSON.parse(JSON.stringify(spec)) as unknown,
});

/** A rule about one container, or about one beside another, which is not essential. */
const ofContainer = (path: string, message: string, fields: Fields, task_: Fields = {}): BrokenRule =>
  broken(path, message, task({ containerDefinitions: [container(fields)], ...task_ }));
const ofTwo = (path: string, message: string, fields: Fields, side: Fields = {}, task_: Fields = {}): BrokenRule =>
  broken(path, message, {
    containerDefinitions: [
      container({ name: 'side', essential: false, ...side }),
      container({ memory: undefined, memoryReservation: 64, ...fields }),
    ],
    ...task_,
  });
const ofVolume = (path: string, message: string, fields: Fields, task_: Fields = {}): BrokenRule =>
  broken(path, message, task({ volumes: [{ name: 'data', ...fields }], ...task_ }));
const efs = (path: string, message: string, fields: Fields): BrokenRule =>
  ofVolume(`spec.volumes[0].efsVolumeConfiguration.${path}`, message, {
    efsVolumeConfiguration: { fileSystemId: 'fs-1', ...fields },
  });

const awsvpc = { networkMode: 'awsvpc' };
const fargate = { ...awsvpc, requiresCompatibilities: ['FARGATE'], cpu: '256', memory: '512' };
const onFargate = (message: string, fields: Fields) =>
  ofContainer(containers, `container 'web': ${message}`, fields, fargate);
const unsupported = (field: string) => `Fargate compatible task definitions do not support ${field}`;
const noSize = (cpu: number, memory: number) =>
  `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. See the Amazon ECS documentation for the valid values.`;
const badCpu = (given: string) =>
  `Invalid 'cpu' setting for task. Fargate takes 256, 512, 1024, 2048, 4096, 8192, 16384, 32768 CPU units, others 128 to 196608; got '${given}'.`;

const waitsFor = (containerName: string, condition: string) => ({ dependsOn: [{ containerName, condition }] });
const ports = (...portMappings: Fields[]) => ({ portMappings });
const secret = (name: string) => ({ name, valueFrom: 'arn:aws:ssm:eu-west-1:111122223333:parameter/x' });
const log = (logDriver: string, options: Fields = {}) => ({ logConfiguration: { logDriver, options } });
const awslogs = { 'awslogs-group': 'g', 'awslogs-region': 'eu-west-1' };
const router = { firelensConfiguration: { type: 'fluentbit' } };
const proxy = (...names: string[]) => ({
  proxyConfiguration: { containerName: 'web', properties: names.map((name) => ({ name, value: '1' })) },
});

const brokenTaskDefinitions: readonly BrokenRule[] = [
  // Essential containers, dependencies.
  ofContainer(
    containers,
    "Task definition doesn't have any essential container. Leave essential out, or set it to true on one of them.",
    { essential: false },
  ),
  ofTwo(
    containers,
    "container 'web': Cannot depend on container + 'db' because it does not exist",
    waitsFor('db', 'START'),
  ),
  ofTwo(
    containers,
    "container 'side' depends on 'web': A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    {},
    waitsFor('web', 'SUCCESS'),
  ),
  ofTwo(
    containers,
    "container 'web' depends on 'side': A dependency container with HEALTHY condition must have health check configured",
    waitsFor('side', 'HEALTHY'),
  ),
  ofTwo(containers, "container 'web': Invalid 'links' setting. Unknown container: 'db:database'.", {
    links: ['side', 'db:database'],
  }),
  ofTwo(containers, "container 'web': Invalid 'volumesFrom' setting. Unknown container: 'db'.", {
    volumesFrom: [{ sourceContainer: 'side' }, { sourceContainer: 'db' }],
  }),
  ofContainer(`${first}.dependsOn`, 'a container cannot depend on itself', waitsFor('web', 'START')),
  ofContainer(`${first}.links`, 'a container cannot link to itself', { links: ['web:me'] }),
  ofContainer(`${first}.volumesFrom`, 'a container cannot take volumes from itself', {
    volumesFrom: [{ sourceContainer: 'web' }],
  }),

  // CPU and memory.
  broken('spec.cpu', "Fargate requires that 'cpu' be defined at the task level.", task({ ...fargate, cpu: null })),
  broken(
    'spec.memory',
    "Fargate requires that 'memory' be defined at the task level.",
    task({ ...fargate, memory: null }),
  ),
  broken('spec.cpu', badCpu('300'), task({ ...fargate, cpu: '300' })),
  broken('spec.cpu', badCpu('.1 vCPU'), task({ cpu: '.1 vCPU' })),
  broken(
    'spec.memory',
    "Invalid 'memory' setting for task. It takes 4 MiB or more; got '3'.",
    task({ memory: '3', containerDefinitions: [container({ memory: null })] }),
  ),
  broken('spec.memory', noSize(1024, 1024), task({ ...fargate, cpu: '1 vCPU', memory: '1GB' })),
  broken('spec.memory', noSize(32768, 65536), task({ ...fargate, cpu: '32 vCPU', memory: '64 GB' })),
  broken(
    'spec.memory',
    noSize(512, 2048),
    task({
      ...fargate,
      cpu: '512',
      memory: '2048',
      runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' },
    }),
  ),
  ofTwo(
    containers,
    "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'. It is 300, the task has '256'.",
    { cpu: 200 },
    { cpu: 100 },
    { cpu: '256' },
  ),
  ofTwo(
    containers,
    "The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'. It is 600, the task has '.5 GB'.",
    { memoryReservation: 400 },
    { memoryReservation: 200, memory: null },
    { memory: '.5 GB' },
  ),
  ofContainer(
    containers,
    "The 'memory' setting for container 'web' is greater than for the task.",
    { memory: 1025 },
    { memory: '1GB' },
  ),
  ofTwo(
    containers,
    "Invalid setting for container 'web'. At least one of 'memory' or 'memoryReservation' must be specified.",
    { memoryReservation: null },
  ),
  ofContainer(
    `${first}.memory`,
    "Invalid setting for container 'web'. 'memory' must be greater than or equal to 'memoryReservation'.",
    { memoryReservation: 256 },
  ),

  // Network.
  broken('spec.networkMode', "Fargate only supports network mode 'awsvpc'.", task({ ...fargate, networkMode: null })),
  ofTwo(containers, 'Links are not supported when networkMode=awsvpc.', { links: ['side'] }, {}, awsvpc),
  ...[
    ['hostname is', { hostname: 'web' }] as const,
    ['Extra hosts are', { extraHosts: [{ hostname: 'db', ipAddress: '10.0.0.1' }] }] as const,
    ['DNS servers are', { dnsServers: ['10.0.0.1'] }] as const,
    ['DNS search domains are', { dnsSearchDomains: ['example.com'] }] as const,
    ['Disable Networking is', { disableNetworking: true }] as const,
  ].map(([subject, fields]) =>
    ofContainer(
      containers,
      `container 'web': ${subject} not supported on container when networkMode=awsvpc.`,
      fields,
      awsvpc,
    ),
  ),
  broken(
    'spec.proxyConfiguration',
    'APPMESH proxy configuration is only supported in networkMode=awsvpc',
    task(proxy('IgnoredUID', 'AppPorts', 'ProxyIngressPort', 'ProxyEgressPort')),
  ),
  broken(
    'spec.proxyConfiguration',
    'Proxy container [envoy] does not exist.',
    task({
      ...awsvpc,
      proxyConfiguration: {
        ...proxy('IgnoredGID', 'AppPorts', 'ProxyIngressPort', 'ProxyEgressPort').proxyConfiguration,
        containerName: 'envoy',
      },
    }),
  ),
  broken('spec.proxyConfiguration.properties', 'Ingress port not found', task({ ...awsvpc, ...proxy() })),
  broken(
    'spec.proxyConfiguration.properties',
    'Ignored UID or GID not found',
    task({ ...awsvpc, ...proxy('AppPorts', 'ProxyIngressPort', 'ProxyEgressPort') }),
  ),

  // Ports.
  ofContainer(
    containers,
    "container 'web': portMappings are not allowed when networkMode=none",
    ports({ containerPort: 80 }),
    { networkMode: 'none' },
  ),
  ...(['awsvpc', 'host'] as const).map((networkMode) =>
    ofContainer(
      containers,
      `container 'web', hostPort 8080: When networkMode=${networkMode}, the host ports and container ports in port mappings must match.`,
      ports({ containerPort: 443, hostPort: 443 }, { containerPort: 80, hostPort: 8080 }),
      { networkMode },
    ),
  ),
  ofContainer(
    containers,
    "container 'web', containerPortRange 80-90: port ranges are only supported when networkMode=bridge or awsvpc",
    ports({ containerPortRange: '80-90' }),
    { networkMode: 'host' },
  ),
  ofTwo(
    containers,
    "UDP container port '53' is used multiple times in task when networkMode=awsvpc.",
    ports({ containerPort: 53, protocol: 'udp' }),
    ports({ containerPort: 53 }, { containerPort: 53, protocol: 'udp' }),
    awsvpc,
  ),
  ofTwo(
    containers,
    "TCP host port '80' is mapped multiple times in task.",
    ports({ containerPort: 80, hostPort: 80 }, { containerPort: 80, hostPort: 0 }),
    ports({ containerPort: 8080, hostPort: 80 }, { containerPort: 80, hostPort: 0 }),
  ),
  ofTwo(
    containers,
    "TCP host port '443' is mapped multiple times in task.",
    ports({ containerPort: 80 }, { containerPort: 443 }),
    ports({ containerPort: 80 }, { containerPort: 443 }),
    { networkMode: 'host' },
  ),
  ofTwo(
    containers,
    'When networkMode=bridge, port mapping name is already used',
    ports({ containerPort: 80, name: 'http' }),
    ports({ containerPort: 80 }, { containerPort: 81, name: 'http' }),
  ),
  ofContainer(`${first}.portMappings`, "Invalid 'containerPort' setting for container 'web'.", ports({ hostPort: 80 })),
  ofContainer(
    `${first}.portMappings`,
    "Invalid port mapping for container 'web', cannot specify both single port and port range.",
    ports({ containerPort: 80, containerPortRange: '90-99' }),
  ),
  ofContainer(
    `${first}.portMappings`,
    "Invalid 'containerPortRange' setting for container 'web'. It takes first-last, from 1 to 65535; got '99-90'.",
    ports({ containerPort: 80 }, { containerPortRange: '99-90' }),
  ),
  ofContainer(
    `${first}.portMappings`,
    "containerPortRange 85-95 overlaps another port mapping of container 'web'",
    ports({ containerPortRange: '80-90', protocol: 'udp' }, { containerPortRange: '85-95' }, { containerPort: 95 }),
  ),

  // Volumes.
  ofTwo(
    containers,
    "container 'web': Unknown volume 'logs'.",
    {
      mountPoints: [
        { sourceVolume: 'data', containerPath: '/data' },
        { sourceVolume: 'logs', containerPath: '/logs' },
      ],
    },
    {},
    { volumes: [{ name: 'data' }] },
  ),
  ofVolume('spec.volumes', 'Volumes [data] are not referenced by any of the containers', { configuredAtLaunch: true }),
  ofContainer(
    'spec.volumes',
    'only one volume configured at launch is supported; 2 have configuredAtLaunch',
    {
      mountPoints: [
        { sourceVolume: 'a', containerPath: '/a' },
        { sourceVolume: 'b', containerPath: '/b' },
      ],
    },
    { volumes: ['a', 'b'].map((name) => ({ name, configuredAtLaunch: true })) },
  ),
  ofVolume(
    'spec.volumes[0]',
    'When the volume parameter is specified, only one volume configuration type should be used.',
    { host: { sourcePath: '/data' }, efsVolumeConfiguration: { fileSystemId: 'fs-1' } },
  ),
  ofVolume(
    'spec.volumes[0].dockerVolumeConfiguration.autoprovision',
    "When 'scope' parameter is 'task', 'autoprovision' must either not be specified or set to 'True'.",
    { dockerVolumeConfiguration: { autoprovision: false } },
  ),
  efs('rootDirectory', 'When using an EFS access point, the root directory must either be set to "/" or be omitted.', {
    rootDirectory: '/data',
    transitEncryption: 'ENABLED',
    authorizationConfig: { accessPointId: 'fsap-1' },
  }),
  efs('transitEncryption', 'EFS IAM authorization requires TransitEncryption to be enabled.', {
    authorizationConfig: { iam: 'ENABLED', accessPointId: 'fsap-1' },
  }),
  efs('transitEncryption', 'an EFS access point requires TransitEncryption to be enabled', {
    authorizationConfig: { accessPointId: 'fsap-1' },
  }),
  efs('transitEncryptionPort', 'TransitEncryptionPort requires that TransitEncryption is enabled.', {
    transitEncryptionPort: 2999,
  }),
  ofVolume(
    'spec.volumes[0].s3filesVolumeConfiguration.rootDirectory',
    'when using an S3 Files access point, the root directory must either be set to "/" or be omitted',
    { s3filesVolumeConfiguration: { fileSystemArn: 'arn:a', accessPointArn: 'arn:b', rootDirectory: '/data' } },
  ),

  // Image, environment, logs, limits.
  ofContainer(`${first}.image`, 'Container.image should not be null or empty.', { image: '' }),
  ofContainer(`${first}.image`, 'Container.image contains invalid characters.', { image: 'nginx:$TAG' }),
  ofContainer(
    `${first}.secrets`,
    "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'TOKEN'.",
    { secrets: [secret('KEY'), secret('TOKEN')], environment: [{ name: 'TOKEN', value: 'x' }] },
  ),
  ofContainer(
    `${first}.secrets`,
    "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'KEY'.",
    { secrets: [secret('KEY'), secret('KEY')] },
  ),
  ofContainer(`${first}.environmentFiles[0].value`, 'Invalid arn syntax.', {
    environmentFiles: [{ type: 's3', value: 'bucket/web.env' }],
  }),
  ofContainer(`${first}.environmentFiles[0].value`, 'the environment file must have the extension .env', {
    environmentFiles: [{ type: 's3', value: 'arn:aws:s3:::bucket/web.txt' }],
  }),
  ofContainer(
    `${first}.logConfiguration`,
    'Log driver awslogs requires options: awslogs-region, awslogs-group',
    log('awslogs'),
  ),
  ofContainer(
    `${first}.logConfiguration`,
    'Log driver awslogs requires options: awslogs-group',
    log('awslogs', { 'awslogs-region': 'eu-west-1' }),
  ),
  ofContainer(
    containers,
    'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver',
    router,
  ),
  ofContainer(
    containers,
    'When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.',
    log('awsfirelens'),
  ),
  ofTwo(
    containers,
    'only one container of a task may have a firelensConfiguration',
    { ...router, ...log('awsfirelens') },
    router,
  ),
  broken(
    `${first}.firelensConfiguration.options`,
    'config-file-type must be s3 or file, and config-file-value must name the file',
    task({
      containerDefinitions: [
        container({
          firelensConfiguration: { type: 'fluentbit', options: { 'config-file-type': 'file' } },
          ...log('awsfirelens'),
        }),
      ],
    }),
  ),
  ofContainer(`${first}.ulimits[1].softLimit`, 'Soft limit exceeds hard limit for ulimit nproc', {
    ulimits: [
      { name: 'nofile', softLimit: 5, hardLimit: -1 },
      { name: 'nproc', softLimit: -1, hardLimit: 5 },
    ],
  }),
  ofContainer(
    `${first}.healthCheck.command`,
    'the first element of a health check command must be CMD or CMD-SHELL, and something to run must follow it',
    { healthCheck: { command: ['curl', 'localhost'] } },
  ),

  // Accelerators.
  broken(
    'spec.inferenceAccelerators',
    "Unsupported field 'inferenceAccelerators'.",
    task({ inferenceAccelerators: [{ deviceName: 'a', deviceType: 'eia2.medium' }] }),
  ),
  ofTwo(
    containers,
    'containers that request GPUs must all use value, or all sharingStrategy',
    { resourceRequirements: [{ type: 'GPU', value: '1' }] },
    { resourceRequirements: [{ type: 'GPU', sharingStrategy: { nvidiaMps: { memory: 512 } } }] },
  ),
  ofTwo(
    containers,
    'only one container of a task can specify NeuronDevice resources',
    { resourceRequirements: [{ type: 'NeuronDevice', value: 'ALL' }] },
    { resourceRequirements: [{ type: 'NeuronDevice', value: 'ALL' }] },
  ),
  ofContainer(
    `${first}.resourceRequirements[0]`,
    'exactly one of value and sharingStrategy must be given, and sharingStrategy only with type GPU',
    { resourceRequirements: [{ type: 'GPU' }] },
  ),
  ofContainer(
    `${first}.resourceRequirements[0].value`,
    'GPU takes a whole number from 1, or ALL; NeuronDevice takes ALL; InferenceAccelerator is no longer offered by AWS',
    { resourceRequirements: [{ type: 'GPU', value: '0.5' }] },
  ),

  // Placement.
  broken(
    'spec.placementConstraints[0].expression',
    'memberOf requires an expression of the cluster query language',
    task({ placementConstraints: [{ type: 'memberOf' }] }),
  ),

  // Fargate.
  broken('spec.ipcMode', unsupported('ipcMode'), task({ ...fargate, ipcMode: 'task' })),
  broken(
    'spec.pidMode',
    "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
    task({ ...fargate, pidMode: 'host' }),
  ),
  broken(
    'spec.placementConstraints',
    unsupported('constraints'),
    task({ ...fargate, placementConstraints: [{ type: 'memberOf', expression: 'attribute:x == y' }] }),
  ),
  broken(
    'spec.ephemeralStorage',
    'Tasks using the EC2 launch type do not support EphemeralStorage.',
    task({ requiresCompatibilities: ['EC2'], ephemeralStorage: { sizeInGiB: 30 } }),
  ),
  ofVolume('spec.volumes', `volume 'data': ${unsupported('sourcePath')}`, { host: { sourcePath: '/data' } }, fargate),
  ofVolume(
    'spec.volumes',
    `volume 'data': ${unsupported('dockerVolumeConfiguration')}`,
    { dockerVolumeConfiguration: {} },
    fargate,
  ),
  onFargate('Fargate requires that the ‘privileged’ setting be ‘false’ at the container level.', { privileged: true }),
  onFargate(unsupported('devices'), { linuxParameters: { devices: [{ hostPath: '/dev/fuse' }] } }),
  onFargate(unsupported('dockerSecurityOptions'), { dockerSecurityOptions: ['no-new-privileges'] }),
  onFargate(unsupported('sharedMemorySize'), { linuxParameters: { sharedMemorySize: 64 } }),
  onFargate(unsupported('maxSwap'), { linuxParameters: { maxSwap: 0 } }),
  onFargate(unsupported('swappiness'), { linuxParameters: { swappiness: 10 } }),
  ...(['start', 'stop'] as const).map((which) =>
    onFargate(
      `Tasks using the Fargate launch type must have a container ${which} timeout of less than 120 seconds. It takes 2 to 120.`,
      { [`${which}Timeout`]: 121 },
    ),
  ),
  onFargate('NET_ADMIN is not allowed on Fargate.', {
    linuxParameters: { capabilities: { add: ['SYS_PTRACE', 'NET_ADMIN'] } },
  }),
  onFargate('json-file is not a valid log driver. Must be one of [awslogs,splunk,awsfirelens]', log('json-file')),
  onFargate(
    'Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.',
    log('awslogs', awslogs),
  ),
  onFargate("Fargate launch type does not support FirelensConfiguration config file from 's3'", {
    firelensConfiguration: {
      type: 'fluentbit',
      options: { 'config-file-type': 's3', 'config-file-value': 'arn:aws:s3:::bucket/fluent.conf' },
    },
    ...log('awsfirelens'),
  }),
  onFargate('Tasks using the Fargate launch type do not support GPU resource requirements.', {
    resourceRequirements: [{ type: 'GPU', value: '1' }],
  }),

  // Tags and the rest.
  broken('spec.tags[0].key', 'the prefix aws: is reserved, in any case of letters', task({ tags: [{ key: 'AWS:x' }] })),
  broken(
    'spec.tags[0].value',
    'the prefix aws: is reserved, in any case of letters',
    task({ tags: [{ key: 'team', value: 'Aws:x' }] }),
  ),
  broken(
    'spec.trustedExecutionConfiguration.attestationPolicy',
    'attestationPolicy is required when isolationMode is CONFIDENTIAL_SANDBOX',
    task({ trustedExecutionConfiguration: { isolationMode: 'CONFIDENTIAL_SANDBOX' } }),
  ),
  broken(
    'spec.kubernetes.podLabels',
    'keys of longshore.dev/ and app.kubernetes.io/managed-by are set by Longshore',
    task({ kubernetes: { podLabels: { 'longshore.dev/task': 'x' } } }),
  ),
  broken(
    'spec.kubernetes.podAnnotations',
    'keys of longshore.dev/ and app.kubernetes.io/managed-by are set by Longshore',
    task({ kubernetes: { podAnnotations: { 'app.kubernetes.io/managed-by': 'x' } } }),
  ),
];

const ofOneKind: readonly BrokenRule[] = [...brokenTaskDefinitions, ...brokenJobs, ...brokenRulesOfOthers];

/** What a ScheduledTask runs has the rules of that. */
const targets = { Task: 'runTask', BatchJob: 'submitJob' } as const;
const ofTargets = ofOneKind.flatMap(({ kind, path, message, spec }): BrokenRule[] =>
  kind === 'Task' || kind === 'BatchJob'
    ? [
        {
          kind: 'ScheduledTask',
          path: path.replace(/^spec/, `spec.target.${targets[kind]}`),
          message,
          spec: scheduled({ target: { [targets[kind]]: spec } }),
        },
      ]
    : [],
);

/** One at least for each rule of each kind. */
export const brokenRules: readonly BrokenRule[] = [...ofOneKind, ...ofTargets];

/** Mistakes of a single field: each checker has its own words, but the same path. */
export const brokenFields: readonly { readonly path: string; readonly spec: unknown }[] = [
  { path: 'spec.family', spec: task({ family: 'hello world' }) },
  { path: 'spec.containerDefinitions', spec: task({ containerDefinitions: [] }) },
  {
    path: 'spec.containerDefinitions',
    spec: task({ containerDefinitions: Array.from({ length: 11 }, (_, index) => container({ name: `c${index}` })) }),
  },
  { path: 'spec.ephemeralStorage.sizeInGiB', spec: task({ ephemeralStorage: { sizeInGiB: 20 } }) },
  { path: 'spec.pidMode', spec: task({ pidMode: 'private' }) },
  { path: 'spec.runtimePlatform.cpuArchitecture', spec: task({ runtimePlatform: { cpuArchitecture: 'arm64' } }) },
  { path: 'spec.memory', spec: task({ memory: '512Mi' }) },
  ...(
    [
      ['name', { name: 'a b' }],

      ['memory', { memory: 3 }],
      ['user', { user: 'a b' }],
      ['versionConsistency', { versionConsistency: 'on' }],
      ['startTimeout', { startTimeout: 0 }],
      ['restartPolicy.restartAttemptPeriod', { restartPolicy: { enabled: true, restartAttemptPeriod: 59 } }],
      [
        'restartPolicy.ignoredExitCodes',
        { restartPolicy: { enabled: true, ignoredExitCodes: Array.from({ length: 51 }, () => 1) } },
      ],
      ['restartPolicy.enabled', { restartPolicy: {} }],
      ['healthCheck.interval', { healthCheck: { command: ['CMD', 'x'], interval: 4 } }],
      ['portMappings[0].containerPortRange', { portMappings: [{ containerPortRange: '80' }] }],
      ['portMappings[0].appProtocol', { portMappings: [{ containerPort: 80, appProtocol: 'https' }] }],
      ['linuxParameters.capabilities.add[0]', { linuxParameters: { capabilities: { add: ['CAP_SYS_ADMIN'] } } }],
      ['linuxParameters.swappiness', { linuxParameters: { maxSwap: 1, swappiness: 101 } }],
      ['linuxParameters.tmpfs[0].size', { linuxParameters: { tmpfs: [{ containerPath: '/x' }] } }],
      [
        'linuxParameters.tmpfs[0].mountOptions[0]',
        {
          linuxParameters: { tmpfs: [{ containerPath: '/x', size: 1, mountOptions: ['noex'] }] },
        },
      ],
      ['systemControls[0].namespace', { systemControls: [{ namespace: 'vm.swappiness', value: '1' }] }],
      ['dockerSecurityOptions[0]', { dockerSecurityOptions: ['seccomp:unconfined'] }],
      ['credentialSpecs', { credentialSpecs: ['credentialspec:a', 'credentialspec:b'] }],
      ['environmentFiles[0].type', { environmentFiles: [{ value: 'arn:aws:s3:::b/a.env', type: 'file' }] }],
    ] satisfies readonly (readonly [string, Record<string, unknown>])[]
  ).map(([path, fields]) => ({
    path: `spec.containerDefinitions[0].${path}`,
    spec: task({ containerDefinitions: [container(fields)] }),
  })),
];
