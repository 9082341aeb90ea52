/** AWS amounts as Kubernetes quantities. */
export { cpuUnits, memoryMib } from '../api/task-size.ts';

/** CPU units as thousandths of a core, Kubernetes's finest; rounded up, so that the kubelet's shares are not fewer. */
export const milliCores = (units: number): number => Math.ceil((units * 1000) / 1024);

export const cpuQuantity = (milli: number): string => `${milli}m`;

export const memoryQuantity = (mib: number): string => `${mib}Mi`;
