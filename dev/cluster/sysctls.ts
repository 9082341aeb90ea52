import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What a kubelet sets for the whole machine when it starts. */
const paths = [
  '/proc/sys/vm/overcommit_memory',
  '/proc/sys/vm/panic_on_oom',
  '/proc/sys/kernel/panic',
  '/proc/sys/kernel/panic_on_oops',
  '/proc/sys/kernel/keys/root_maxkeys',
  '/proc/sys/kernel/keys/root_maxbytes',
];

export function readSysctls(): Record<string, string> {
  return Object.fromEntries(paths.filter(existsSync).map((path) => [path, readFileSync(path, 'utf8').trim()]));
}

/** Puts back what was there before. A machine that forbids it forbade the kubelet's change as well. */
export function restoreSysctls(values: Readonly<Record<string, string>>): void {
  for (const [path, value] of Object.entries(values)) {
    if (readFileSync(path, 'utf8').trim() !== value) writeFileSync(path, value);
  }
}
