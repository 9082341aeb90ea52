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

export const brokenJobs: readonly BrokenRule[] = [
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
