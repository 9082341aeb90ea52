/** What a process of this machine has used, as Linux counts it. */
import { readFileSync, writeFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK) of Linux on every architecture that Node runs on. */
const TICKS_A_SECOND = 100;
/** For /proc/<pid>/clear_refs: sets the peak to what is used now (proc(5)). */
const RESET_PEAK = '5';

/** User and system time since its start, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

/** The most resident memory since its start or since `resetPeakRss`, in MiB. */
export function peakRssMiB(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

export const resetPeakRss = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK);
