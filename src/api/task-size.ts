/** CPU and memory as AWS writes them, and how much of them a task may have (`ecs-semantics` §1.1, §1.2, §1.4). */
import type { ContainerDefinition } from './container-definition.ts';
import { noContainer, onFargate } from './element-rules.ts';
import { celText, type Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

/** ECS takes CPU as units ("1024") or as vCPUs ("1 vCPU", ".5 vcpu"); 1024 units are one vCPU. NaN for anything else. */
export function cpuUnits(text: string): number {
  const vcpu = /^([\d.]+) ?vcpu$/i.exec(text);
  return vcpu === null ? Number(text) : Math.round(Number(vcpu[1]) * 1024);
}

/** ECS takes memory as MiB ("512") or as GB ("1GB", "1 GB", which are GiB). NaN for anything else. */
export function memoryMib(text: string): number {
  const gb = /^([\d.]+) ?gb$/i.exec(text);
  return gb === null ? Number(text) : Math.round(Number(gb[1]) * 1024);
}

/** CEL of the two above, with -1 for NaN: a text that breaks its field's pattern breaks no other rule. */
const celAmount = (field: string, unit: string) =>
  `(${field}.matches('^[0-9]{1,9}$') ? int(${field}) : ` +
  `${field}.matches('^[0-9]{0,9}[.]?[0-9]{1,9} ?${unit}$') ? int(double(${field}.find('^[0-9.]+')) * 1024.0 + 0.5) : -1)`;
const CPU = celAmount('self.cpu', '[vV][cC][pP][uU]');
const MEMORY = celAmount('self.memory', '[gG][bB]');

const range = (first: number, last: number, step: number): readonly number[] =>
  Array.from({ length: (last - first) / step + 1 }, (_, index) => first + index * step);

/** CPU units → MiB that may go with them on Fargate (`ecs-semantics` §1.2). */
export const FARGATE_SIZES: ReadonlyMap<number, readonly number[]> = new Map([
  [256, [512, 1024, 2048]],
  [512, range(1024, 4096, 1024)],
  [1024, range(2048, 8192, 1024)],
  [2048, range(4096, 16384, 1024)],
  [4096, range(8192, 30720, 1024)],
  [8192, range(16384, 61440, 4096)],
  [16384, range(32768, 122880, 8192)],
  [32768, [61440, 122880, 249856]],
]);

/** Windows on Fargate has sizes in between only. */
const WINDOWS_CPU = { least: 1024, most: 4096 };

/** {@link FARGATE_SIZES} in CEL. */
export const CEL_FARGATE_SIZES = `{${[...FARGATE_SIZES].map(([cpu, memory]) => `${cpu}: [${memory.join(', ')}]`).join(', ')}}`;
const isWindows = ({ runtimePlatform }: TaskDefinitionFields) =>
  runtimePlatform?.operatingSystemFamily?.startsWith('WINDOWS') === true;

const fargateCpu: Rule<TaskDefinitionFields> = {
  message: "Fargate requires that 'cpu' be defined at the task level.",
  holds: (task) => !onFargate.holds(task) || task.cpu !== undefined,
  cel: `!(${onFargate.cel}) || has(self.cpu)`,
  field: 'cpu',
};

const fargateMemory: Rule<TaskDefinitionFields> = {
  message: "Fargate requires that 'memory' be defined at the task level.",
  holds: (task) => !onFargate.holds(task) || task.memory !== undefined,
  cel: `!(${onFargate.cel}) || has(self.memory)`,
  field: 'memory',
};

// Text: AWS (ecs-semantics §1.2), for Fargate; what is allowed, and the bounds elsewhere: [API-ECS].
const invalidCpu = (given: string) =>
  `Invalid 'cpu' setting for task. Fargate takes ${[...FARGATE_SIZES.keys()].join(', ')} CPU units, others 128 to 196608; got '${given}'.`;
const cpuInRange: Rule<TaskDefinitionFields> = {
  refuses: (task) => {
    if (task.cpu === undefined) return undefined;
    const cpu = cpuUnits(task.cpu);
    if (Number.isNaN(cpu)) return undefined;
    const allowed = onFargate.holds(task) ? FARGATE_SIZES.has(cpu) : cpu >= 128 && cpu <= 196608;
    return allowed ? undefined : invalidCpu(task.cpu);
  },
  cel:
    `!has(self.cpu) || [${CPU}].all(cpu, cpu == -1 || ` +
    `(${onFargate.cel} ? cpu in [${[...FARGATE_SIZES.keys()].join(', ')}] : cpu >= 128 && cpu <= 196608))`,
  celMessage: celText(invalidCpu, 'self.cpu'),
  field: 'cpu',
};

const invalidMemory = (given: string) => `Invalid 'memory' setting for task. It takes 4 MiB or more; got '${given}'.`;
const memoryInRange: Rule<TaskDefinitionFields> = {
  refuses: (task) => (task.memory !== undefined && memoryMib(task.memory) < 4 ? invalidMemory(task.memory) : undefined),
  cel: `!has(self.memory) || [${MEMORY}].all(memory, memory == -1 || memory >= 4)`,
  celMessage: celText(invalidMemory, 'self.memory'),
  field: 'memory',
};

// Text: AWS (measured 2026-09).
const noSuchSize = (cpu: string, memory: string) =>
  `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. See the Amazon ECS documentation for the valid values.`;
const fargateSize: Rule<TaskDefinitionFields> = {
  refuses: (task) => {
    if (!onFargate.holds(task) || task.cpu === undefined || task.memory === undefined) return undefined;
    const [cpu, memory] = [cpuUnits(task.cpu), memoryMib(task.memory)];
    const sizes = FARGATE_SIZES.get(cpu);
    if (sizes === undefined || !(memory >= 4)) return undefined;
    const fits = !isWindows(task) || (cpu >= WINDOWS_CPU.least && cpu <= WINDOWS_CPU.most);
    return fits && sizes.includes(memory) ? undefined : noSuchSize(String(cpu), String(memory));
  },
  cel:
    `!(${onFargate.cel}) || !has(self.cpu) || !has(self.memory) || [${CPU}].all(cpu, [${MEMORY}].all(memory, ` +
    `memory < 4 || !(cpu in ${CEL_FARGATE_SIZES}) || (memory in ${CEL_FARGATE_SIZES}[cpu] && ` +
    `(!has(self.runtimePlatform) || !has(self.runtimePlatform.operatingSystemFamily) || ` +
    `!self.runtimePlatform.operatingSystemFamily.startsWith('WINDOWS') || ` +
    `(cpu >= ${WINDOWS_CPU.least} && cpu <= ${WINDOWS_CPU.most})))))`,
  celMessage: celText(noSuchSize, CPU, MEMORY),
  field: 'memory',
};

const sumOf = (task: TaskDefinitionFields, amount: (container: ContainerDefinition) => number | undefined): number =>
  task.containerDefinitions.reduce((sum, container) => sum + (amount(container) ?? 0), 0);
const celSum = (field: string) => `self.containerDefinitions.map(c, has(c.${field}) ? c.${field} : 0).sum()`;

// Text: AWS (measured 2026-09).
const tooMuchCpu = (sum: string, given: string) =>
  `The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'. It is ${sum}, the task has '${given}'.`;
const cpuSuffices: Rule<TaskDefinitionFields> = {
  refuses: (task) => {
    const sum = sumOf(task, ({ cpu }) => cpu);
    return task.cpu !== undefined && sum > cpuUnits(task.cpu) ? tooMuchCpu(String(sum), task.cpu) : undefined;
  },
  cel: `!has(self.cpu) || [${CPU}].all(cpu, cpu == -1 || ${celSum('cpu')} <= cpu)`,
  celMessage: celText(tooMuchCpu, celSum('cpu'), 'self.cpu'),
  field: 'containerDefinitions',
};

// Text: AWS (cloudnativedaysjp/dreamkast-infra#4766).
const tooMuchReserved = (sum: string, given: string) =>
  `The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'. It is ${sum}, the task has '${given}'.`;
const memorySuffices: Rule<TaskDefinitionFields> = {
  refuses: (task) => {
    const sum = sumOf(task, ({ memoryReservation }) => memoryReservation);
    return task.memory !== undefined && sum > memoryMib(task.memory)
      ? tooMuchReserved(String(sum), task.memory)
      : undefined;
  },
  cel: `!has(self.memory) || [${MEMORY}].all(memory, memory == -1 || ${celSum('memoryReservation')} <= memory)`,
  celMessage: celText(tooMuchReserved, celSum('memoryReservation'), 'self.memory'),
  field: 'containerDefinitions',
};

// Text: AWS (measured 2026-09).
const containerMemoryFits = noContainer({
  breaks: ({ memory }, task) => memory !== undefined && task.memory !== undefined && memory > memoryMib(task.memory),
  cel: (c) => `has(${c}.memory) && has(self.memory) && ${MEMORY} != -1 && ${c}.memory > ${MEMORY}`,
  message: (name) => `The 'memory' setting for container '${name}' is greater than for the task.`,
});

// Text: AWS (ecs-semantics §1.3).
const memoryGiven = noContainer({
  breaks: ({ memory, memoryReservation }, task) =>
    task.memory === undefined && memory === undefined && memoryReservation === undefined,
  cel: (c) => `!has(self.memory) && !has(${c}.memory) && !has(${c}.memoryReservation)`,
  message: (name) =>
    `Invalid setting for container '${name}'. At least one of 'memory' or 'memoryReservation' must be specified.`,
});

export const taskSizeRules: readonly Rule<TaskDefinitionFields>[] = [
  fargateCpu,
  fargateMemory,
  cpuInRange,
  memoryInRange,
  fargateSize,
  cpuSuffices,
  memorySuffices,
  containerMemoryFits,
  memoryGiven,
];
