/** As whom a container runs, and what it may do. */
import type { ContainerDefinition } from '../../api/container-definition.ts';
import { ECS } from '../../aws-model/model.ts';
import { userIds } from '../security.ts';
import { approximated, conditional, exact, ignored, type Topic, whole } from './entry.ts';
import { SECURITY, USER } from './proofs.ts';

const notYet = ignored('not honoured yet');

export const security: Topic = {
  RegisterTaskDefinitionRequest: {
    pidMode: notYet,
    ipcMode: notYet,
    enableFaultInjection: notYet,
    trustedExecutionConfiguration: notYet,
  },
  ContainerDefinition: {
    user: conditional(
      {
        'user and group are numbers, or root': exact(USER),
        'the group has another name': approximated('Kubernetes takes numeric groups only: the image decides the group'),
        'the user has another name': ignored(
          'Kubernetes takes numeric users only: the image decides who runs; give the number of the user',
        ),
      },
      ({ user = '' }: ContainerDefinition) => {
        const { uid, gid } = userIds(user);
        if (uid === undefined) return 'the user has another name';
        return gid === undefined && user.includes(':')
          ? 'the group has another name'
          : 'user and group are numbers, or root';
      },
    ),
    privileged: exact(SECURITY),
    readonlyRootFilesystem: exact(SECURITY),
    dockerSecurityOptions: notYet,
    linuxParameters: notYet,
    systemControls: notYet,
  },
  ...whole(ECS, notYet, 'LinuxParameters', 'KernelCapabilities', 'Device', 'Tmpfs', 'SystemControl'),
  ...whole(ECS, notYet, 'TrustedExecutionConfiguration'),
};
