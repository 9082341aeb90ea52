import type { V1PodSpec } from '@kubernetes/client-node';
import type { TaskContext } from './task-context.ts';

type Namespaces = Pick<V1PodSpec, 'hostIPC' | 'hostPID' | 'shareProcessNamespace'>;

/**
 * Whose processes and shared memory the containers see. Shared memory is the pod's, as with ipcMode task; processes are
 * each container's own. With initProcessEnabled they are the task's: the pod's first process then collects orphans and
 * no container runs as process 1, which is what Docker's init is for.
 */
export function namespaces({ definition, containers }: TaskContext): Namespaces {
  const { pidMode, ipcMode } = definition;
  const init = containers.some(({ linuxParameters }) => linuxParameters?.initProcessEnabled);
  return {
    ...(pidMode === 'host' && { hostPID: true }),
    ...((pidMode === 'task' || (init && pidMode !== 'host')) && { shareProcessNamespace: true }),
    ...(ipcMode === 'host' && { hostIPC: true }),
  };
}
