import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const mountPoint = '/sys/fs/cgroup';

/** Where control groups can be made: the one hierarchy of cgroup v2, or one a controller of v1 and `unified` beside them. */
function hierarchies(): string[] {
  if (existsSync(join(mountPoint, 'cgroup.controllers'))) return [mountPoint];
  if (!existsSync(mountPoint)) return [];
  return readdirSync(mountPoint)
    .map((name) => join(mountPoint, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/** Makes the control group that holds all pods of a node: two kubelets below one group would end each other's pods. */
export function makeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) {
    const path = join(hierarchy, name);
    mkdirSync(path, { recursive: true });
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      // A new cpuset of v1 is empty, and no process may enter an empty one.
      if (existsSync(join(hierarchy, 'tasks')) && existsSync(join(path, file))) {
        writeFileSync(join(path, file), readFileSync(join(hierarchy, file)));
      }
    }
  }
}

function groupsBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  const inner = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...inner.flatMap((entry) => groupsBelow(join(path, entry.name))), path];
}

/** The processes in a control group and all below it. */
export function cgroupProcesses(name: string): number[] {
  const pids = hierarchies()
    .flatMap((hierarchy) => groupsBelow(join(hierarchy, name)))
    .flatMap((path) => readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map(Number);
  return [...new Set(pids)];
}

/** Removes a control group and all below it; only empty ones go. */
export function removeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) {
    for (const path of groupsBelow(join(hierarchy, name))) rmdirSync(path);
  }
}

/** Whether control groups can be made here at all. */
export function cgroupsUsable(): boolean {
  const name = `longshore-probe-${process.pid}`;
  try {
    makeCgroup(name);
    return hierarchies().length > 0;
  } catch {
    return false;
  } finally {
    try {
      removeCgroup(name);
    } catch {} // it could not be made
  }
}
