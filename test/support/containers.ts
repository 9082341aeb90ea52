/** Real containers: what tests on a kubelet run in them, and ask of them. */

import { service, taskDefinition } from './manifests.ts';
import type { Pod } from './recorder.ts';
import { runningPods } from './services.ts';
import type { TestNamespace } from './suite.ts';

/** A container that does nothing yet, and goes quickly when asked. */
export const busybox = (name: string, fields: object = {}) => ({
  name,
  image: 'busybox:1.37',
  memory: 32,
  stopTimeout: 2,
  ...fields,
});

/** A container of busybox that runs a script. */
export const shell = (name: string, script: string, fields: object = {}) => ({
  name,
  image: 'busybox:1.37',
  memory: 16,
  command: ['sh', '-c', script],
  ...fields,
});

export const exec = (ns: TestNamespace, pod: Pod, container: string, ...command: string[]): Promise<string> =>
  ns.kubectl(['exec', pod.metadata.name, `--container=${container}`, '--', ...command]);

/** What a script prints in a container. */
export const inside = (ns: TestNamespace, pod: Pod, container: string, script: string): Promise<string> =>
  exec(ns, pod, container, 'sh', '-c', script);

export const isRunning = ({ status }: Pod): boolean =>
  status?.phase === 'Running' && status.containerStatuses?.every(({ state }) => state?.running !== undefined) === true;

/** The first task of a service of which all containers run. */
export const untilRunning = (ns: TestNamespace, serviceName: string): Promise<Pod> =>
  ns.until('a running task', () => runningPods(ns.history, serviceName).find(isRunning), 90_000);

/** Bytes, CPU shares… of the container's own control group, whichever version the node has. */
export const CGROUP = {
  memoryLimit: 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max',
  cpuShares: 'cat /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || cat /sys/fs/cgroup/cpu.weight',
} as const;

/** What a node with control groups of version 2 may show for CPU shares: runc has changed the conversion in 2025. */
const weights = (shares: number): number[] => {
  const log = Math.log2(shares);
  const curve = (log * log + 125 * log) / 612 - 7 / 34;
  return [1 + Math.floor(((shares - 2) * 9999) / 262142), Math.ceil(10 ** curve)];
};

/** Whether `cpuShares` printed these. */
export const areShares = (printed: string, shares: number): boolean =>
  [shares, ...weights(shares)].includes(Number(printed));

export interface RunningTask {
  readonly ns: TestNamespace;
  readonly pod: Pod;
  /** What a script prints in a container of the task, without the end of its last line. */
  readonly says: (container: string, script: string) => Promise<string>;
}

/** One task of these containers, once all of them run. */
export async function runContainers(
  ns: TestNamespace,
  containers: readonly object[],
  task: object = {},
): Promise<RunningTask> {
  await ns.create(taskDefinition('task', task, [...containers]), service('task'));
  const pod = await untilRunning(ns, 'task');
  const says = async (container: string, script: string): Promise<string> =>
    (await inside(ns, pod, container, script)).replace(/\n$/, '');
  return { ns, pod, says };
}
