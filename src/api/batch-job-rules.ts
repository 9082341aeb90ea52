/** Rules over several fields of a Batch job, each as zod check and CEL (`ecs-semantics` §5.1, §5.2). */
import type { BatchResourceRequirement } from './batch-container.ts';
import type { BatchContainerProperties } from './batch-container-properties.ts';
import type { BatchEcsProperties } from './batch-ecs-properties.ts';
import type { BatchContainerOverrides, BatchEcsPropertiesOverride } from './batch-overrides.ts';
import type { LogConfiguration } from './log-configuration.ts';
import { celFirst, celText, type Rule } from './schema.ts';
import { CEL_FARGATE_SIZES, FARGATE_SIZES } from './task-size.ts';

/** What the rules look at. */
export interface JobDefinitionFields {
  readonly platformCapabilities: readonly string[];
  readonly containerProperties?: BatchContainerProperties | undefined;
  readonly ecsProperties?: BatchEcsProperties | undefined;
  readonly containerOverrides?: BatchContainerOverrides | undefined;
  readonly ecsPropertiesOverride?: BatchEcsPropertiesOverride | undefined;
  readonly taskDefinition?: string | undefined;
}

const DEFINITIONS = ['containerProperties', 'ecsProperties', 'taskDefinition'] as const;

const oneDefinition: Rule<JobDefinitionFields> = {
  message: 'exactly one of containerProperties, ecsProperties and taskDefinition must be given',
  holds: (job) => DEFINITIONS.filter((field) => job[field] !== undefined).length === 1,
  cel: `[${DEFINITIONS.map((field) => `has(self.${field})`).join(', ')}].exists_one(given, given)`,
};

const overridesFit: readonly Rule<JobDefinitionFields>[] = [
  {
    message: 'containers of ecsProperties are overridden by name: use ecsPropertiesOverride',
    holds: (job) => job.containerOverrides === undefined || job.ecsProperties === undefined,
    cel: '!has(self.containerOverrides) || !has(self.ecsProperties)',
    field: 'containerOverrides',
  },
  {
    message: 'the container of containerProperties has no name: use containerOverrides',
    holds: (job) => job.ecsPropertiesOverride === undefined || job.containerProperties === undefined,
    cel: '!has(self.ecsPropertiesOverride) || !has(self.containerProperties)',
    field: 'ecsPropertiesOverride',
  },
];

const containersOf = (job: JobDefinitionFields) => job.ecsProperties?.taskProperties[0]?.containers ?? [];
/** CEL: whether something holds of the one task of ecsProperties, where there is one. */
const celOfTask = (holds: string) => `(!has(self.ecsProperties) || self.ecsProperties.taskProperties.all(t, ${holds}))`;

const unknownContainer = (name: string) => `ecsProperties has no container named ${name}`;
const CEL_OVERRIDES = 'self.ecsPropertiesOverride.taskProperties[0].containers';
const CEL_IS_UNKNOWN = '!self.ecsProperties.taskProperties[0].containers.exists(c, c.name == o.name)';
const overriddenExist: Rule<JobDefinitionFields> = {
  refuses: (job) => {
    if (job.ecsProperties === undefined) return undefined;
    const names = containersOf(job).map(({ name }) => name);
    const overrides = job.ecsPropertiesOverride?.taskProperties[0]?.containers ?? [];
    const unknown = overrides.find(({ name }) => !names.includes(name));
    return unknown && unknownContainer(unknown.name);
  },
  cel:
    '!has(self.ecsProperties) || !has(self.ecsPropertiesOverride) || !has(self.ecsPropertiesOverride.taskProperties) || ' +
    `self.ecsPropertiesOverride.taskProperties.all(p, !has(p.containers) || !p.containers.exists(o, ${CEL_IS_UNKNOWN}))`,
  celMessage: celText(unknownContainer, `${CEL_OVERRIDES}[${celFirst(CEL_OVERRIDES, 'o', CEL_IS_UNKNOWN)}].name`),
  field: 'ecsPropertiesOverride',
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
  {
    message,
    holds: (job) => !onFargate(job) || !containersOf(job).some(breaks),
    cel: `!(${CEL_ON_FARGATE}) || ${celOfTask(`!t.containers.exists(c, ${cel('c')})`)}`,
    field: 'ecsProperties',
  },
];

/** AWS: job definition parameters, logConfiguration. */
const LOG_DRIVERS: readonly LogConfiguration['logDriver'][] = ['awslogs', 'splunk', 'awsfirelens'];

const noPath = ({ host }: BatchContainerProperties['volumes'][number]): boolean => (host?.sourcePath ?? '') === '';
const celNoPath = (holder: string) =>
  `(!has(${holder}.volumes) || ${holder}.volumes.all(v, !has(v.host) || !has(v.host.sourcePath) || v.host.sourcePath == ''))`;
const PATH = 'a volume of a job on Fargate cannot be a path of the node: host.sourcePath must be absent or empty';
const noSourcePath: readonly Rule<JobDefinitionFields>[] = [
  {
    message: PATH,
    holds: (job) => !onFargate(job) || (job.containerProperties?.volumes ?? []).every(noPath),
    cel: `!(${CEL_ON_FARGATE}) || !has(self.containerProperties) || ${celNoPath('self.containerProperties')}`,
    field: 'containerProperties',
  },
  {
    message: PATH,
    holds: (job) => !onFargate(job) || (job.ecsProperties?.taskProperties[0]?.volumes ?? []).every(noPath),
    cel: `!(${CEL_ON_FARGATE}) || ${celOfTask(celNoPath('t'))}`,
    field: 'ecsProperties',
  },
];

/** Of a task of several containers; that of one has neither. Texts: as of ECS (measured 2026-09). */
const namespaces: readonly Rule<JobDefinitionFields>[] = [
  {
    message: 'Fargate compatible task definitions do not support ipcMode',
    holds: (job) => !onFargate(job) || job.ecsProperties?.taskProperties[0]?.ipcMode === undefined,
    cel: `!(${CEL_ON_FARGATE}) || ${celOfTask('!has(t.ipcMode)')}`,
    field: 'ecsProperties',
  },
  {
    message:
      "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
    holds: (job) => !onFargate(job) || job.ecsProperties?.taskProperties[0]?.pidMode !== 'host',
    cel: `!(${CEL_ON_FARGATE}) || ${celOfTask("!has(t.pidMode) || t.pidMode != 'host'")}`,
    field: 'ecsProperties',
  },
];

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
  ...overridesFit,
  overriddenExist,
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
  ...noSourcePath,
  ...namespaces,
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

interface ControllerRule {
  readonly refuses: (job: JobDefinitionFields) => string | undefined;
  readonly field: string;
}

/** What CEL cannot say: the API server accepts, the controller reports. */
export const jobControllerRules: readonly ControllerRule[] = [
  ...(['containerOverrides', 'ecsPropertiesOverride'] as const).map(
    (field): ControllerRule => ({
      refuses: (job) =>
        jsonOf(job[field] ?? {}).length > MAX_OVERRIDES
          ? `Container Overrides length must be at most ${MAX_OVERRIDES}`
          : undefined,
      field,
    }),
  ),
  ...(['containerProperties', 'ecsProperties'] as const).map(
    (field): ControllerRule => ({
      refuses: (job) => {
        const length = Buffer.byteLength(jsonOf(job[field] ?? {}));
        return length > MAX_DEFINITION
          ? `has ${length} bytes as JSON; AWS takes a job definition of at most ${MAX_DEFINITION}`
          : undefined;
      },
      field,
    }),
  ),
];
