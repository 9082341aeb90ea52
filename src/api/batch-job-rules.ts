/** Rules over several fields of a Batch job, each as zod check and CEL (`ecs-semantics` §5.1, §5.2). */
import type { BatchResourceRequirement } from './batch-container.ts';
import type { BatchContainerProperties } from './batch-container-properties.ts';
import type { BatchContainerOverrides } from './batch-overrides.ts';
import type { LogConfiguration } from './log-configuration.ts';
import { celText, type Rule } from './schema.ts';
import { CEL_FARGATE_SIZES, FARGATE_SIZES } from './task-size.ts';

/** What the rules look at. */
export interface JobDefinitionFields {
  readonly platformCapabilities: readonly string[];
  readonly containerProperties?: BatchContainerProperties | undefined;
  readonly containerOverrides?: BatchContainerOverrides | undefined;
  readonly taskDefinition?: string | undefined;
}

const oneDefinition: Rule<JobDefinitionFields> = {
  message: 'exactly one of containerProperties and taskDefinition must be given',
  holds: (job) => (job.containerProperties === undefined) !== (job.taskDefinition === undefined),
  cel: 'has(self.containerProperties) != has(self.taskDefinition)',
};

const onFargate = ({ platformCapabilities }: JobDefinitionFields): boolean => platformCapabilities.includes('FARGATE');
const CEL_ON_FARGATE = "has(self.platformCapabilities) && 'FARGATE' in self.platformCapabilities";

type Container = Pick<BatchContainerProperties, 'privileged' | 'resourceRequirements' | 'logConfiguration'>;

/** What no container of a job on Fargate may have. */
const noContainer = (
  message: string,
  breaks: (container: Container) => boolean,
  cel: (container: string) => string,
): readonly Rule<JobDefinitionFields>[] => [
  {
    message,
    holds: (job) => !onFargate(job) || job.containerProperties === undefined || !breaks(job.containerProperties),
    cel: `!(${CEL_ON_FARGATE}) || !has(self.containerProperties) || !(${cel('self.containerProperties')})`,
    field: 'containerProperties',
  },
];

/** AWS: job definition parameters, logConfiguration. */
const LOG_DRIVERS: readonly LogConfiguration['logDriver'][] = ['awslogs', 'splunk', 'awsfirelens'];

const noSourcePath: Rule<JobDefinitionFields> = {
  message: 'a volume of a job on Fargate cannot be a path of the node: host.sourcePath must be absent or empty',
  holds: (job) =>
    !onFargate(job) || (job.containerProperties?.volumes ?? []).every(({ host }) => (host?.sourcePath ?? '') === ''),
  cel:
    `!(${CEL_ON_FARGATE}) || !has(self.containerProperties) || !has(self.containerProperties.volumes) || ` +
    "self.containerProperties.volumes.all(v, !has(v.host) || !has(v.host.sourcePath) || v.host.sourcePath == '')",
  field: 'containerProperties',
};

const VCPU = '^([0-9]{1,6}([.]0)?|0?[.](25|5))$';

const given = (requirements: readonly BatchResourceRequirement[] | undefined, type: string): string | undefined =>
  requirements?.find((requirement) => requirement.type === type)?.value;

// Text: AWS (Netflix/metaflow#749).
const noSuchSize = (vcpus: string, memory: string) =>
  `Fargate resource requirements (${vcpus} vCPU, ${memory} MiB) not valid. ` +
  'See the pairs of vCPU and MEMORY of AWS Fargate for the valid values.';
const celValues = (type: string, pattern: string) =>
  `(${['containerOverrides', 'containerProperties']
    .map(
      (holder) =>
        `(has(self.${holder}) && has(self.${holder}.resourceRequirements) ? self.${holder}.resourceRequirements` +
        `.filter(r, r.type == '${type}' && r.value.matches('${pattern}')).map(r, r.value) : [])`,
    )
    .join(' + ')})`;
const CEL_VCPU = celValues('VCPU', VCPU);
const CEL_MEMORY = celValues('MEMORY', '^[0-9]{1,9}$');
/** Of the definition with its overrides: RegisterJobDefinition and SubmitJob both look at it. */
const fargateSize: Rule<JobDefinitionFields> = {
  refuses: (job) => {
    if (!onFargate(job) || job.containerProperties === undefined) return undefined;
    const both = [job.containerOverrides, job.containerProperties].map((holder) => holder?.resourceRequirements);
    const [vcpus, memory] = ['VCPU', 'MEMORY'].map((type) => both.map((one) => given(one, type)).find(Boolean));
    if (vcpus === undefined || memory === undefined || !new RegExp(VCPU).test(vcpus) || !/^\d{1,9}$/.test(memory))
      return undefined;
    const fits = FARGATE_SIZES.get(Number(vcpus) * 1024)?.includes(Number(memory));
    return fits ? undefined : noSuchSize(vcpus, memory);
  },
  cel:
    `!(${CEL_ON_FARGATE}) || !has(self.containerProperties) || [${CEL_VCPU}].all(v, [${CEL_MEMORY}].all(m, ` +
    `size(v) == 0 || size(m) == 0 || [int(double(v[0]) * 1024.0)].all(cpu, ` +
    `cpu in ${CEL_FARGATE_SIZES} && int(m[0]) in ${CEL_FARGATE_SIZES}[cpu])))`,
  celMessage: celText(noSuchSize, `${CEL_VCPU}[0]`, `${CEL_MEMORY}[0]`),
  field: 'containerProperties',
};

// Text: AWS (insitro/redun#95).
const notApplicable = (field: string) => `${field} is not applicable for Fargate. Use resource requirements instead.`;
const olderForm = (field: 'vcpus' | 'memory'): Rule<JobDefinitionFields> => ({
  message: notApplicable(field),
  holds: (job) =>
    !onFargate(job) ||
    (job.containerProperties?.[field] === undefined && job.containerOverrides?.[field] === undefined),
  cel:
    `!(${CEL_ON_FARGATE}) || ((!has(self.containerProperties) || !has(self.containerProperties.${field})) && ` +
    `(!has(self.containerOverrides) || !has(self.containerOverrides.${field})))`,
  field: 'containerProperties',
});

export const jobDefinitionRules: readonly Rule<JobDefinitionFields>[] = [
  oneDefinition,
  ...noContainer(
    'Fargate requires that privileged be false',
    ({ privileged }) => privileged,
    (c) => `has(${c}.privileged) && ${c}.privileged`,
  ),
  ...noContainer(
    'jobs on Fargate get no GPU',
    ({ resourceRequirements }) => resourceRequirements.some(({ type }) => type === 'GPU'),
    (c) => `has(${c}.resourceRequirements) && ${c}.resourceRequirements.exists(r, r.type == 'GPU')`,
  ),
  ...noContainer(
    `the log driver of a job on Fargate must be one of ${LOG_DRIVERS.join(', ')}`,
    ({ logConfiguration }) => logConfiguration !== undefined && !LOG_DRIVERS.includes(logConfiguration.logDriver),
    (c) =>
      `has(${c}.logConfiguration) && !(${c}.logConfiguration.logDriver in [${LOG_DRIVERS.map((name) => `'${name}'`).join(', ')}])`,
  ),
  noSourcePath,
  olderForm('vcpus'),
  olderForm('memory'),
  fargateSize,
];

/** Characters of the overrides as JSON. Text: AWS (`ecs-semantics` §5.14). */
const MAX_OVERRIDES = 8192;
/** Bytes of a job definition as JSON. AWS: service quotas, "Maximum job definition size". */
const MAX_DEFINITION = 24 * 1024;

/** Without what is a default, which nobody gave. */
const jsonOf = (value: object): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    inner === false || inner === '' || (Array.isArray(inner) && inner.length === 0) ? undefined : inner,
  );

/** What CEL cannot say: the API server accepts, the controller reports. */
export const jobControllerRules: readonly {
  readonly refuses: (job: JobDefinitionFields) => string | undefined;
  readonly field: string;
}[] = [
  {
    refuses: ({ containerOverrides = {} }) =>
      jsonOf(containerOverrides).length > MAX_OVERRIDES
        ? `Container Overrides length must be at most ${MAX_OVERRIDES}`
        : undefined,
    field: 'containerOverrides',
  },
  {
    refuses: ({ containerProperties = {} }) => {
      const length = Buffer.byteLength(jsonOf(containerProperties));
      return length > MAX_DEFINITION
        ? `has ${length} bytes as JSON; AWS takes a job definition of at most ${MAX_DEFINITION}`
        : undefined;
    },
    field: 'containerProperties',
  },
];
