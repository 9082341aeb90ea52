/** Specs that break one rule each, of all kinds but TaskDefinition. */
import { brokenRetryAndDependencies } from './broken-retry-and-dependencies.ts';
import type { BrokenRule } from './broken-rules.ts';
import { brokenQueues } from './broken-rules-of-queues.ts';
import { daemon, job, runTask, type SampleKind, scheduled, service } from './samples.ts';
import { brokenServiceDiscovery } from './service-discovery-samples.ts';

type Fields = Record<string, unknown>;

const ofKind =
  (kind: SampleKind) =>
  (path: string, message: string, spec: Fields): BrokenRule => ({ kind, path, message, spec });

const reserved = 'the prefix aws: is reserved, in any case of letters';
const tags = { key: [{ key: 'AWS:x' }], value: [{ key: 'team', value: 'Aws:x' }] };
const brokenTags = Object.entries(tags);
/** Of every kind that makes pods. */
const brokenPods = Object.entries({
  podLabels: { 'longshore.dev/task': 'x' },
  podAnnotations: { 'app.kubernetes.io/managed-by': 'x' },
});
const podKeys = 'keys of longshore.dev/ and app.kubernetes.io/managed-by are set by Longshore';

const ofService = ofKind('Service');
/** Of a service for which AZ rebalancing is asked. */
const ofRebalanced = (message: string, spec: Fields): BrokenRule =>
  ofService('spec.availabilityZoneRebalancing', message, { ...spec, availabilityZoneRebalancing: 'ENABLED' });
const ofDaemon = (field: string, message: string, given: unknown): BrokenRule =>
  ofService(`spec.${field}`, `The daemon scheduling strategy ${message}`, daemon({ [field]: given }));
/** Of a volume that is configured at launch, of a Service or a Task. */
function brokenVolumes(of: typeof ofService, spec: (fields: Fields) => Fields): BrokenRule[] {
  const volume = (managedEBSVolume: Fields) => spec({ volumeConfigurations: [{ name: 'data', managedEBSVolume }] });
  const ofVolume = (field: string, message: string, managedEBSVolume: Fields): BrokenRule =>
    of(
      `spec.volumeConfigurations[0].managedEBSVolume${field}`,
      message,
      volume({ roleArn: 'r', sizeInGiB: 500, ...managedEBSVolume }),
    );
  return [
    {
      ...ofVolume('', 'You must specify either sizeInGiB or snapshotId.', {}),
      spec: volume({ roleArn: 'r' }),
    },
    ofVolume('.sizeInGiB', 'sizeInGiB of a volume of type st1 must be 125 to 16384, got 124', {
      volumeType: 'st1',
      sizeInGiB: 124,
    }),
    ofVolume('.sizeInGiB', 'sizeInGiB of a volume of type standard must be 1 to 1024, got 1025', {
      volumeType: 'standard',
      sizeInGiB: 1025,
    }),
    ofVolume('.iops', 'iops of a volume of type gp3 must be 3000 to 16000, got 2999', {
      volumeType: 'gp3',
      iops: 2999,
    }),
    ofVolume('.iops', 'iops of a volume of type io1 must be 100 to 64000, got 64001', {
      volumeType: 'io1',
      iops: 64001,
    }),
    ofVolume('.iops', 'The parameter iops is not supported for sc1 volumes.', { volumeType: 'sc1', iops: 100 }),
    ofVolume('.iops', 'iops is required for volumes of type io2', { volumeType: 'io2' }),
    ofVolume('.throughput', 'The parameter throughput is not supported for gp2 volumes.', { throughput: 125 }),
    ofVolume('.volumeInitializationRate', 'volumeInitializationRate can be specified only with a snapshotId', {
      volumeInitializationRate: 100,
    }),
    ...brokenTags.map(([field, of]) =>
      ofVolume(`.tagSpecifications[0].tags[0].${field}`, reserved, {
        tagSpecifications: [{ resourceType: 'volume', tags: of }],
      }),
    ),
  ];
}

const ofJob = ofKind('BatchJob');
const ofContainer = (field: string, message: string, containerProperties: Fields): BrokenRule =>
  ofJob(`spec.containerProperties.${field}`, message, {
    containerProperties: { image: 'busybox', vcpus: 1, memory: 64, ...containerProperties },
  });
const reservedVariable = 'names of environment variables must not start with AWS_BATCH, which is reserved';
const amounts =
  'VCPU takes a whole number from 1, 0.25 or 0.5; MEMORY a whole number from 4 (MiB); GPU a whole number from 1';

const ofTask = ofKind('Task');
const ofOverride = (field: string, message: string, fields: Fields): BrokenRule =>
  ofTask(
    `spec.overrides.containerOverrides[0].${field}`,
    message,
    runTask({ overrides: { containerOverrides: [{ name: 'app', ...fields }] } }),
  );

const ofCluster = ofKind('Cluster');

const ofTargetGroup = (field: string, message: string, fields: Fields): BrokenRule =>
  ofKind('TargetGroup')(`spec.${field}`, message, { protocol: 'HTTP', port: 80, ...fields });
const ofLoadBalancer = (field: string, message: string, fields: Fields): BrokenRule =>
  ofService(
    `spec.loadBalancers[0].${field}`,
    message,
    service({ loadBalancers: [{ targetGroupArn: 'web', containerName: 'web', containerPort: 80, ...fields }] }),
  );

const ofSchedule = ofKind('ScheduledTask');
const ofExpression = (message: string, scheduleExpression: string): BrokenRule =>
  ofSchedule('spec.scheduleExpression', message, scheduled({ scheduleExpression }));

const schedules: readonly BrokenRule[] = [
  ofExpression(
    'must be cron(minutes hours day-of-month month day-of-week year), rate(value unit) or at(yyyy-mm-ddThh:mm:ss)',
    '*/5 * * * *',
  ),
  ofExpression('one of day-of-month and day-of-week of cron() must be ?, and the other must not', 'cron(0 8 * * * *)'),
  ofExpression('minutes of cron() must be 0-59 with , - * /', 'cron(60 8 * * ? *)'),
  ofExpression('hours of cron() must be 0-23 with , - * /', 'cron(0 24 * * ? *)'),
  ofExpression('day-of-month of cron() must be 1-31 with , - * ? / L W', 'cron(0 8 32 * ? *)'),
  ofExpression('month of cron() must be 1-12 or JAN-DEC with , - * /', 'cron(0 8 1 JAM ? *)'),
  ofExpression(
    'day-of-week of cron() must be 1-7 or SUN-SAT with , - * ? / L #, and nothing beside a #',
    'cron(0 8 ? * 3#1,6#3 *)',
  ),
  ofExpression('year of cron() must be 1970-2199 with , - * /', 'cron(0 8 1 * ? 2200)'),
  ofExpression(
    'rate() takes a whole number from 1 to 9999999 and minutes, hours or days, such as rate(5 minutes); minute, hour and day only with 1',
    'rate(5 minute)',
  ),
  ofExpression('at() takes a date and a time, such as at(2026-11-20T13:00:00)', 'at(2026-11-20)'),
  ofSchedule(
    'spec.endDate',
    'endDate must be later than startDate',
    scheduled({ startDate: '2026-01-01T00:00:00Z', endDate: '2026-01-01T01:00:00+01:00' }),
  ),
  ofSchedule(
    'spec.flexibleTimeWindow.maximumWindowInMinutes',
    'maximumWindowInMinutes is for the mode FLEXIBLE, which needs it',
    scheduled({ flexibleTimeWindow: { mode: 'OFF', maximumWindowInMinutes: 5 } }),
  ),
  ofSchedule('spec.target', 'exactly one of runTask and submitJob must be given', scheduled({ target: {} })),
];

const targetGroups: readonly BrokenRule[] = [
  ofLoadBalancer(
    'loadBalancerName',
    'loadBalancerName names a Classic Load Balancer, which is not there; allowed: targetGroupArn',
    { loadBalancerName: 'classic' },
  ),
  ofLoadBalancer(
    'advancedConfiguration',
    'advancedConfiguration is not there yet; allowed: the strategy ROLLING, which has no such field',
    { advancedConfiguration: { alternateTargetGroupArn: 'green' } },
  ),
  ofLoadBalancer(
    'targetGroupArn',
    'targetGroupArn and loadBalancerName cannot both be absent; allowed: targetGroupArn',
    { targetGroupArn: null },
  ),
  ofTargetGroup('protocolVersion', 'protocolVersion is for the protocols HTTP and HTTPS', {
    protocol: 'TCP',
    protocolVersion: 'HTTP2',
  }),
  ofTargetGroup('healthCheckProtocol', 'a TCP check is for target groups of the protocols TCP, TLS, UDP and TCP_UDP', {
    healthCheckProtocol: 'TCP',
  }),
  ofTargetGroup('healthCheckIntervalSeconds', 'Health check interval must be greater than the timeout.', {
    healthCheckIntervalSeconds: 5,
    healthCheckTimeoutSeconds: 5,
  }),
  ofTargetGroup('matcher', 'matcher has one of httpCode and grpcCode', { matcher: { httpCode: '200', grpcCode: '0' } }),
  ...['', 'x', '-1', '3601'].map((value) =>
    ofTargetGroup(
      'targetGroupAttributes[0].value',
      `deregistration_delay.timeout_seconds must be a number of seconds from 0 to 3600, got '${value}'`,
      { targetGroupAttributes: [{ key: 'deregistration_delay.timeout_seconds', value }] },
    ),
  ),
  ofTargetGroup(
    'targetGroupAttributes[0].value',
    "slow_start.duration_seconds must be a number of seconds from 0 to 900, got '901'",
    { targetGroupAttributes: [{ key: 'slow_start.duration_seconds', value: '901' }] },
  ),
  ofTargetGroup('routes', 'routes are for the protocols HTTP and HTTPS', { protocol: 'TCP', routes: [{}] }),
  ofTargetGroup('routes[0]', 'a route has at most 5 values of conditions, got 6', {
    routes: [{ hosts: ['a.b', 'c.d'], paths: ['/'], headers: [{ name: 'x', values: ['1', '2', '3'] }] }],
  }),
  ofTargetGroup('routes[0].listener', 'the name of a listener needs the gateway that has it', {
    routes: [{ listener: 'web' }],
  }),
  ofTargetGroup('routes[0].headers[0].name', 'the Host header is a condition of hosts', {
    routes: [{ headers: [{ name: 'host', values: ['a.b'] }] }],
  }),
  ...brokenTags.map(([field, given]) => ofTargetGroup(`tags[0].${field}`, reserved, { tags: given })),
];

/** Service and Task say alike where their tasks are placed. */
const placement = (of: typeof ofService, spec: (fields: Fields) => Fields): readonly BrokenRule[] => [
  of(
    'spec.placementConstraints',
    'Placement constraints are not supported with FARGATE launch type.',
    spec({ launchType: 'FARGATE', placementConstraints: [{ type: 'distinctInstance' }] }),
  ),
  of(
    'spec.placementStrategy',
    'Placement strategies are not supported with FARGATE launch type.',
    spec({ launchType: 'FARGATE', placementStrategy: [{ type: 'random' }] }),
  ),
  of(
    'spec.placementConstraints[0].expression',
    'memberOf requires an expression of the cluster query language',
    spec({ placementConstraints: [{ type: 'memberOf' }] }),
  ),
  of(
    'spec.placementConstraints[0].expression',
    'distinctInstance expression should not be specified.',
    spec({ placementConstraints: [{ type: 'distinctInstance', expression: 'attribute:disk exists' }] }),
  ),
  ...Object.entries({
    'random field should not be specified': { type: 'random', field: 'cpu' },
    "binpack field 'host' is invalid; allowed: cpu, memory": { type: 'binpack', field: 'host' },
    "spread field '' is invalid; allowed: instanceId, host, attribute:NAME": { type: 'spread' },
  }).map(([message, strategy]) =>
    of('spec.placementStrategy[0].field', message, spec({ placementStrategy: [strategy] })),
  ),
];

const ofDeployment = (field: string, message: string, value: unknown): BrokenRule =>
  ofService(`spec.deploymentConfiguration.${field}`, message, service({ deploymentConfiguration: { [field]: value } }));
const rolling = 'the strategy ROLLING, which has no such field';

/** What AWS has and Longshore has not yet. */
const notThereYet: readonly BrokenRule[] = [
  ...['BLUE_GREEN', 'LINEAR', 'CANARY', 'rolling'].map((strategy) =>
    ofDeployment('strategy', `strategy '${strategy}' is not there yet; allowed: ROLLING`, strategy),
  ),
  ofDeployment('lifecycleHooks', 'lifecycleHooks are not there yet; allowed: an empty list', [
    { targetType: 'PAUSE', lifecycleStages: ['POST_SCALE_UP'], hookDetails: { any: ['thing', { at: 'all' }] } },
  ]),
  ofDeployment('linearConfiguration', `linearConfiguration is not there yet; allowed: ${rolling}`, {
    stepPercent: 2.5,
  }),
  ofDeployment('canaryConfiguration', `canaryConfiguration is not there yet; allowed: ${rolling}`, {}),
  ofDeployment(
    'earlySuccessCriteria',
    'earlySuccessCriteria is not there yet; allowed: a deployment that is COMPLETED when all its tasks are healthy',
    { enable: true },
  ),
  ...['CODE_DEPLOY', 'EXTERNAL'].map((type) =>
    ofService(
      'spec.deploymentController',
      `deployment controller '${type}' is not there; allowed: ECS`,
      service({ deploymentController: { type } }),
    ),
  ),
];

export const brokenRulesOfOthers: readonly BrokenRule[] = [
  ...placement(ofService, service),
  ...placement(ofTask, runTask),
  ofService(
    'spec.deploymentConfiguration',
    'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    service({ deploymentConfiguration: { maximumPercent: 100 } }),
  ),
  ...notThereYet,
  ...targetGroups,
  ...schedules,
  ...brokenQueues,
  ...brokenServiceDiscovery,
  ofService(
    'spec.deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration.value',
    'a percentage is from 1 to 100',
    service({
      deploymentConfiguration: {
        deploymentCircuitBreaker: {
          enable: true,
          rollback: true,
          thresholdConfiguration: { type: 'UNBOUNDED_PERCENT', value: 101 },
        },
      },
    }),
  ),
  ofService('spec.desiredCount', 'DesiredCount is missing', { taskDefinition: 'web:1' }),
  ofRebalanced(
    'availabilityZoneRebalancing ENABLED is for the schedulingStrategy REPLICA only; use DISABLED',
    daemon(),
  ),
  ofRebalanced(
    'AvailabilityZoneRebalancing does not support maximumPercent <= 100',
    service({ deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 } }),
  ),
  ofRebalanced(
    'availabilityZoneRebalancing ENABLED is not for the launchType EXTERNAL; use DISABLED',
    service({ launchType: 'EXTERNAL' }),
  ),
  ofRebalanced(
    'availabilityZoneRebalancing ENABLED needs no placementStrategy, or spread over attribute:ecs.availability-zone as the first; use DISABLED',
    service({ placementStrategy: [{ type: 'spread', field: 'instanceId' }] }),
  ),
  ofRebalanced(
    'availabilityZoneRebalancing ENABLED cannot go with a placementConstraint on attribute:ecs.availability-zone; use DISABLED',
    service({
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.availability-zone == eu-west-1a' }],
    }),
  ),
  ofDaemon(
    'desiredCount',
    'does not support a desired count for services. Remove the desired count value and try again',
    0,
  ),
  ofDaemon('placementStrategy', 'does not support placement strategies. Remove the placement strategy and try again', [
    { type: 'random' },
  ]),
  ofDaemon('launchType', 'does not support the FARGATE launch type. Change the launch type and try again', 'FARGATE'),
  {
    ...ofDaemon('deploymentConfiguration', 'does not support values above 100 for maximumPercent', {
      maximumPercent: 101,
    }),
    path: 'spec.deploymentConfiguration.maximumPercent',
  },
  ofService(
    'spec.deploymentConfiguration',
    'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    daemon({ deploymentConfiguration: { minimumHealthyPercent: 100 } }),
  ),
  ...brokenTags.map(([field, of]) => ofService(`spec.tags[0].${field}`, reserved, service({ tags: of }))),
  ...brokenPods.map(([field, of]) =>
    ofService(`spec.kubernetes.${field}`, podKeys, service({ kubernetes: { [field]: of } })),
  ),
  ...brokenVolumes(ofService, service),

  ofJob(
    'spec',
    'exactly one of containerProperties, ecsProperties and taskDefinition must be given',
    job({ taskDefinition: 'sum' }),
  ),
  ofContainer('resourceRequirements', 'VCPU must be given once: in resourceRequirements, or as the older vcpus', {
    resourceRequirements: [{ type: 'VCPU', value: '1' }],
  }),
  ofContainer('resourceRequirements', 'MEMORY must be given once: in resourceRequirements, or as the older memory', {
    resourceRequirements: [{ type: 'MEMORY', value: '64' }],
  }),
  ofContainer('mountPoints', 'every mountPoints[].sourceVolume must be the name of one of volumes', {
    mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
  }),
  ofContainer('resourceRequirements[0].value', amounts, { resourceRequirements: [{ type: 'GPU', value: '0.5' }] }),
  ofContainer('environment[0].name', reservedVariable, { environment: [{ name: 'AWS_BATCH_JOB_ID' }] }),
  ofJob(
    'spec.containerOverrides.resourceRequirements[0].value',
    amounts,
    job({ containerOverrides: { resourceRequirements: [{ type: 'MEMORY', value: '3' }] } }),
  ),
  ofJob(
    'spec.containerOverrides.environment[0].name',
    reservedVariable,
    job({ containerOverrides: { environment: [{ name: 'AWS_BATCH_JOB_ID' }] } }),
  ),
  ...brokenRetryAndDependencies,
  ...brokenPods.map(([field, of]) => ofJob(`spec.kubernetes.${field}`, podKeys, job({ kubernetes: { [field]: of } }))),

  ofTask(
    'spec',
    'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    runTask({ launchType: 'EC2', capacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] }),
  ),
  ofTask(
    'spec.capacityProviderStrategy',
    'only one capacity provider of a strategy may have a base',
    runTask({
      capacityProviderStrategy: ['FARGATE', 'FARGATE_SPOT'].map((capacityProvider) => ({ capacityProvider, base: 1 })),
    }),
  ),
  ofOverride('environmentFiles[0].value', 'Invalid arn syntax.', {
    environmentFiles: [{ value: 's3://config/app.env', type: 's3' }],
  }),
  ofOverride('environmentFiles[0].value', 'the environment file must have the extension .env', {
    environmentFiles: [{ value: 'arn:aws:s3:::config/app.txt', type: 's3' }],
  }),
  ofOverride(
    'resourceRequirements[0]',
    'exactly one of value and sharingStrategy must be given, and sharingStrategy only with type GPU',
    { resourceRequirements: [{ type: 'GPU' }] },
  ),
  ofOverride(
    'resourceRequirements[0].value',
    'GPU takes a whole number from 1, or ALL; NeuronDevice takes ALL; InferenceAccelerator is no longer offered by AWS',
    { resourceRequirements: [{ type: 'GPU', value: '0.5' }] },
  ),
  ...brokenVolumes(ofTask, runTask),
  ...brokenTags.map(([field, of]) => ofTask(`spec.tags[0].${field}`, reserved, runTask({ tags: of }))),
  ...brokenPods.map(([field, of]) =>
    ofTask(`spec.kubernetes.${field}`, podKeys, runTask({ kubernetes: { [field]: of } })),
  ),

  ofCluster(
    'spec.defaultCapacityProviderStrategy',
    'every capacityProvider of defaultCapacityProviderStrategy must be one of capacityProviders',
    { defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] },
  ),
  ofCluster('spec.defaultCapacityProviderStrategy', 'only one capacity provider of a strategy may have a base', {
    capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
    defaultCapacityProviderStrategy: ['FARGATE', 'FARGATE_SPOT'].map((capacityProvider) => ({
      capacityProvider,
      base: 1,
    })),
  }),
  ofCluster(
    'spec.configuration.executeCommandConfiguration.logConfiguration',
    'logging OVERRIDE needs a logConfiguration',
    {
      configuration: { executeCommandConfiguration: { logging: 'OVERRIDE' } },
    },
  ),
  ...brokenTags.map(([field, of]) => ofCluster(`spec.tags[0].${field}`, reserved, { tags: of })),
  ofCluster('spec.mappings.files[0]', 'exactly one of configMapKeyRef, configMapRef, secretRef must be given', {
    mappings: { files: [{ value: 'arn:aws:s3:::config/app.env' }] },
  }),
  ofCluster('spec.mappings.alarms[0]', 'exactly one of query, condition must be given', {
    mappings: { alarms: [{ alarmName: 'errors' }] },
  }),
  ofCluster('spec.mappings.fileSystems[0]', 'exactly one of claimName, nfs must be given', {
    mappings: { fileSystems: [{ id: 'fs-1', claimName: 'a', nfs: { server: 'nas' } }] },
  }),
];
