/**
 * The pod of an attempt whose queue isolates its jobs: Pod Security `restricted`, and below it. What a job may not ask for is
 * refused before ({@link isolationRefusal}); what it does not say is set here.
 */
import type { V1Container, V1ResourceRequirements, V1Volume } from '@kubernetes/client-node';
import type { Isolation } from '../api/isolation.ts';
import { ANNOTATIONS, GROUP, LABELS } from '../api/meta.ts';
import { dnsName, uniqueDnsName } from '../api/names.ts';
import { cpuQuantity, memoryQuantity } from './amounts.ts';
import type { PodTemplate } from './compile.ts';

/** User and group of containers whose job names none: which one the image has is not known, and it may be root. */
export const ISOLATED_USER = 65532;

/** The ServiceAccount and the NetworkPolicy of an isolated queue have this name. @param queue the object's name. */
export const isolationName = (queue: string): string => uniqueDnsName(`${queue}-isolated`);

/** Value of `LABELS.jobQueue`. @param queue the object's name. */
export const jobQueueLabel = (queue: string): string => dnsName(queue);

/** @param queue name of the JobQueue object. */
export function isolate(template: PodTemplate, isolation: Isolation, queue: string): PodTemplate {
  const { hostNetwork: _, hostPID: __, hostIPC: ___, ...spec } = template.spec;
  const { maxEphemeralStorageMiB, maxDurationSeconds, runtimeClassName } = isolation;
  const init = (spec.initContainers ?? []).map((container, index) => hardened(container, `init-${index}`));
  const regular = spec.containers.map((container, index) => hardened(container, `${index}`));
  const all = [...init, ...regular];
  const volumes = [
    ...(spec.volumes ?? []).map((volume) => bounded(volume, isolation)),
    ...all.flatMap(({ tmp }) =>
      tmp === undefined ? [] : [{ name: tmp, emptyDir: { sizeLimit: memoryQuantity(maxEphemeralStorageMiB) } }],
    ),
  ];
  const limits = shares(
    regular.map(({ container }) => container),
    isolation,
    spec.resources,
  );
  return {
    ...template,
    labels: { ...template.labels, [LABELS.jobQueue]: jobQueueLabel(queue) },
    annotations: {
      ...ownAnnotations(template.annotations),
      [ANNOTATIONS.deadline]: String(maxDurationSeconds),
    },
    spec: {
      ...spec,
      activeDeadlineSeconds: maxDurationSeconds,
      serviceAccountName: isolationName(queue),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(runtimeClassName !== undefined && { runtimeClassName }),
      securityContext: {
        runAsNonRoot: true,
        runAsUser: ISOLATED_USER,
        runAsGroup: ISOLATED_USER,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(init.length > 0 && {
        initContainers: init.map(({ container }) => ({
          ...container,
          resources: limited(container.resources, shares([container], isolation, spec.resources)[0]),
        })),
      }),
      containers: withStorage(
        regular.map(({ container }, index) => ({
          ...container,
          resources: limited(container.resources, limits[index]),
        })),
        maxEphemeralStorageMiB,
      ),
      ...(volumes.length > 0 && { volumes }),
    },
  };
}

/** Runtimes take annotations for orders (CDI devices, Kata's hypervisor, AppArmor): only those of Longshore stay. */
const ownAnnotations = (annotations: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith(`${GROUP}/`)));

/** @returns with the name of the volume that /tmp is to be, where the container has none there. */
function hardened(container: V1Container, index: string): { container: V1Container; tmp: string | undefined } {
  const { runAsUser, runAsGroup } = container.securityContext ?? {};
  const mounts = container.volumeMounts ?? [];
  const tmp = mounts.some(({ mountPath }) => mountPath === '/tmp') ? undefined : `longshore-tmp-${index}`;
  return {
    tmp,
    container: {
      ...container,
      volumeMounts: [...mounts, ...(tmp === undefined ? [] : [{ name: tmp, mountPath: '/tmp' }])],
      securityContext: {
        ...(runAsUser !== undefined && { runAsUser }),
        ...(runAsGroup !== undefined && { runAsGroup }),
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
    },
  };
}

/** An empty directory without a bound could fill the node, or its memory. */
function bounded(volume: V1Volume, { maxEphemeralStorageMiB, maxMemoryMiB }: Isolation): V1Volume {
  const { emptyDir } = volume;
  if (emptyDir === undefined || emptyDir.sizeLimit !== undefined) return volume;
  const most = emptyDir.medium === 'Memory' ? maxMemoryMiB : maxEphemeralStorageMiB;
  return { ...volume, emptyDir: { ...emptyDir, sizeLimit: memoryQuantity(most) } };
}

interface Limit {
  /** Thousandths of a core; absent where the pod as a whole is bounded. */
  readonly cpu?: number;
  /** MiB; absent where the pod as a whole is bounded, or the container has a limit of its own. */
  readonly memory?: number;
}

/** Of a quantity as `amounts.ts` writes it. */
const amount = (quantity: string | undefined): number => Number.parseInt(quantity ?? '0', 10);

/**
 * Each container's part of the ceilings, which in sum are not exceeded and are nowhere below what is reserved: CPU in
 * proportion to the containers' shares, memory in equal parts of what those with a limit of their own leave.
 */
function shares(
  containers: readonly V1Container[],
  { maxVcpus, maxMemoryMiB }: Isolation,
  pod: V1ResourceRequirements | undefined,
): Limit[] {
  const cpus = containers.map(({ resources }) => Math.max(amount(resources?.requests?.cpu), 2));
  const allCpus = cpus.reduce((a, b) => a + b, 0);
  const reserved = containers.map(({ resources }) => amount(resources?.limits?.memory ?? resources?.requests?.memory));
  const unbounded = containers.filter(({ resources }) => resources?.limits?.memory === undefined).length;
  const left = Math.max(0, maxMemoryMiB - reserved.reduce((a, b) => a + b, 0));
  return containers.map(({ resources }, index) => ({
    ...(pod?.limits?.cpu === undefined && { cpu: Math.floor((maxVcpus * 1000 * (cpus[index] ?? 0)) / allCpus) }),
    ...(pod?.limits?.memory === undefined &&
      resources?.limits?.memory === undefined && { memory: (reserved[index] ?? 0) + Math.floor(left / unbounded) }),
  }));
}

/** A ceiling is no reservation: Kubernetes would reserve a limit for which no request is given. */
function limited(resources: V1ResourceRequirements = {}, { cpu, memory }: Limit = {}): V1ResourceRequirements {
  const { requests = {}, limits = {} } = resources;
  return {
    requests: { ...(cpu !== undefined && { cpu: cpuQuantity(0) }), ...requests },
    limits: {
      ...(cpu !== undefined && { cpu: cpuQuantity(cpu) }),
      ...(memory !== undefined && { memory: memoryQuantity(memory) }),
      ...limits,
    },
  };
}

/** The kubelet holds the pod to the sum of its containers' limits: one of them has the whole. */
function withStorage(containers: readonly V1Container[], mebibytes: number): V1Container[] {
  const key = 'ephemeral-storage';
  if (containers.some(({ resources }) => resources?.limits?.[key] !== undefined)) return [...containers];
  return containers.map((container, index) => {
    if (index > 0) return container;
    const { requests, limits } = container.resources ?? {};
    return {
      ...container,
      resources: {
        requests: { ...requests, [key]: '0' },
        limits: { ...limits, [key]: memoryQuantity(mebibytes) },
      },
    };
  });
}
