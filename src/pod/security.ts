import type { V1Container, V1PodSecurityContext, V1SELinuxOptions, V1SecurityContext } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { sysctls } from './sysctls.ts';
import type { TaskContext } from './task-context.ts';

/** For all containers: what Docker forbids unless told otherwise, and systemControls. */
export function podSecurity(task: TaskContext): V1PodSecurityContext {
  const controls = sysctls(task);
  return { seccompProfile: { type: 'RuntimeDefault' }, ...(controls.length > 0 && { sysctls: controls }) };
}

/** As whom the container runs, and what it may do. */
export function securityContext(container: ContainerDefinition): Pick<V1Container, 'securityContext'> {
  const { uid, gid } = userIds(container.user ?? '');
  const context: V1SecurityContext = {
    ...(container.privileged && { privileged: true }),
    ...(container.readonlyRootFilesystem && { readOnlyRootFilesystem: true }),
    ...(uid !== undefined && { runAsUser: uid }),
    ...(gid !== undefined && { runAsGroup: gid }),
    ...capabilities(container),
    ...dockerOptions(container),
  };
  return Object.keys(context).length === 0 ? {} : { securityContext: context };
}

/**
 * User and group of `user[:group]`. Kubernetes takes numbers only; of names just root's is known without the image:
 * 0 everywhere.
 */
export function userIds(user: string): { readonly uid?: number; readonly gid?: number } {
  const [uid, gid] = user.split(':').map((name) => (name === 'root' ? 0 : isId(name) ? Number(name) : undefined));
  return { ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
}

const isId = (name: string): boolean => /^\d{1,10}$/.test(name) && Number(name) < 2 ** 31;

function capabilities({ linuxParameters }: ContainerDefinition): Pick<V1SecurityContext, 'capabilities'> {
  const { add = [], drop = [] } = linuxParameters?.capabilities ?? {};
  if (add.length === 0 && drop.length === 0) return {};
  return { capabilities: { ...(add.length > 0 && { add: [...add] }), ...(drop.length > 0 && { drop: [...drop] }) } };
}

/** A Docker security option as far as Kubernetes has it; undefined where it has not. */
export function securityOption(option: string, privileged: boolean): V1SecurityContext | undefined {
  const [name = '', ...rest] = option.split(':');
  const value = rest.join(':');
  switch (name) {
    case 'no-new-privileges':
      // Kubernetes refuses the two together.
      return privileged ? undefined : { allowPrivilegeEscalation: false };
    case 'apparmor':
      return { appArmorProfile: appArmor(value) };
    case 'label': {
      const label = seLinux(value);
      return label && { seLinuxOptions: label };
    }
    default:
      return undefined;
  }
}

function appArmor(profile: string): NonNullable<V1SecurityContext['appArmorProfile']> {
  if (profile === 'unconfined') return { type: 'Unconfined' };
  if (profile === 'docker-default') return { type: 'RuntimeDefault' };
  return { type: 'Localhost', localhostProfile: profile };
}

/** `user:U`, `role:R`, `type:T`, `level:L` or `disable`, which Docker runs as spc_t. */
function seLinux(label: string): V1SELinuxOptions | undefined {
  if (label === 'disable') return { type: 'spc_t' };
  const [, part, value = ''] = /^(user|role|type|level):(.+)$/.exec(label) ?? [];
  return part === undefined ? undefined : { [part]: value };
}

function dockerOptions({ dockerSecurityOptions, privileged }: ContainerDefinition): V1SecurityContext {
  const options = dockerSecurityOptions.map((option) => securityOption(option, privileged) ?? {});
  const labels = options.flatMap(({ seLinuxOptions }) => seLinuxOptions ?? []);
  return Object.assign({}, ...options, labels.length > 0 && { seLinuxOptions: Object.assign({}, ...labels) });
}
