/** Batch jobs that break one rule each of what their containers are. */
import type { BrokenRule } from './broken-rules.ts';

type Fields = Record<string, unknown>;

const broken = (path: string, message: string, spec: Fields): BrokenRule => ({
  kind: 'BatchJob',
  path: `spec.${path}`,
  message,
  spec,
});

const requirements = (vcpus: string, memory: string) => [
  { type: 'VCPU', value: vcpus },
  { type: 'MEMORY', value: memory },
];

/** A job whose one container has the fields. */
type Job = (container: Fields, task?: Fields) => Fields;

const ofProperties: Job = (container, task = {}) => ({
  containerProperties: { image: 'busybox', resourceRequirements: requirements('1', '2048'), ...container, ...task },
});

const helper = { name: 'helper', image: 'busybox', essential: false };
const containers = (all: readonly Fields[], task: Fields = {}): Fields => ({
  ecsProperties: { taskProperties: [{ ...task, containers: all }] },
});

/** A job of which the first of two containers has the fields. */
const ofContainers: Job = (container, task) =>
  containers([{ name: 'app', image: 'busybox', ...container }, helper], task);

const onFargate = (job: Fields): Fields => ({ platformCapabilities: ['FARGATE'], ...job });

const withVolume = (job: Job, kind: Fields): Fields => job({}, { volumes: [{ name: 'data', ...kind }] });

/** Rules of one container, wherever it is. */
function ofContainer(at: string, job: Job): BrokenRule[] {
  return [
    broken(
      `${at}.secrets`,
      "The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'TOKEN'.",
      job({ secrets: [{ name: 'TOKEN', valueFrom: 'token' }], environment: [{ name: 'TOKEN' }] }),
    ),
    broken(
      `${at}.ulimits[0].softLimit`,
      'Soft limit exceeds hard limit for ulimit nproc',
      job({ ulimits: [{ name: 'nproc', softLimit: 2, hardLimit: 1 }] }),
    ),
  ];
}

/** Rules of one volume, wherever it is. */
function ofVolume(at: string, job: Job): BrokenRule[] {
  const efs = (field: string, message: string, fields: Fields): BrokenRule =>
    broken(
      `${at}.efsVolumeConfiguration.${field}`,
      message,
      withVolume(job, { efsVolumeConfiguration: { fileSystemId: 'fs-1', ...fields } }),
    );
  return [
    efs(
      'rootDirectory',
      'When using an EFS access point, the root directory must either be set to "/" or be omitted.',
      {
        rootDirectory: '/data',
        transitEncryption: 'ENABLED',
        authorizationConfig: { accessPointId: 'fsap-1' },
      },
    ),
    efs('transitEncryption', 'EFS IAM authorization requires TransitEncryption to be enabled.', {
      authorizationConfig: { iam: 'ENABLED' },
    }),
    efs('transitEncryption', 'an EFS access point requires TransitEncryption to be enabled', {
      authorizationConfig: { accessPointId: 'fsap-1' },
    }),
    efs('transitEncryptionPort', 'TransitEncryptionPort requires that TransitEncryption is enabled.', {
      transitEncryptionPort: 2049,
    }),
    broken(
      `${at}.s3filesVolumeConfiguration.rootDirectory`,
      'when using an S3 Files access point, the root directory must either be set to "/" or be omitted',
      withVolume(job, {
        s3filesVolumeConfiguration: { fileSystemArn: 'a', accessPointArn: 'b', rootDirectory: '/data' },
      }),
    ),
  ];
}

/** What Fargate does not run, said of the properties as a whole. */
function ofFargate(at: string, job: Job): BrokenRule[] {
  const refused = (message: string, container: Fields, task: Fields = {}): BrokenRule =>
    broken(at, message, onFargate(job(container, task)));
  return [
    refused('Fargate requires that privileged be false', { privileged: true }),
    refused('jobs on Fargate get no GPU', {
      resourceRequirements: [...requirements('1', '2048'), { type: 'GPU', value: '1' }],
    }),
    refused('the log driver of a job on Fargate must be one of awslogs, splunk, awsfirelens', {
      logConfiguration: { logDriver: 'syslog' },
    }),
    refused(
      'a volume of a job on Fargate cannot be a path of the node: host.sourcePath must be absent or empty',
      {},
      { volumes: [{ name: 'data', host: { sourcePath: '/data' } }] },
    ),
  ];
}

// Texts: AWS (Netflix/metaflow#749, insitro/redun#95).
const size = (vcpus: string, memory: string) =>
  `Fargate resource requirements (${vcpus} vCPU, ${memory} MiB) not valid. See the pairs of vCPU and MEMORY of AWS Fargate for the valid values.`;
const olderForm = (field: string) => `${field} is not applicable for Fargate. Use resource requirements instead.`;

const amounts =
  'VCPU takes a whole number from 1, 0.25 or 0.5; MEMORY a whole number from 4 (MiB); GPU a whole number from 1';
const reserved = 'names of environment variables must not start with AWS_BATCH, which is reserved';
const TASK = 'ecsProperties.taskProperties[0]';
const overriding = (fields: Fields): Fields => ({
  ...ofContainers({}),
  ecsPropertiesOverride: { taskProperties: [{ containers: [{ name: 'app', ...fields }] }] },
});
const ofTask = (message: string, spec: Fields): BrokenRule => broken(`${TASK}.containers`, message, spec);
const logsTo = (logDriver: string) => ({ logConfiguration: { logDriver } });
const router = { firelensConfiguration: { type: 'fluentbit' } };

const brokenContainers: readonly BrokenRule[] = [
  ...ofContainer(`${TASK}.containers[0]`, ofContainers),
  ...ofVolume(`${TASK}.volumes[0]`, ofContainers),
  ...ofFargate('ecsProperties', ofContainers),
  broken(
    'ecsProperties',
    'Fargate compatible task definitions do not support ipcMode',
    onFargate(ofContainers({}, { ipcMode: 'task' })),
  ),
  broken(
    'ecsProperties',
    "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
    onFargate(ofContainers({}, { pidMode: 'host' })),
  ),
  ...[
    { at: `${TASK}.containers[0]`, job: ofContainers },
    { at: 'ecsPropertiesOverride.taskProperties[0].containers[0]', job: overriding },
  ].flatMap(({ at, job }) => [
    broken(
      `${at}.resourceRequirements[0].value`,
      amounts,
      job({ resourceRequirements: [{ type: 'MEMORY', value: '3' }] }),
    ),
    broken(`${at}.environment[0].name`, reserved, job({ environment: [{ name: 'AWS_BATCH_JOB_ID' }] })),
  ]),
  broken(
    `${TASK}.containers[0].firelensConfiguration.options`,
    'config-file-type must be s3 or file, and config-file-value must name the file',
    ofContainers({
      ...logsTo('awsfirelens'),
      firelensConfiguration: { type: 'fluentbit', options: { 'config-file-type': 'ftp' } },
    }),
  ),
  broken(
    `${TASK}.containers[0].dependsOn`,
    'a container cannot depend on itself',
    ofContainers({ dependsOn: [{ containerName: 'app', condition: 'START' }] }),
  ),
  ofTask(
    "Task definition doesn't have any essential container. Leave essential out, or set it to true on one of them.",
    ofContainers({ essential: false }),
  ),
  ofTask(
    "container 'app': Cannot depend on container + 'none' because it does not exist",
    ofContainers({ dependsOn: [{ containerName: 'none', condition: 'START' }] }),
  ),
  ofTask(
    "container 'second' depends on 'app': A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    containers([
      { name: 'app', image: 'busybox' },
      { name: 'second', image: 'busybox', dependsOn: [{ containerName: 'app', condition: 'SUCCESS' }] },
    ]),
  ),
  ofTask(
    "container 'app': Unknown volume 'data'.",
    ofContainers({ mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }] }),
  ),
  ofTask(
    'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver',
    ofContainers(router),
  ),
  ofTask(
    'When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.',
    ofContainers(logsTo('awsfirelens')),
  ),
  ofTask(
    'only one container of a task may have a firelensConfiguration',
    containers([
      { name: 'app', image: 'busybox', ...logsTo('awsfirelens'), ...router },
      { ...helper, ...router },
    ]),
  ),
  broken('containerOverrides', 'containers of ecsProperties are overridden by name: use ecsPropertiesOverride', {
    ...ofContainers({}),
    containerOverrides: {},
  }),
  broken('ecsPropertiesOverride', 'the container of containerProperties has no name: use containerOverrides', {
    ...ofProperties({}),
    ecsPropertiesOverride: {},
  }),
  broken('ecsPropertiesOverride', 'ecsProperties has no container named none', overriding({ name: 'none' })),
];

export const brokenJobs: readonly BrokenRule[] = [
  ...brokenContainers,
  ...ofContainer('containerProperties', ofProperties),
  ...ofVolume('containerProperties.volumes[0]', ofProperties),
  ...ofFargate('containerProperties', ofProperties),
  broken(
    'containerProperties',
    size('1', '4000'),
    onFargate(ofProperties({ resourceRequirements: requirements('1', '4000') })),
  ),
  broken(
    'containerProperties',
    size('.5', '8192'),
    onFargate(ofProperties({ resourceRequirements: requirements('.5', '8192') })),
  ),
  broken(
    'containerProperties',
    size('1', '9216'),
    onFargate({
      ...ofProperties({}),
      containerOverrides: { resourceRequirements: [{ type: 'MEMORY', value: '9216' }] },
    }),
  ),
  broken(
    'containerProperties',
    olderForm('vcpus'),
    onFargate(ofProperties({ vcpus: 1, resourceRequirements: [{ type: 'MEMORY', value: '2048' }] })),
  ),
  broken(
    'containerProperties',
    olderForm('memory'),
    onFargate({ ...ofProperties({}), containerOverrides: { memory: 4096 } }),
  ),
  ...[{ 'AWS:team': 'data' }, { team: 'aws:data' }, { ['k'.repeat(129)]: 'data' }].map((tags) =>
    broken(
      'tags',
      'keys of tags have 1 to 128 characters, and neither keys nor values start with aws:, in any case of letters',
      { ...ofProperties({}), tags },
    ),
  ),
];
