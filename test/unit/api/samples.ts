export type SampleKind =
  | 'TaskDefinition'
  | 'Service'
  | 'BatchJob'
  | 'Task'
  | 'Cluster'
  | 'TargetGroup'
  | 'ScheduledTask'
  | 'JobQueue'
  | 'ComputeEnvironment';

/** A spec and what both checkers, zod and the API server, must say about it. */
export interface Sample {
  readonly title: string;
  readonly kind: SampleKind;
  readonly spec: unknown;
  /** Texts that the refusal must have: the field, and what is allowed. Absent: accepted. */
  readonly refused?: readonly string[];
}

type Fields = Record<string, unknown>;

export const container = (fields: Fields = {}): Fields => ({ name: 'web', image: 'nginx', memory: 128, ...fields });
export const task = (fields: Fields = {}): Fields => ({ containerDefinitions: [container()], ...fields });
export const daemon = (fields: Fields = {}): Fields => ({
  taskDefinition: 'agent:1',
  schedulingStrategy: 'DAEMON',
  ...fields,
});
export const service = (fields: Fields = {}): Fields => ({ taskDefinition: 'web:1', desiredCount: 2, ...fields });
export const runTask = (fields: Fields = {}): Fields => ({ taskDefinition: 'migrate', ...fields });
export const job = (fields: Fields = {}): Fields => ({
  containerProperties: { image: 'busybox', vcpus: 1, memory: 64 },
  ...fields,
});
export const scheduled = (fields: Fields = {}): Fields => ({
  scheduleExpression: 'rate(5 minutes)',
  target: { runTask: runTask() },
  ...fields,
});
export const jobQueue = (fields: Fields = {}): Fields => ({
  priority: 1,
  computeEnvironmentOrder: [{ order: 1, computeEnvironment: 'shared' }],
  ...fields,
});
const isolatedQueue = (isolation: Fields): Fields => jobQueue({ kubernetes: { isolation } });
export const computeEnvironment = (fields: Fields = {}): Fields => ({
  type: 'MANAGED',
  computeResources: { type: 'EC2', maxvCpus: 16 },
  ...fields,
});
const containers = (...definitions: Fields[]) => task({ containerDefinitions: definitions });
const properties = (fields: Fields) =>
  job({ containerProperties: { image: 'busybox', vcpus: 1, memory: 64, ...fields } });

/** The WordPress and MySQL definition that is AWS's own example for links. */
export const wordpress = {
  family: 'hello_world',
  containerDefinitions: [
    {
      name: 'wordpress',
      links: ['mysql'],
      image: 'wordpress',
      essential: true,
      portMappings: [{ containerPort: 80, hostPort: 80 }],
      memory: 500,
      cpu: 10,
    },
    {
      environment: [{ name: 'MYSQL_ROOT_PASSWORD', value: 'password' }],
      name: 'mysql',
      image: 'mysql',
      cpu: 10,
      memory: 500,
      essential: true,
    },
  ],
};

const fargate = {
  requiresCompatibilities: ['FARGATE'],
  networkMode: 'awsvpc',
  cpu: '256',
  memory: '0.5GB',
  containerDefinitions: [{ name: 'web', image: 'nginx', portMappings: [{ containerPort: 80, hostPort: 80 }] }],
};

const everythingNull = {
  family: null,
  networkMode: null,
  cpu: null,
  memory: null,
  requiresCompatibilities: null,
  executionRoleArn: null,
  volumes: null,
  placementConstraints: null,
  tags: null,
  kubernetes: null,
  containerDefinitions: [
    {
      name: 'web',
      image: 'nginx',
      memory: 128,
      cpu: null,
      memoryReservation: null,
      links: null,
      portMappings: null,
      essential: null,
      command: null,
      environment: null,
      dependsOn: null,
      stopTimeout: null,
      healthCheck: null,
      dockerLabels: null,
      logConfiguration: null,
      ulimits: null,
      user: null,
      privileged: null,
    },
  ],
};

const sidecar = (fields: Fields = {}) => container({ name: 'side', essential: false, ...fields });
const waitsFor = (containerName: string, condition: string) => ({ dependsOn: [{ containerName, condition }] });
const healthCheck = { command: ['CMD-SHELL', 'true'] };
const essentialText = "Task definition doesn't have any essential container.";
const onceText = 'must be given once';

const environmentOrder = (...environments: string[]): Fields => ({
  computeEnvironmentOrder: environments.map((environment, order) => ({ order, computeEnvironment: environment })),
});

export const samples: readonly Sample[] = [
  { title: 'the smallest queue', kind: 'JobQueue', spec: jobQueue() },
  {
    title: 'a queue with everything that there is',
    kind: 'JobQueue',
    spec: jobQueue({
      jobQueueName: 'High_priority-1',
      state: 'DISABLED',
      priority: 1000,
      ...environmentOrder('arn:aws:batch:eu-west-1:111122223333:compute-environment/spot', 'b', 'c'),
      schedulingPolicy: {
        name: 'fair',
        fairsharePolicy: {
          shareDecaySeconds: 604800,
          computeReservation: 99,
          shareDistribution: [
            { shareIdentifier: 'red', weightFactor: 0.0001 },
            { shareIdentifier: 'User1*', weightFactor: 999.9999 },
            { shareIdentifier: 'User2*' },
            { shareIdentifier: 'User' },
          ],
        },
      },
      jobQueueType: 'ECS',
      jobStateTimeLimitActions: [
        {
          reason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
          state: 'RUNNABLE',
          maxTimeSeconds: 600,
          action: 'CANCEL',
        },
      ],
      tags: { team: 'data' },
      kubernetes: {},
    }),
  },
  {
    title: 'a queue with null for what is optional',
    kind: 'JobQueue',
    spec: jobQueue({
      jobQueueName: null,
      schedulingPolicy: null,
      schedulingPolicyArn: null,
      jobQueueType: null,
      tags: null,
    }),
  },
  {
    title: 'a queue of four compute environments',
    kind: 'JobQueue',
    spec: jobQueue(environmentOrder('a', 'b', 'c', 'd')),
    refused: ['spec.computeEnvironmentOrder'],
  },
  {
    title: 'a queue of no compute environment',
    kind: 'JobQueue',
    spec: jobQueue(environmentOrder()),
    refused: ['spec.computeEnvironmentOrder'],
  },
  {
    title: 'a queue of two compute environments in one place',
    kind: 'JobQueue',
    spec: jobQueue({
      computeEnvironmentOrder: ['a', 'b'].map((environment) => ({ order: 1, computeEnvironment: environment })),
    }),
    refused: ['spec.computeEnvironmentOrder[1]', 'Duplicate value'],
  },
  {
    title: 'a queue without a priority',
    kind: 'JobQueue',
    spec: jobQueue({ priority: undefined }),
    refused: ['spec.priority'],
  },
  {
    title: 'a queue of priority 1001',
    kind: 'JobQueue',
    spec: jobQueue({ priority: 1001 }),
    refused: ['spec.priority', '1000'],
  },
  {
    title: 'a share of 256 characters',
    kind: 'JobQueue',
    spec: jobQueue({
      schedulingPolicy: { fairsharePolicy: { shareDistribution: [{ shareIdentifier: 'a'.repeat(256) }] } },
    }),
    refused: ['shareDistribution[0].shareIdentifier'],
  },
  {
    title: 'an action after nine minutes',
    kind: 'JobQueue',
    spec: jobQueue({
      jobStateTimeLimitActions: [
        {
          reason: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT',
          state: 'RUNNABLE',
          maxTimeSeconds: 540,
          action: 'CANCEL',
        },
      ],
    }),
    refused: ['spec.jobStateTimeLimitActions[0].maxTimeSeconds', '600'],
  },
  { title: 'a queue that isolates its jobs', kind: 'JobQueue', spec: isolatedQueue({}) },
  {
    title: 'a queue that isolates its jobs by every means',
    kind: 'JobQueue',
    spec: isolatedQueue({
      runtimeClassName: 'gvisor',
      maxVcpus: 1024,
      maxMemoryMiB: 4,
      maxEphemeralStorageMiB: 1,
      maxDurationSeconds: 10,
    }),
  },
  {
    title: 'a queue whose isolation gives no time',
    kind: 'JobQueue',
    spec: isolatedQueue({ maxDurationSeconds: 9 }),
    refused: ['spec.kubernetes.isolation.maxDurationSeconds', '10'],
  },
  {
    title: 'a queue whose isolation gives part of a vCPU',
    kind: 'JobQueue',
    spec: isolatedQueue({ maxVcpus: 0.5 }),
    refused: ['spec.kubernetes.isolation.maxVcpus'],
  },
  {
    title: 'a queue with a misspelt isolation',
    kind: 'JobQueue',
    spec: isolatedQueue({ maxVCpus: 1 }),
    refused: ['maxVCpus'],
  },
  { title: 'the smallest compute environment', kind: 'ComputeEnvironment', spec: computeEnvironment() },
  {
    title: 'an unmanaged compute environment with everything that there is',
    kind: 'ComputeEnvironment',
    spec: {
      computeEnvironmentName: 'On_premises-1',
      type: 'UNMANAGED',
      state: 'DISABLED',
      unmanagedvCpus: 64,
      serviceRole: 'arn:aws:iam::111122223333:role/batch',
      tags: { team: 'data' },
      ecsSettings: { containerInsights: 'ENHANCED' },
      kubernetes: {
        maxMemoryMiB: 1048576,
        nodeSelector: { 'example.com/pool': 'batch' },
        tolerations: [{ key: 'batch', operator: 'Exists', effect: 'NoSchedule' }],
        namespaces: ['prod', 'staging'],
      },
    },
  },
  {
    title: 'a compute environment of EC2 as AWS has it',
    kind: 'ComputeEnvironment',
    spec: computeEnvironment({
      computeResources: {
        type: 'SPOT',
        allocationStrategy: 'SPOT_CAPACITY_OPTIMIZED',
        minvCpus: 0,
        maxvCpus: 0,
        desiredvCpus: 0,
        instanceTypes: ['optimal'],
        imageId: 'ami-1',
        subnets: ['subnet-1'],
        securityGroupIds: ['sg-1'],
        ec2KeyPair: 'key',
        instanceRole: 'ecsInstanceRole',
        tags: { Name: 'Batch Instance' },
        placementGroup: 'close',
        bidPercentage: 60,
        spotIamFleetRole: 'arn:aws:iam::111122223333:role/spot',
        launchTemplate: { launchTemplateName: 'batch', version: '$Latest', overrides: [{ launchTemplateId: 'lt-1' }] },
        ec2Configuration: [{ imageType: 'ECS_AL2023' }],
        scalingPolicy: { minScaleDownDelayMinutes: 20 },
      },
    }),
  },
  {
    title: 'a compute environment with null for what is optional',
    kind: 'ComputeEnvironment',
    spec: computeEnvironment({
      computeEnvironmentName: null,
      unmanagedvCpus: null,
      serviceRole: null,
      ecsSettings: null,
      tags: null,
    }),
  },
  {
    title: 'a compute environment of two types',
    kind: 'ComputeEnvironment',
    spec: computeEnvironment({ type: 'EC2' }),
    refused: ['spec.type', 'UNMANAGED'],
  },
  {
    title: 'a compute environment of EKS',
    kind: 'ComputeEnvironment',
    spec: computeEnvironment({ eksConfiguration: { eksClusterArn: 'arn', kubernetesNamespace: 'batch' } }),
    refused: ['eksConfiguration'],
  },
  { title: 'a schedule that runs tasks', kind: 'ScheduledTask', spec: scheduled() },
  {
    title: 'a schedule that runs a job, with everything that there is',
    kind: 'ScheduledTask',
    spec: scheduled({
      name: 'nightly.report_1',
      description: 'figures of the day',
      scheduleExpression: 'cron(0/30 20-2 ? JAN,feb TUE#2 2026-2030)',
      scheduleExpressionTimezone: 'Australia/Lord_Howe',
      startDate: '2026-01-01T00:00:00Z',
      endDate: '2026-01-01T02:00:00.5+01:59',
      state: 'DISABLED',
      flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 1440 },
      target: { submitJob: job() },
      kubernetes: {
        concurrencyPolicy: 'Replace',
        startingDeadlineSeconds: 0,
        successfulJobsHistoryLimit: 0,
        failedJobsHistoryLimit: 1000,
      },
    }),
  },
  {
    title: 'a schedule with null for what is optional',
    kind: 'ScheduledTask',
    spec: scheduled({
      name: null,
      scheduleExpressionTimezone: 'UTC',
      startDate: null,
      endDate: null,
      target: { runTask: runTask(), submitJob: null },
    }),
  },
  { title: 'the smallest definition', kind: 'TaskDefinition', spec: task() },
  { title: 'WordPress and MySQL', kind: 'TaskDefinition', spec: wordpress },
  { title: 'a Fargate definition', kind: 'TaskDefinition', spec: fargate },
  { title: 'null for everything optional', kind: 'TaskDefinition', spec: everythingNull },
  {
    title: 'an upper-case name with an underscore',
    kind: 'TaskDefinition',
    spec: { family: 'Consul_Client', containerDefinitions: [container({ name: 'consulClient_1' })] },
  },
  {
    title: 'a container that waits for a healthy one',
    kind: 'TaskDefinition',
    spec: containers(container(waitsFor('side', 'HEALTHY')), sidecar({ healthCheck })),
  },
  {
    title: 'a container that waits for the success of a non-essential one',
    kind: 'TaskDefinition',
    spec: containers(container(waitsFor('side', 'SUCCESS')), sidecar()),
  },
  {
    title: 'a mounted volume and volumesFrom',
    kind: 'TaskDefinition',
    spec: {
      containerDefinitions: [
        container({ mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: null }] }),
        sidecar({ volumesFrom: [{ sourceContainer: 'web' }] }),
      ],
      volumes: [{ name: 'data', host: {} }],
    },
  },
  {
    title: 'limits, logging and Kubernetes options',
    kind: 'TaskDefinition',
    spec: task({
      containerDefinitions: [
        container({
          ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: -1 }],
          logConfiguration: {
            logDriver: 'awslogs',
            options: { 'awslogs-group': 'g', 'awslogs-region': 'r' },
            secretOptions: null,
          },
          dockerLabels: { 'com.example': 'x' },
          healthCheck: { command: ['CMD', 'true'], interval: 5, timeout: 60, retries: 10, startPeriod: 300 },
        }),
      ],
      kubernetes: {
        tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule' }],
        nodeSelector: { disk: 'ssd' },
        podLabels: { team: 'a' },
      },
    }),
  },
  {
    title: 'a misspelt field of a container',
    kind: 'TaskDefinition',
    spec: containers(container({ esential: true })),
    refused: ['containerDefinitions[0]', 'esential'],
  },
  {
    title: 'a misspelt field of the definition',
    kind: 'TaskDefinition',
    spec: task({ networkmode: 'bridge' }),
    refused: ['networkmode'],
  },
  {
    title: 'an unknown network mode',
    kind: 'TaskDefinition',
    spec: task({ networkMode: 'vpc' }),
    refused: ['spec.networkMode', 'bridge', 'host', 'awsvpc', 'none'],
  },
  {
    title: 'an unknown condition',
    kind: 'TaskDefinition',
    spec: containers(container(waitsFor('side', 'READY')), sidecar()),
    refused: ['spec.containerDefinitions[0].dependsOn[0].condition', 'HEALTHY', 'SUCCESS'],
  },
  {
    title: 'no essential container',
    kind: 'TaskDefinition',
    spec: containers(container({ essential: false }), sidecar()),
    refused: ['spec.containerDefinitions', essentialText],
  },
  { title: 'no containers', kind: 'TaskDefinition', spec: containers(), refused: ['spec.containerDefinitions'] },
  {
    title: 'eleven containers',
    kind: 'TaskDefinition',
    spec: containers(...Array.from({ length: 11 }, (_, index) => container({ name: `c${index}` }))),
    refused: ['spec.containerDefinitions', '10'],
  },
  {
    title: 'two containers of one name',
    kind: 'TaskDefinition',
    spec: containers(container(), container()),
    refused: ['spec.containerDefinitions[1]', 'Duplicate value', 'web'],
  },
  {
    title: 'a container without image',
    kind: 'TaskDefinition',
    spec: containers({ name: 'web', memory: 128 }),
    refused: ['spec.containerDefinitions[0].image', 'Required value'],
  },
  {
    title: 'null for a required field',
    kind: 'TaskDefinition',
    spec: containers(container({ image: null })),
    refused: ['spec.containerDefinitions[0].image', 'Required value'],
  },
  {
    title: 'a family with a space',
    kind: 'TaskDefinition',
    spec: task({ family: 'hello world' }),
    refused: ['spec.family'],
  },
  {
    title: 'a container without memory',
    kind: 'TaskDefinition',
    spec: containers({ name: 'web', image: 'nginx', memory: null }),
    refused: [
      "Invalid setting for container 'web'. At least one of 'memory' or 'memoryReservation' must be specified.",
    ],
  },
  {
    title: 'a number for the memory of the task',
    kind: 'TaskDefinition',
    spec: task({ memory: 512 }),
    refused: ['spec.memory', 'string'],
  },
  {
    title: 'a unit that AWS does not know',
    kind: 'TaskDefinition',
    spec: task({ memory: '512Mi' }),
    refused: ['spec.memory'],
  },
  {
    title: 'less memory than is reserved',
    kind: 'TaskDefinition',
    spec: containers(container({ memoryReservation: 256 })),
    refused: ['spec.containerDefinitions[0].memory', "'memory' must be greater than or equal to 'memoryReservation'"],
  },
  {
    title: 'a wait for the success of an essential container',
    kind: 'TaskDefinition',
    spec: containers(container(), sidecar(waitsFor('web', 'SUCCESS'))),
    refused: ['A dependency container with SUCCESS or COMPLETE condition cannot be an essential container'],
  },
  {
    title: 'a wait for the completion of a container that is essential by default',
    kind: 'TaskDefinition',
    spec: containers(container({ essential: null }), sidecar(waitsFor('web', 'COMPLETE'))),
    refused: ['A dependency container with SUCCESS or COMPLETE condition cannot be an essential container'],
  },
  {
    title: 'a wait for the health of a container without check',
    kind: 'TaskDefinition',
    spec: containers(container(), sidecar({ ...waitsFor('web', 'HEALTHY'), healthCheck })),
    refused: ['A dependency container with HEALTHY condition must have health check configured'],
  },
  {
    title: 'a wait for a container that is not there',
    kind: 'TaskDefinition',
    spec: containers(container(waitsFor('db', 'START'))),
    refused: ['spec.containerDefinitions', "Cannot depend on container + 'db' because it does not exist"],
  },
  {
    title: 'a wait for itself',
    kind: 'TaskDefinition',
    spec: containers(container(waitsFor('web', 'START'))),
    refused: ['spec.containerDefinitions[0].dependsOn', 'cannot depend on itself'],
  },
  {
    title: 'a link to a container that is not there',
    kind: 'TaskDefinition',
    spec: containers(container({ links: ['db:database'] })),
    refused: ["Invalid 'links' setting. Unknown container: 'db:database'."],
  },
  {
    title: 'a link to itself',
    kind: 'TaskDefinition',
    spec: containers(container({ links: ['web:me'] })),
    refused: ['spec.containerDefinitions[0].links', 'a container cannot link to itself'],
  },
  {
    title: 'links in awsvpc',
    kind: 'TaskDefinition',
    spec: { ...wordpress, networkMode: 'awsvpc' },
    refused: ['Links are not supported when networkMode=awsvpc.'],
  },
  {
    title: 'volumesFrom a container that is not there',
    kind: 'TaskDefinition',
    spec: containers(container({ volumesFrom: [{ sourceContainer: 'db' }] })),
    refused: ["Invalid 'volumesFrom' setting. Unknown container: 'db'."],
  },
  {
    title: 'a mount of a volume that is not there',
    kind: 'TaskDefinition',
    spec: containers(container({ mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }] })),
    refused: ["Unknown volume 'data'."],
  },
  {
    title: 'two volumes of one name',
    kind: 'TaskDefinition',
    spec: task({ volumes: [{ name: 'data' }, { name: 'data' }] }),
    refused: ['spec.volumes[1]', 'Duplicate value', 'data'],
  },
  {
    title: 'another host port in awsvpc',
    kind: 'TaskDefinition',
    spec: { ...fargate, containerDefinitions: [container({ portMappings: [{ containerPort: 8080, hostPort: 80 }] })] },
    refused: ['When networkMode=awsvpc, the host ports and container ports in port mappings must match.'],
  },
  {
    title: 'ports without a network',
    kind: 'TaskDefinition',
    spec: { networkMode: 'none', containerDefinitions: [container({ portMappings: [{ containerPort: 80 }] })] },
    refused: ['portMappings are not allowed when networkMode=none'],
  },
  {
    title: 'a port out of range',
    kind: 'TaskDefinition',
    spec: containers(container({ portMappings: [{ containerPort: 65536 }] })),
    refused: ['spec.containerDefinitions[0].portMappings[0].containerPort', '65535'],
  },
  {
    title: 'Fargate without awsvpc',
    kind: 'TaskDefinition',
    spec: { ...fargate, networkMode: null },
    refused: ['spec.networkMode', "Fargate only supports network mode 'awsvpc'."],
  },
  {
    title: 'Fargate without cpu',
    kind: 'TaskDefinition',
    spec: { ...fargate, cpu: null },
    refused: ['spec.cpu', "Fargate requires that 'cpu' be defined at the task level."],
  },
  {
    title: 'a health check that is not a command',
    kind: 'TaskDefinition',
    spec: containers(container({ healthCheck: { command: ['curl', 'localhost'] } })),
    refused: ['spec.containerDefinitions[0].healthCheck.command', 'CMD or CMD-SHELL'],
  },
  {
    title: 'a health check that is too frequent',
    kind: 'TaskDefinition',
    spec: containers(container({ healthCheck: { ...healthCheck, interval: 4 } })),
    refused: ['spec.containerDefinitions[0].healthCheck.interval', '5'],
  },
  {
    title: 'a reserved tag',
    kind: 'TaskDefinition',
    spec: task({ tags: [{ key: 'AWS:x' }] }),
    refused: ['spec.tags[0].key', 'aws: is reserved'],
  },
  {
    title: 'a label of Longshore itself',
    kind: 'TaskDefinition',
    spec: task({ kubernetes: { podLabels: { 'longshore.dev/task': 'x' } } }),
    refused: ['spec.kubernetes.podLabels', 'are set by Longshore'],
  },
  {
    title: 'a text for a switch',
    kind: 'TaskDefinition',
    spec: containers(container({ privileged: 'yes' })),
    refused: ['privileged', 'boolean'],
  },

  { title: 'the smallest service', kind: 'Service', spec: service() },
  { title: 'the smallest daemon', kind: 'Service', spec: daemon() },
  {
    title: 'a daemon as an AWS file has it',
    kind: 'Service',
    spec: daemon({
      launchType: 'EC2',
      deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 },
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:disk == ssd' }],
      placementStrategy: [],
    }),
  },
  { title: 'a service scaled to nothing', kind: 'Service', spec: service({ desiredCount: 0 }) },
  {
    title: 'a service as an AWS file has it',
    kind: 'Service',
    spec: service({
      serviceName: 'Web_1',
      cluster: 'arn:aws:ecs:eu-west-1:111122223333:cluster/prod',
      taskDefinition: 'arn:aws:ecs:eu-west-1:111122223333:task-definition/hello_world:8',
      launchType: 'EC2',
      schedulingStrategy: null,
      deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: null },
      healthCheckGracePeriodSeconds: null,
      tags: [{ key: 'team', value: 'a' }],
    }),
  },
  {
    title: 'a volume configured at launch with everything',
    kind: 'Service',
    spec: service({
      volumeConfigurations: [
        {
          name: 'Data_Dir',
          managedEBSVolume: {
            encrypted: true,
            kmsKeyId: 'arn:aws:kms:eu-west-1:111122223333:key/1234',
            volumeType: 'gp3',
            sizeInGiB: 20,
            snapshotId: 'snap-12345',
            volumeInitializationRate: 200,
            iops: 3000,
            throughput: 125,
            tagSpecifications: [
              { resourceType: 'volume', tags: [{ key: 'team', value: 'a' }], propagateTags: 'SERVICE' },
            ],
            roleArn: 'arn:aws:iam::111122223333:role/ecsInfrastructureRole',
            filesystemType: 'ext4',
          },
        },
      ],
    }),
  },
  {
    title: 'a volume configured at launch with little, and null',
    kind: 'Service',
    spec: service({
      volumeConfigurations: [
        {
          name: 'data',
          managedEBSVolume: { roleArn: 'r', sizeInGiB: 1, volumeType: null, iops: null, tagSpecifications: null },
        },
      ],
    }),
  },
  {
    title: 'a volume configured at launch as nothing',
    kind: 'Service',
    spec: service({ volumeConfigurations: [{ name: 'data' }] }),
    refused: ['spec.volumeConfigurations[0].managedEBSVolume'],
  },
  {
    title: 'two volumes configured at launch',
    kind: 'Service',
    spec: service({
      volumeConfigurations: ['a', 'b'].map((name) => ({ name, managedEBSVolume: { roleArn: 'r', sizeInGiB: 1 } })),
    }),
    refused: ['spec.volumeConfigurations'],
  },
  {
    title: 'a rolling update by ECS, said in so many words',
    kind: 'Service',
    spec: service({
      deploymentController: { type: 'ECS' },
      deploymentConfiguration: { strategy: 'ROLLING', lifecycleHooks: [], linearConfiguration: null },
    }),
  },
  { title: 'bounds given as null', kind: 'Service', spec: service({ deploymentConfiguration: null }) },
  {
    title: 'a label of ours given as null',
    kind: 'Service',
    spec: service({ kubernetes: { podLabels: { 'longshore.dev/task': null } } }),
  },
  ...[
    { placementConstraints: [{ type: 'distinctInstance' }, { type: 'memberOf', expression: 'attribute:a == b' }] },
    {
      placementStrategy: [
        { type: 'spread', field: 'attribute:ecs.availability-zone' },
        { type: 'spread', field: 'host' },
        { type: 'spread', field: 'instanceId' },
        { type: 'binpack', field: 'MEMORY' },
        { type: 'random', field: null },
      ],
    },
    { placementConstraints: null, placementStrategy: [], launchType: 'FARGATE' },
  ].map((fields, index) => ({
    title: `where tasks are placed (${index + 1})`,
    kind: 'Service' as const,
    spec: service(fields),
  })),
  ...(
    [
      ['placementConstraints[0].expression', [{ type: 'memberOf', expression: '' }], 'memberOf requires an expression'],
      ['placementConstraints[0].type', [{ type: 'distinctHost' }], 'distinctInstance'],
      ['placementConstraints', Array.from({ length: 11 }, () => ({ type: 'distinctInstance' })), '10'],
      [
        'placementStrategy[0].field',
        [{ type: 'spread', field: 'ecs.availability-zone' }],
        "spread field 'ecs.availability-zone' is invalid; allowed: instanceId, host, attribute:NAME",
      ],
      ['placementStrategy', Array.from({ length: 6 }, () => ({ type: 'random' })), '5'],
    ] as const
  ).map(([path, given, text]) => ({
    title: `${path} of ${JSON.stringify(given).slice(0, 60)}`,
    kind: 'Service' as const,
    spec: service({ [path.replace(/\[.*/, '')]: given }),
    refused: [`spec.${path}`, text],
  })),
  {
    title: 'no task definition',
    kind: 'Service',
    spec: { desiredCount: 1 },
    refused: ['spec.taskDefinition', 'Required value'],
  },
  {
    title: 'no desired count',
    kind: 'Service',
    spec: { taskDefinition: 'web' },
    refused: ['spec.desiredCount', 'DesiredCount is missing'],
  },
  {
    title: 'a negative desired count',
    kind: 'Service',
    spec: service({ desiredCount: -1 }),
    refused: ['spec.desiredCount', '0'],
  },
  {
    title: 'half a task',
    kind: 'Service',
    spec: service({ desiredCount: 1.5 }),
    refused: ['spec.desiredCount', 'int'],
  },
  {
    title: 'revision 0',
    kind: 'Service',
    spec: service({ taskDefinition: 'web:0' }),
    refused: ['spec.taskDefinition'],
  },
  {
    title: 'a service ARN as task definition',
    kind: 'Service',
    spec: service({ taskDefinition: 'arn:aws:ecs:eu-west-1:111122223333:service/web' }),
    refused: ['spec.taskDefinition'],
  },
  {
    title: 'both percentages at 100',
    kind: 'Service',
    spec: service({ deploymentConfiguration: { maximumPercent: 100 } }),
    refused: [
      'spec.deploymentConfiguration',
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    ],
  },
  {
    title: 'a strategy that is none',
    kind: 'Service',
    spec: service({ schedulingStrategy: 'GLOBAL' }),
    refused: ['spec.schedulingStrategy', 'REPLICA'],
  },
  {
    title: 'a misspelt field of a service',
    kind: 'Service',
    spec: service({ desiredcount: 3 }),
    refused: ['desiredcount'],
  },

  { title: 'the smallest run of a task', kind: 'Task', spec: runTask() },
  {
    title: 'a run of tasks with all that RunTask takes',
    kind: 'Task',
    spec: {
      taskDefinition: 'arn:aws:ecs:eu-west-1:111122223333:task-definition/migrate:3',
      cluster: 'prod',
      count: 10,
      group: 'nightly',
      startedBy: 'ci/main-1',
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
      platformVersion: 'LATEST',
      networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } },
      placementConstraints: [
        { type: 'distinctInstance', expression: null },
        { type: 'memberOf', expression: 'attribute:disk == ssd' },
      ],
      placementStrategy: [{ type: 'spread', field: 'instanceId' }, { type: 'random' }],
      overrides: {
        cpu: '1 vCPU',
        memory: '2GB',
        taskRoleArn: 'arn:aws:iam::111122223333:role/migrate',
        executionRoleArn: null,
        ephemeralStorage: { sizeInGiB: 30 },
        containerOverrides: [
          {
            name: 'app',
            command: ['migrate', '--all'],
            environment: [{ name: 'MODE', value: 'all' }],
            environmentFiles: [{ value: 'arn:aws:s3:::bucket/app.env', type: 's3' }],
            cpu: 512,
            memory: 1024,
            memoryReservation: 512,
            resourceRequirements: [{ type: 'GPU', value: '1' }],
          },
        ],
      },
      volumeConfigurations: [
        {
          name: 'data',
          managedEBSVolume: {
            roleArn: 'arn:aws:iam::111122223333:role/volumes',
            sizeInGiB: 20,
            terminationPolicy: { deleteOnTermination: false },
          },
        },
      ],
      enableECSManagedTags: true,
      enableExecuteCommand: true,
      propagateTags: 'TASK_DEFINITION',
      tags: [{ key: 'team', value: 'data' }],
      referenceId: 'r-1',
      clientToken: 'c-1',
    },
  },
  { title: 'no task', kind: 'Task', spec: runTask({ count: 0 }), refused: ['spec.count', '1'] },
  { title: 'eleven tasks', kind: 'Task', spec: runTask({ count: 11 }), refused: ['spec.count', '10'] },
  { title: 'tasks of nothing', kind: 'Task', spec: {}, refused: ['taskDefinition'] },
  {
    title: 'a run of tasks with both launch type and strategy',
    kind: 'Task',
    spec: runTask({ launchType: 'FARGATE', capacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] }),
    refused: ['Specifying both a launch type and capacity provider strategy is not supported.'],
  },
  {
    title: 'an override of one container twice',
    kind: 'Task',
    spec: runTask({ overrides: { containerOverrides: [{ name: 'app' }, { name: 'app' }] } }),
    refused: ['spec.overrides.containerOverrides[1]', 'Duplicate value'],
  },
  {
    title: 'an override of an image',
    kind: 'Task',
    spec: runTask({ overrides: { containerOverrides: [{ name: 'app', image: 'x' }] } }),
    refused: ['image'],
  },
  {
    title: 'tags of a service for a task',
    kind: 'Task',
    spec: runTask({ propagateTags: 'SERVICE' }),
    refused: ['spec.propagateTags'],
  },
  {
    title: 'an expression with distinctInstance',
    kind: 'Task',
    spec: runTask({ placementConstraints: [{ type: 'distinctInstance', expression: 'attribute:a exists' }] }),
    refused: ['spec.placementConstraints[0].expression', 'distinctInstance expression should not be specified.'],
  },
  {
    title: 'a starter with a blank',
    kind: 'Task',
    spec: runTask({ startedBy: 'a b' }),
    refused: ['spec.startedBy'],
  },

  { title: 'the smallest job', kind: 'BatchJob', spec: job() },
  {
    title: 'an array of jobs',
    kind: 'BatchJob',
    spec: {
      jobName: 'Sum_1',
      jobQueue: 'high',
      parameters: { file: 'a.txt' },
      containerProperties: {
        image: 'busybox',
        command: ['sum', 'Ref::file'],
        resourceRequirements: [
          { type: 'VCPU', value: '0.25' },
          { type: 'MEMORY', value: '512' },
        ],
        environment: [{ name: 'MODE', value: null }],
      },
      arrayProperties: { size: 10000 },
      retryStrategy: { attempts: null },
      timeout: { attemptDurationSeconds: 60 },
    },
  },
  {
    title: 'a job that is tried again by rules',
    kind: 'BatchJob',
    spec: job({
      retryStrategy: {
        attempts: 5,
        evaluateOnExit: [
          { action: 'RETRY', onStatusReason: 'Host EC2*' },
          { action: 'retry', onReason: 'CannotPullContainerError:*', onExitCode: null },
          { action: 'Retry', onExitCode: '13' },
          { action: 'exit', onExitCode: '*', onReason: 'a\tb' },
          { action: 'EXIT', onReason: '*' },
        ],
      },
    }),
  },
  {
    title: 'six rules of evaluateOnExit',
    kind: 'BatchJob',
    spec: job({
      retryStrategy: { attempts: 2, evaluateOnExit: Array(6).fill({ action: 'EXIT', onReason: '*' }) as unknown[] },
    }),
    refused: ['spec.retryStrategy.evaluateOnExit', '5'],
  },
  {
    title: 'an array with every kind of dependency',
    kind: 'BatchJob',
    spec: job({
      arrayProperties: { size: 3 },
      dependsOn: [
        { jobId: 'prepare.v1' },
        { jobId: 'Build_1', type: 'N_TO_N' },
        { jobId: '7c1f0c38-5a3e-4d0a-b0a4-6f7c1a7a2f11:2', type: null },
        { type: 'SEQUENTIAL' },
      ],
    }),
  },
  {
    title: 'twenty-one dependencies',
    kind: 'BatchJob',
    spec: job({ dependsOn: Array(21).fill({ jobId: 'a' }) as unknown[] }),
    refused: ['spec.dependsOn', '20'],
  },
  {
    title: 'a dependency on the ARN of a job',
    kind: 'BatchJob',
    spec: job({ dependsOn: [{ jobId: 'arn:aws:batch:eu-west-1:111122223333:job/x' }] }),
    refused: ['spec.dependsOn[0].jobId'],
  },
  {
    title: 'a job of a task definition',
    kind: 'BatchJob',
    spec: { taskDefinition: 'sum:2', containerProperties: null, containerOverrides: { command: ['x'] } },
  },
  {
    title: 'a job on Fargate with all that containerProperties has',
    kind: 'BatchJob',
    spec: {
      platformCapabilities: ['FARGATE'],
      containerProperties: {
        image: 'busybox',
        resourceRequirements: [
          { type: 'VCPU', value: '.5' },
          { type: 'MEMORY', value: '1024' },
        ],
        jobRoleArn: 'arn:aws:iam::111122223333:role/app',
        executionRoleArn: null,
        secrets: [{ name: 'TOKEN', valueFrom: 'token' }],
        ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: -1 }],
        linuxParameters: { initProcessEnabled: true, tmpfs: [{ containerPath: '/run', size: 16 }], devices: null },
        volumes: [{ name: 'data', efsVolumeConfiguration: { fileSystemId: 'fs-1' } }],
        mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
        logConfiguration: { logDriver: 'splunk', options: { 'splunk-url': 'x', other: null } },
        networkConfiguration: { assignPublicIp: 'ENABLED' },
        fargatePlatformConfiguration: {},
        ephemeralStorage: { sizeInGiB: 21 },
        runtimePlatform: { cpuArchitecture: 'ARM64' },
        repositoryCredentials: { credentialsParameter: 'registry' },
        enableExecuteCommand: true,
      },
      containerOverrides: { resourceRequirements: [{ type: 'MEMORY', value: '2048' }] },
      tags: { team: 'data', empty: '', none: null },
      propagateTags: true,
      shareIdentifier: 'science',
      schedulingPriority: 10,
      schedulingPriorityOverride: 9999,
    },
  },
  {
    title: 'a job of several containers, with overrides by name',
    kind: 'BatchJob',
    spec: {
      ecsProperties: {
        taskProperties: [
          {
            taskRoleArn: 'app',
            pidMode: 'task',
            networkMode: 'host',
            platformVersion: 'LATEST',
            volumes: [{ name: 'data', host: { sourcePath: '/srv/data' } }],
            containers: [
              {
                name: 'main',
                image: 'busybox',
                dependsOn: [{ containerName: 'prepare', condition: 'SUCCESS' }],
                logConfiguration: { logDriver: 'awsfirelens' },
                mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
              },
              { name: 'prepare', image: 'busybox', essential: false, startTimeout: 2, stopTimeout: 120 },
              { name: 'router', image: 'fluent-bit', essential: false, firelensConfiguration: { type: 'fluentbit' } },
            ],
          },
        ],
      },
      ecsPropertiesOverride: { taskProperties: [{ containers: [{ name: 'prepare', command: ['x'] }] }] },
    },
  },
  {
    title: 'a job that waits for health',
    kind: 'BatchJob',
    spec: {
      ecsProperties: {
        taskProperties: [
          {
            containers: [
              { name: 'a', image: 'a', dependsOn: [{ containerName: 'b', condition: 'HEALTHY' }] },
              { name: 'b', image: 'b' },
            ],
          },
        ],
      },
    },
    refused: ['spec.ecsProperties.taskProperties[0].containers[0].dependsOn[0].condition', 'HEALTHY'],
  },
  {
    title: 'a job of two tasks',
    kind: 'BatchJob',
    spec: { ecsProperties: { taskProperties: ['a', 'b'].map((name) => ({ containers: [{ name, image: name }] })) } },
    refused: ['spec.ecsProperties.taskProperties', '1'],
  },
  {
    title: 'a job of nothing',
    kind: 'BatchJob',
    spec: {},
    refused: ['exactly one of containerProperties, ecsProperties and taskDefinition'],
  },
  {
    title: 'a job of both',
    kind: 'BatchJob',
    spec: job({ taskDefinition: 'sum' }),
    refused: ['exactly one of containerProperties, ecsProperties and taskDefinition'],
  },
  {
    title: 'an array of one',
    kind: 'BatchJob',
    spec: job({ arrayProperties: { size: 1 } }),
    refused: ['spec.arrayProperties.size', '2'],
  },
  {
    title: 'eleven attempts',
    kind: 'BatchJob',
    spec: job({ retryStrategy: { attempts: 11 } }),
    refused: ['spec.retryStrategy.attempts', '10'],
  },
  {
    title: 'a time-out under a minute',
    kind: 'BatchJob',
    spec: job({ timeout: { attemptDurationSeconds: 59 } }),
    refused: ['spec.timeout.attemptDurationSeconds', '60'],
  },
  {
    title: 'a reserved environment variable',
    kind: 'BatchJob',
    spec: properties({ environment: [{ name: 'AWS_BATCH_JOB_ID', value: 'x' }] }),
    refused: ['spec.containerProperties.environment[0].name', 'must not start with AWS_BATCH'],
  },
  {
    title: 'a reserved environment variable in the overrides',
    kind: 'BatchJob',
    spec: job({ containerOverrides: { environment: [{ name: 'AWS_BATCH_JOB_ID', value: 'x' }] } }),
    refused: ['spec.containerOverrides.environment[0].name', 'must not start with AWS_BATCH'],
  },
  {
    title: 'vCPUs given twice',
    kind: 'BatchJob',
    spec: properties({ resourceRequirements: [{ type: 'VCPU', value: '2' }] }),
    refused: [onceText, 'VCPU'],
  },
  { title: 'no memory', kind: 'BatchJob', spec: properties({ memory: null }), refused: [onceText, 'MEMORY'] },
  {
    title: 'three quarters of a vCPU',
    kind: 'BatchJob',
    spec: properties({ vcpus: null, resourceRequirements: [{ type: 'VCPU', value: '0.75' }] }),
    refused: ['spec.containerProperties.resourceRequirements[0].value', 'VCPU takes'],
  },
  {
    title: 'a job name that starts with a dash',
    kind: 'BatchJob',
    spec: job({ jobName: '-sum' }),
    refused: ['spec.jobName'],
  },
];
