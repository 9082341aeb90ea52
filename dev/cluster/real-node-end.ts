import type { ClusterState, ProcessRecord } from './state.ts';
export async function stopContainers(_state: ClusterState, _containerd: readonly ProcessRecord[]): Promise<void> {}
export async function releaseNodes(_state: ClusterState): Promise<void> {}
