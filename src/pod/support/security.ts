/** As whom a container runs, and what it may do. */
import type { ContainerDefinition } from '../../api/container-definition.ts';
import type { LinuxParameters, SystemControl, Tmpfs } from '../../api/linux-parameters.ts';
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';
import { ECS } from '../../aws-model/model.ts';
import { securityOption, userIds } from '../security.ts';
import { isOwnSysctl, isSafeSysctl } from '../sysctls.ts';
import {
  approximated,
  BY_ITS_FIELDS,
  type Conditional,
  conditional,
  exact,
  ignored,
  type Topic,
  whole,
} from './entry.ts';
import { INIT_PROCESS, KERNEL, KERNEL_REFUSED, NAMESPACES, SECURITY, USER } from './proofs.ts';

export const devices = ignored(
  'Kubernetes gives a container a device through a device plugin only, or all of the node when it is privileged',
);
const sandbox = ignored(
  'kubernetes.runtimeClassName names a runtime that keeps tasks apart, where the cluster has one',
);

const control = conditional(
  {
    'it is safe, for all containers of the task': exact(KERNEL),
    'it is safe, for one container of several': approximated('it holds for all containers of the task', KERNEL),
    'it is not safe': approximated(
      'a kubelet whose --allowed-unsafe-sysctls lacks it refuses the task with SysctlForbidden; else it holds for all containers',
      KERNEL_REFUSED,
    ),
    "it would be the node's": ignored('a task on the network or in the IPC namespace of the node cannot set it'),
  },
  ({ namespace }: SystemControl, spec: TaskDefinitionSpec) => {
    if (!isOwnSysctl(namespace, spec)) return "it would be the node's";
    if (!isSafeSysctl(namespace)) return 'it is not safe';
    const shared = spec.networkMode === 'awsvpc' && namespace.startsWith('net.');
    return shared || spec.containerDefinitions.length === 1
      ? 'it is safe, for all containers of the task'
      : 'it is safe, for one container of several';
  },
);

/** The user of a container, of ECS or of Batch. */
export const userBy = (proof: string): Conditional =>
  conditional(
    {
      'user and group are numbers, or root': exact(proof),
      'the group has another name': approximated('Kubernetes takes numeric groups only: the image decides the group'),
      'the user has another name': ignored(
        'Kubernetes takes numeric users only: the image decides who runs; give the number of the user',
      ),
    },
    ({ user = '' }: { readonly user?: string }) => {
      const { uid, gid } = userIds(user);
      if (uid === undefined) return 'the user has another name';
      return gid === undefined && user.includes(':')
        ? 'the group has another name'
        : 'user and group are numbers, or root';
    },
  );

export const security: Topic = {
  RegisterTaskDefinitionRequest: {
    pidMode: exact(NAMESPACES),
    ipcMode: conditional(
      {
        host: exact(NAMESPACES),
        task: exact(NAMESPACES),
        none: approximated('the containers of a pod share memory, semaphores and queues', NAMESPACES),
      },
      ({ ipcMode }: TaskDefinitionSpec) => ipcMode ?? 'task',
    ),
    enableFaultInjection: ignored('there is no task metadata endpoint that could be asked for faults'),
    trustedExecutionConfiguration: sandbox,
  },
  ContainerDefinition: {
    user: userBy(USER),
    privileged: exact(SECURITY),
    readonlyRootFilesystem: exact(SECURITY),
    dockerSecurityOptions: conditional(
      {
        'they are no-new-privileges': exact(KERNEL),
        'one is apparmor or label': approximated(
          'passed on to the kubelet: a node without AppArmor refuses the task, one without SELinux does nothing',
        ),
        'one cannot be passed on': ignored(
          'Kubernetes has no credential specs in Docker options, no such label, and no privileged container without new privileges',
        ),
      },
      ({ dockerSecurityOptions, privileged }: ContainerDefinition) => {
        if (dockerSecurityOptions.some((option) => securityOption(option, privileged) === undefined))
          return 'one cannot be passed on';
        return dockerSecurityOptions.every((option) => option === 'no-new-privileges')
          ? 'they are no-new-privileges'
          : 'one is apparmor or label';
      },
    ),
    linuxParameters: BY_ITS_FIELDS,
    systemControls: BY_ITS_FIELDS,
  },
  LinuxParameters: {
    capabilities: BY_ITS_FIELDS,
    devices: conditional(
      {
        'the container is privileged': approximated('it has all devices of the node, at their own paths'),
        'it is not': devices,
      },
      (parameters: LinuxParameters, { containerDefinitions }: TaskDefinitionSpec) =>
        containerDefinitions.find(({ linuxParameters }) => linuxParameters === parameters)?.privileged
          ? 'the container is privileged'
          : 'it is not',
    ),
    initProcessEnabled: approximated(
      "the pause process of the pod is process 1 and collects orphans: the task's containers see each other's processes",
      INIT_PROCESS,
    ),
    sharedMemorySize: exact(KERNEL),
    tmpfs: BY_ITS_FIELDS,
    maxSwap: ignored(
      'the kubelet of the node says what swap a container gets (memorySwap.swapBehavior): none by default',
    ),
    swappiness: ignored("the node's own is in force"),
  },
  KernelCapabilities: { add: exact(KERNEL), drop: exact(KERNEL) },
  Tmpfs: {
    containerPath: exact(KERNEL),
    size: exact(KERNEL),
    mountOptions: conditional(
      {
        'it is ro': exact(KERNEL),
        'ro is one of several': approximated('only ro is passed on: programs can be run from it'),
        'ro is not among them': ignored('only ro is passed on: programs can be run from it, and all may write to it'),
      },
      ({ mountOptions }: Tmpfs) => {
        if (!mountOptions.includes('ro')) return 'ro is not among them';
        return mountOptions.every((option) => option === 'ro') ? 'it is ro' : 'ro is one of several';
      },
    ),
  },
  SystemControl: { namespace: control, value: control },
  ...whole(ECS, devices, 'Device'),
  ...whole(ECS, sandbox, 'TrustedExecutionConfiguration'),
};
