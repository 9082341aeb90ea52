/** AWS amounts as Kubernetes quantities. */

/** ECS takes CPU as units ("1024") or as vCPUs ("1 vCPU", ".5 vcpu"); 1024 units are one vCPU (`ecs-semantics §1.1`). */
export function cpuUnits(text: string): number {
  const vcpu = /^([\d.]+) ?vcpu$/i.exec(text);
  return vcpu === null ? Number(text) : Math.round(Number(vcpu[1]) * 1024);
}

/** ECS takes memory as MiB ("512") or as GB ("1GB", "1 GB", which are GiB). */
export function memoryMib(text: string): number {
  const gb = /^([\d.]+) ?gb$/i.exec(text);
  return gb === null ? Number(text) : Math.round(Number(gb[1]) * 1024);
}

/** CPU units as thousandths of a core, Kubernetes's finest; rounded up, so that the kubelet's shares are not fewer. */
export const milliCores = (units: number): number => Math.ceil((units * 1000) / 1024);

export const cpuQuantity = (milli: number): string => `${milli}m`;

export const memoryQuantity = (mib: number): string => `${mib}Mi`;
