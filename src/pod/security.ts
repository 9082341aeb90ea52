import type { V1Container, V1SecurityContext } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';

/** As whom the container runs, and what it may do. */
export function securityContext(container: ContainerDefinition): Pick<V1Container, 'securityContext'> {
  const [uid, gid] = container.user?.split(':') ?? [];
  const context: V1SecurityContext = {
    ...(container.privileged && { privileged: true }),
    ...(container.readonlyRootFilesystem && { readOnlyRootFilesystem: true }),
    ...(isId(uid) && { runAsUser: Number(uid) }),
    ...(isId(gid) && { runAsGroup: Number(gid) }),
  };
  return Object.keys(context).length === 0 ? {} : { securityContext: context };
}

const isId = (text: string | undefined): boolean => text !== undefined && /^\d+$/.test(text);
