import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ApiClient } from './api.ts';
import type { Authority } from './certificates.ts';
import { serviceAccountKey } from './certificates.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { freePort } from './ports.ts';
import { assertRunning } from './processes.ts';
import { until } from './run.ts';
import type { Session } from './session.ts';

export interface ControlPlaneOptions {
  readonly authority: Authority;
  /** The address the API server listens on; the network of the real nodes reaches it there. */
  readonly address: string;
  readonly serviceCidr: string;
  /** False where no pod ever runs for real: then nothing calls the `kubernetes` Service, and loopback is no legal endpoint of it. */
  readonly endpoints: boolean;
  readonly audit: boolean;
  readonly emulate: string | undefined;
  readonly nodeMonitorGraceSeconds: number | undefined;
}

/** The scheduler of the cluster has those that are shipped for placementStrategy binpack. */
const schedulerProfiles = join(import.meta.dirname, '..', '..', 'deploy', 'kube-scheduler-binpack.yaml');

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

/** Starts etcd, the API server, the controller manager and the scheduler, and returns when the API server is ready. */
export async function startControlPlane(session: Session, options: ControlPlaneOptions): Promise<ApiClient> {
  const { dir, tools } = session;
  const { authority, address } = options;
  const server = `https://${address}:${await freePort(address)}`;
  const pki = authority.dir;
  const local = ['127.0.0.1', 'localhost'];
  const emulated = options.emulate === undefined ? [] : [`--emulated-version=${options.emulate}`];
  const config = join(dir, 'config');
  mkdirSync(config, { recursive: true });
  const kubeconfig = (user: string, groups: readonly string[] = []) =>
    writeKubeconfig(join(config, `${user.replaceAll(':', '-')}.kubeconfig`), authority, server, { user, groups });

  const [etcdPair, etcdClient, serving, kubeletClient, kcmPair, schedulerPair, kcmConfig, schedulerConfig] =
    await Promise.all([
      authority.issue('etcd', { user: 'etcd', hosts: local }),
      authority.issue('etcd-client', { user: 'kube-apiserver-etcd-client' }),
      authority.issue('kube-apiserver', {
        user: 'kube-apiserver',
        hosts: [...apiNames, address, ...local, firstAddress(options.serviceCidr)],
      }),
      authority.issue('kubelet-client', { user: 'kube-apiserver-kubelet-client' }),
      authority.issue('kube-controller-manager', { user: 'kube-controller-manager', hosts: local }),
      authority.issue('kube-scheduler', { user: 'kube-scheduler', hosts: local }),
      kubeconfig('system:kube-controller-manager'),
      kubeconfig('system:kube-scheduler'),
      writeKubeconfig(join(dir, 'kubeconfig'), authority, server, {
        user: 'longshore-admin',
        groups: ['system:masters'],
      }),
    ]);
  const accounts = serviceAccountKey(pki);

  const etcdPort = await freePort('127.0.0.1');
  const peer = `https://127.0.0.1:${await freePort('127.0.0.1')}`;
  const etcd = `https://127.0.0.1:${etcdPort}`;
  const etcdData = join(dir, 'etcd');
  rmSync(etcdData, { recursive: true, force: true });
  session.start('etcd', tools.etcd, [
    '--name=longshore',
    `--data-dir=${etcdData}`,
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=longshore=${peer}`,
    ...['', 'peer-'].flatMap((kind) => [
      `--${kind}cert-file=${etcdPair.cert}`,
      `--${kind}key-file=${etcdPair.key}`,
      `--${kind}trusted-ca-file=${authority.ca.cert}`,
      `--${kind}client-cert-auth=true`,
    ]),
    '--unsafe-no-fsync=true', // a crash of the machine may lose this cluster; nothing else does
    '--quota-backend-bytes=4294967296',
    '--log-level=warn',
  ]);

  writeFileSync(join(config, 'audit.json'), JSON.stringify(auditPolicy));
  session.start('kube-apiserver', tools['kube-apiserver'], [
    `--etcd-servers=${etcd}`,
    `--etcd-cafile=${authority.ca.cert}`,
    `--etcd-certfile=${etcdClient.cert}`,
    `--etcd-keyfile=${etcdClient.key}`,
    `--bind-address=${address}`,
    `--secure-port=${new URL(server).port}`,
    // Without one it looks for the machine's default route, which a machine without a network does not have.
    `--advertise-address=${options.endpoints ? address : '192.0.2.1'}`,
    `--endpoint-reconciler-type=${options.endpoints ? 'lease' : 'none'}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    `--client-ca-file=${authority.ca.cert}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${accounts.publicKey}`,
    `--service-account-signing-key-file=${accounts.privateKey}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--kubelet-client-certificate=${kubeletClient.cert}`,
    `--kubelet-client-key=${kubeletClient.key}`,
    `--kubelet-certificate-authority=${authority.ca.cert}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--service-cluster-ip-range=${options.serviceCidr}`,
    '--allow-privileged=true',
    '--max-requests-inflight=2000',
    '--max-mutating-requests-inflight=1000',
    ...emulated,
    ...(options.audit
      ? [`--audit-policy-file=${join(config, 'audit.json')}`, `--audit-log-path=${join(dir, 'logs', 'audit.log')}`]
      : []),
  ]);

  session.update({ server });
  const api = new ApiClient(join(dir, 'kubeconfig'));
  await until(
    'the API server to be ready',
    async () => {
      assertRunning(session.processes);
      return (await api.call('GET', '/readyz')).status === 200;
    },
    { timeout: 60_000 },
  );

  const own = (pair: { cert: string; key: string }, path: string, port: number) => [
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${pair.cert}`,
    `--tls-private-key-file=${pair.key}`,
    `--authentication-kubeconfig=${path}`,
    `--authorization-kubeconfig=${path}`,
  ];
  session.start('kube-controller-manager', tools['kube-controller-manager'], [
    `--kubeconfig=${kcmConfig}`,
    ...own(kcmPair, kcmConfig, await freePort('127.0.0.1')),
    `--root-ca-file=${authority.ca.cert}`,
    `--service-account-private-key-file=${accounts.privateKey}`,
    '--use-service-account-credentials=true',
    `--cluster-signing-cert-file=${authority.ca.cert}`,
    `--cluster-signing-key-file=${authority.ca.key}`,
    '--leader-elect=false',
    '--kube-api-qps=1000',
    '--kube-api-burst=1000',
    '--horizontal-pod-autoscaler-sync-period=2s', // 15 s by default: what autoscales here is meant to be seen
    ...(options.nodeMonitorGraceSeconds === undefined
      ? []
      : [`--node-monitor-grace-period=${options.nodeMonitorGraceSeconds}s`, '--node-monitor-period=1s']),
    ...emulated,
  ]);

  const schedulerFile = join(config, 'scheduler.json');
  writeFileSync(
    schedulerFile,
    JSON.stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      clientConnection: { kubeconfig: schedulerConfig, qps: 1000, burst: 1000 },
      leaderElection: { leaderElect: false },
      profiles: [{ schedulerName: 'default-scheduler' }, ...parse(readFileSync(schedulerProfiles, 'utf8')).profiles],
    }),
  );
  session.start('kube-scheduler', tools['kube-scheduler'], [
    `--config=${schedulerFile}`,
    ...emulated,
    ...own(schedulerPair, schedulerConfig, await freePort('127.0.0.1')),
  ]);
  await bind(api, 'longshore:kubelet-api', 'system:kubelet-api-admin', 'kube-apiserver-kubelet-client');
  return api;
}

const apiNames = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];

/** The address of the `kubernetes` Service: the first of its range. */
function firstAddress(cidr: string): string {
  const [base = ''] = cidr.split('/');
  return base.replace(/\.0$/, '.1');
}

/** Gives a user a cluster role. */
export function bind(api: ApiClient, name: string, role: string, user: string): Promise<void> {
  return api.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}

/** Pods are refused until the controller manager has made the namespace's service account. */
export async function waitForServiceAccounts(session: Session, api: ApiClient): Promise<void> {
  await until(
    'the default service account',
    async () => {
      assertRunning(session.processes);
      return (await api.call('GET', '/api/v1/namespaces/default/serviceaccounts/default')).status === 200;
    },
    { timeout: 60_000 },
  );
}
