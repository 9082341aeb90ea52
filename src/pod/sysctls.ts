import type { V1Sysctl } from '@kubernetes/client-node';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { TaskContext } from './task-context.ts';

/** Those a kubelet sets unless told otherwise (kubelet `sysctl/safe_sysctls.go`); others only where its `--allowed-unsafe-sysctls` has them. */
const SAFE = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

export const isSafeSysctl = (name: string): boolean => SAFE.has(name);

/** Whether a pod may set it: not where the namespace that it belongs to is the node's. */
export function isOwnSysctl(name: string, { networkMode, ipcMode }: TaskDefinitionSpec): boolean {
  const valid = /^[a-z0-9]([a-z0-9_-]*[a-z0-9])?([./][a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/.test(name);
  return valid && (name.startsWith('net.') ? networkMode !== 'host' : ipcMode !== 'host');
}

/** systemControls of all containers: the namespaces are the pod's. Of two, that of the later container counts. */
export function sysctls({ definition, containers }: TaskContext): V1Sysctl[] {
  const controls = containers.flatMap(({ systemControls }) => systemControls);
  const own = controls.filter(({ namespace }) => isOwnSysctl(namespace, definition));
  return [...new Map(own.map(({ namespace, value }) => [namespace, value]))].map(([name, value]) => ({ name, value }));
}
