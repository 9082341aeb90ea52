/** What Fargate does not run (`ecs-semantics` §1.1, §1.3, §1.8, §1.10); its sizes are in `task-size.ts`. */
import type { ContainerDefinition } from './container-definition.ts';
import { noContainer, noVolume, onFargate } from './element-rules.ts';
import type { LogConfiguration } from './log-configuration.ts';
import { celFirst, celHasKey, type Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

const unsupported = (field: string) => `Fargate compatible task definitions do not support ${field}`;

// Texts of AWS (measured 2026-09) unless said otherwise.

const noIpcMode: Rule<TaskDefinitionFields> = {
  message: unsupported('ipcMode'),
  holds: (task) => !onFargate.holds(task) || task.ipcMode === undefined,
  cel: `!(${onFargate.cel}) || !has(self.ipcMode)`,
  field: 'ipcMode',
};

const ownPidMode: Rule<TaskDefinitionFields> = {
  message:
    "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.",
  holds: (task) => !onFargate.holds(task) || task.pidMode !== 'host',
  cel: `!(${onFargate.cel}) || !has(self.pidMode) || self.pidMode != 'host'`,
  field: 'pidMode',
};

const noConstraints: Rule<TaskDefinitionFields> = {
  message: unsupported('constraints'),
  holds: (task) => !onFargate.holds(task) || task.placementConstraints.length === 0,
  cel: `!(${onFargate.cel}) || !has(self.placementConstraints) || size(self.placementConstraints) == 0`,
  field: 'placementConstraints',
};

const onlyEc2 = "has(self.requiresCompatibilities) && 'EC2' in self.requiresCompatibilities";
const ephemeralStorage: Rule<TaskDefinitionFields> = {
  message: 'Tasks using the EC2 launch type do not support EphemeralStorage.',
  holds: (task) =>
    task.ephemeralStorage === undefined || onFargate.holds(task) || !task.requiresCompatibilities.includes('EC2'),
  cel: `!has(self.ephemeralStorage) || !(${onlyEc2}) || (${onFargate.cel})`,
  field: 'ephemeralStorage',
};

const noSourcePath = noVolume({
  when: onFargate,
  breaks: ({ host }) => host !== undefined && host.sourcePath !== '',
  cel: (v) => `has(${v}.host) && has(${v}.host.sourcePath) && ${v}.host.sourcePath != ''`,
  message: (name) => `volume '${name}': ${unsupported('sourcePath')}`,
});

const noDockerVolume = noVolume({
  when: onFargate,
  breaks: ({ dockerVolumeConfiguration }) => dockerVolumeConfiguration !== undefined,
  cel: (v) => `has(${v}.dockerVolumeConfiguration)`,
  message: (name) => `volume '${name}': ${unsupported('dockerVolumeConfiguration')}`,
});

const onContainers = (
  text: string,
  breaks: (container: ContainerDefinition) => boolean,
  cel: (container: string) => string,
) => noContainer({ when: onFargate, breaks, cel, message: (name) => `container '${name}': ${text}` });

const linuxParameter = (field: 'sharedMemorySize' | 'maxSwap' | 'swappiness') =>
  onContainers(
    unsupported(field),
    ({ linuxParameters }) => linuxParameters?.[field] !== undefined,
    (c) => `has(${c}.linuxParameters) && has(${c}.linuxParameters.${field})`,
  );

const given = (path: string, list: string) => (c: string) =>
  `${path === '' ? '' : `has(${c}${path}) && `}has(${c}${path}.${list}) && size(${c}${path}.${list}) > 0`;

const timeout = (which: 'start' | 'stop', limit: (container: ContainerDefinition) => number | undefined) => {
  const field = `${which}Timeout`;
  return onContainers(
    `Tasks using the Fargate launch type must have a container ${which} timeout of less than 120 seconds. It takes 2 to 120.`,
    (container) => {
      const seconds = limit(container);
      return seconds !== undefined && (seconds < 2 || seconds > 120);
    },
    (c) => `has(${c}.${field}) && (${c}.${field} < 2 || ${c}.${field} > 120)`,
  );
};

const added = (c: string) => `${c}.linuxParameters.capabilities.add`;
const refusedCapability = ({ linuxParameters }: ContainerDefinition) =>
  linuxParameters?.capabilities?.add.find((capability) => capability !== 'SYS_PTRACE');
const noCapabilities = noContainer({
  when: onFargate,
  breaks: (container) => refusedCapability(container) !== undefined,
  cel: (c) =>
    `has(${c}.linuxParameters) && has(${c}.linuxParameters.capabilities) && has(${added(c)}) && ${added(c)}.exists(a, a != 'SYS_PTRACE')`,
  value: (container) => refusedCapability(container) ?? '',
  celValue: (c) => `${added(c)}[${celFirst(added(c), 'a', "a != 'SYS_PTRACE'")}]`,
  message: (name, capability) => `container '${name}': ${capability} is not allowed on Fargate.`,
});

const LOG_DRIVERS: readonly LogConfiguration['logDriver'][] = ['awslogs', 'splunk', 'awsfirelens'];
const logDrivers = noContainer({
  when: onFargate,
  breaks: ({ logConfiguration }) => logConfiguration !== undefined && !LOG_DRIVERS.includes(logConfiguration.logDriver),
  cel: (c) =>
    `has(${c}.logConfiguration) && !(${c}.logConfiguration.logDriver in [${LOG_DRIVERS.map((name) => `'${name}'`).join(', ')}])`,
  value: ({ logConfiguration }) => logConfiguration?.logDriver ?? '',
  celValue: (c) => `${c}.logConfiguration.logDriver`,
  message: (name, driver) =>
    `container '${name}': ${driver} is not a valid log driver. Must be one of [${LOG_DRIVERS.join(',')}]`,
});

const streamPrefix = onContainers(
  'Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.',
  ({ logConfiguration }) =>
    logConfiguration?.logDriver === 'awslogs' && logConfiguration.options['awslogs-stream-prefix'] === undefined,
  (c) =>
    `has(${c}.logConfiguration) && ${c}.logConfiguration.logDriver == 'awslogs' && ` +
    `!${celHasKey(`${c}.logConfiguration.options`, 'awslogs-stream-prefix')}`,
);

const noGpu = onContainers(
  'Tasks using the Fargate launch type do not support GPU resource requirements.',
  ({ resourceRequirements }) => resourceRequirements.some(({ type }) => type === 'GPU'),
  (c) => `has(${c}.resourceRequirements) && ${c}.resourceRequirements.exists(r, r.type == 'GPU')`,
);

// Text: floci-io/floci, which cites AWS's.
const routerConfiguration = onContainers(
  "Fargate launch type does not support FirelensConfiguration config file from 's3'",
  ({ firelensConfiguration }) => firelensConfiguration?.options['config-file-type'] === 's3',
  (c) =>
    `has(${c}.firelensConfiguration) && ${celHasKey(`${c}.firelensConfiguration.options`, 'config-file-type')} && ` +
    `${c}.firelensConfiguration.options['config-file-type'] == 's3'`,
);

export const fargateRules: readonly Rule<TaskDefinitionFields>[] = [
  noIpcMode,
  ownPidMode,
  noConstraints,
  ephemeralStorage,
  noSourcePath,
  noDockerVolume,
  onContainers(
    'Fargate requires that the ‘privileged’ setting be ‘false’ at the container level.',
    ({ privileged }) => privileged,
    (c) => `has(${c}.privileged) && ${c}.privileged`,
  ),
  onContainers(
    unsupported('devices'),
    ({ linuxParameters }) => linuxParameters !== undefined && linuxParameters.devices.length > 0,
    given('.linuxParameters', 'devices'),
  ),
  onContainers(
    unsupported('dockerSecurityOptions'),
    ({ dockerSecurityOptions }) => dockerSecurityOptions.length > 0,
    given('', 'dockerSecurityOptions'),
  ),
  linuxParameter('sharedMemorySize'),
  linuxParameter('maxSwap'),
  // No text of AWS is known for swappiness and the start timeout: after those beside them.
  linuxParameter('swappiness'),
  timeout('start', ({ startTimeout }) => startTimeout),
  timeout('stop', ({ stopTimeout }) => stopTimeout),
  noCapabilities,
  logDrivers,
  streamPrefix,
  routerConfiguration,
  noGpu,
];
