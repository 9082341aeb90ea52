import type { V1Container, V1SecurityContext } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';

/** As whom the container runs, and what it may do. */
export function securityContext(container: ContainerDefinition): Pick<V1Container, 'securityContext'> {
  const { uid, gid } = userIds(container.user ?? '');
  const context: V1SecurityContext = {
    ...(container.privileged && { privileged: true }),
    ...(container.readonlyRootFilesystem && { readOnlyRootFilesystem: true }),
    ...(uid !== undefined && { runAsUser: uid }),
    ...(gid !== undefined && { runAsGroup: gid }),
  };
  return Object.keys(context).length === 0 ? {} : { securityContext: context };
}

/**
 * User and group of `user[:group]`. Kubernetes takes numbers only; of names just root's is known without the image:
 * 0 everywhere.
 */
export function userIds(user: string): { readonly uid?: number; readonly gid?: number } {
  const [uid, gid] = user
    .split(':')
    .map((name) => (name === 'root' ? 0 : /^\d+$/.test(name) ? Number(name) : undefined));
  return { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
}
