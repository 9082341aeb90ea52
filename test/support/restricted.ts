/** Pod Security `restricted`, as https://kubernetes.io/docs/concepts/security/pod-security-standards/ has it. */
import type { V1PodSpec } from '@kubernetes/client-node';

/** Kinds of volumes that it allows. */
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What of the pod it does not allow. */
export function unrestricted(spec: V1PodSpec): string[] {
  const pod = spec.securityContext ?? {};
  const found: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) found.push(what);
  };
  must(!spec.hostNetwork && !spec.hostPID && !spec.hostIPC, 'namespaces of the node');
  must((pod.sysctls ?? []).length === 0, 'sysctls');
  for (const volume of spec.volumes ?? []) {
    const kinds = Object.keys(volume).filter((key) => key !== 'name');
    must(kinds.length === 1 && VOLUMES.includes(kinds[0] ?? ''), `volume ${JSON.stringify(volume)}`);
  }
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const own = container.securityContext ?? {};
    const at = `container ${container.name}:`;
    must(own.privileged !== true, `${at} privileged`);
    must(own.allowPrivilegeEscalation === false, `${at} privilege escalation`);
    must((own.capabilities?.add ?? []).length === 0, `${at} added capabilities`);
    must(own.capabilities?.drop?.includes('ALL') === true, `${at} kept capabilities`);
    must(own.runAsNonRoot ?? pod.runAsNonRoot === true, `${at} runAsNonRoot`);
    must((own.runAsUser ?? pod.runAsUser ?? 0) !== 0, `${at} root`);
    must((own.seccompProfile ?? pod.seccompProfile)?.type === 'RuntimeDefault', `${at} seccomp`);
    must((own.procMount ?? 'Default') === 'Default', `${at} procMount`);
    must((own.appArmorProfile?.type ?? 'RuntimeDefault') !== 'Unconfined', `${at} AppArmor`);
    must(own.seLinuxOptions === undefined, `${at} SELinux`);
    must(
      (container.ports ?? []).every(({ hostPort = 0 }) => hostPort === 0),
      `${at} hostPort`,
    );
  }
  return found;
}
