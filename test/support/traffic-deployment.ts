/** The traffic server as a Deployment behind a core Service: what Longshore is compared with. */
import type { LocalCluster } from '../../dev/cluster/index.ts';
import { TRAFFIC_IMAGE } from './traffic.ts';

export interface DeploymentOptions {
  readonly name: string;
  readonly replicas: number;
  /** Seconds of the preStop sleep; 0: none. */
  readonly preStopSeconds: number;
  readonly environment?: Readonly<Record<string, string>>;
}

export const trafficDeployment = ({ name, replicas, preStopSeconds, environment = {} }: DeploymentOptions): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: preStopSeconds + 30,
        containers: [
          {
            name: 'app',
            image: TRAFFIC_IMAGE,
            ports: [{ containerPort: 80 }],
            env: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
            readinessProbe: { httpGet: { path: '/health', port: 80 }, periodSeconds: 1 },
            ...(preStopSeconds > 0 && { lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } } }),
          },
        ],
      },
    },
  },
});

export const coreService = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
});

type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

/** kubectl that throws where it fails. */
export const kubectlOf =
  (cluster: LocalCluster, namespace: string): Kubectl =>
  async (args, input) => {
    const { code, stdout, stderr } = await cluster.kubectl(
      [`--namespace=${namespace}`, ...args],
      input === undefined ? {} : { input },
    );
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  };

export async function applyDeployment(kubectl: Kubectl, options: DeploymentOptions): Promise<void> {
  const items = [trafficDeployment(options), coreService(options.name)];
  await kubectl(['apply', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl(['rollout', 'status', `deployment/${options.name}`, '--timeout=300s']);
}

/** Returns once the last of its old pods is gone. */
export async function rollDeployment(kubectl: Kubectl, name: string): Promise<void> {
  const old = await kubectl(['get', 'pods', `--selector=app=${name}`, '--output=name']);
  await kubectl(['rollout', 'restart', `deployment/${name}`]);
  await kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=300s']);
  await kubectl(['wait', '--for=delete', '--timeout=300s', ...old.trim().split('\n')]);
}

export const clusterIpOf = (kubectl: Kubectl, name: string): Promise<string> =>
  kubectl(['get', `services.v1./${name}`, '--output=jsonpath={.spec.clusterIP}']);
