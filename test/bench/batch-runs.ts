/** The same work of N short pods, done by Longshore, by Kubernetes' Job controller, and by nobody but whoever creates the pods. */
import { KubeClient } from '../../src/kube/client.ts';
import { loadConnection } from '../../src/kube/connection.ts';
import { pods } from '../../src/kube/resource.ts';
import { slowStart } from '../../src/kube/slow-start.ts';
import { type KubeApi, type KubeObject, pathOf } from '../support/kube-api.ts';
import { kwok } from '../support/manifests.ts';

/** How long each container runs. */
const RUN_FOR = '1s';
const TIMEOUT_MS = 30 * 60_000;

const command = ['sh', '-c', 'exit 0'];
const image = 'busybox:1.36';
const annotations = kwok({ exitAfter: RUN_FOR });

const batchJob = (size: number): object => ({
  apiVersion: 'longshore.dev/v1alpha1',
  kind: 'BatchJob',
  metadata: { name: 'array' },
  spec: {
    arrayProperties: { size },
    containerProperties: {
      image,
      command,
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
    },
    kubernetes: { podAnnotations: annotations },
  },
});

const podSpec = {
  restartPolicy: 'Never',
  containers: [
    {
      name: 'default',
      image,
      command,
      resources: { requests: { cpu: '250m', memory: '16Mi' }, limits: { memory: '16Mi' } },
    },
  ],
};

const indexedJob = (size: number): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'array' },
  spec: {
    completionMode: 'Indexed',
    completions: size,
    parallelism: size,
    backoffLimit: 0,
    template: { metadata: { annotations }, spec: podSpec },
  },
});

export interface Cluster {
  readonly api: KubeApi;
  readonly kubeconfig: string;
}

/** @returns once the work is complete, as its own status says. */
export type Work = (cluster: Cluster, namespace: string, size: number) => Promise<void>;

interface WithConditions extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Creates an object and watches it until it has the condition Complete. */
async function untilComplete(api: KubeApi, collection: string, object: object): Promise<void> {
  const made = await api.call<KubeObject>('POST', collection, object);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error(`${collection}: not complete in time`)), TIMEOUT_MS);
  const follow = (from: string): void => {
    let last = from;
    api.watch(
      `${collection}?watch=true&resourceVersion=${from}&fieldSelector=metadata.name%3D${made.metadata.name}`,
      ({ object: seen }) => {
        last = seen.metadata.resourceVersion;
        const { conditions = [] } = (seen as WithConditions).status ?? {};
        if (conditions.some(({ type, status }) => type === 'Complete' && status === 'True')) resolve();
        if (conditions.some(({ type, status }) => type === 'Failed' && status === 'True'))
          reject(new Error(`${collection}/${made.metadata.name} has failed`));
      },
      (problem) => (problem === undefined ? follow(last) : reject(problem)),
    );
  };
  follow(made.metadata.resourceVersion);
  await promise.finally(() => clearTimeout(late));
}

/** Pods of nobody's, POSTed over as many connections as the operator has: what is left when the controller costs nothing. */
async function podsAlone({ api, kubeconfig }: Cluster, namespace: string, size: number): Promise<void> {
  const client = new KubeClient(await loadConnection({ kubeconfig }), { userAgent: 'bench-pods' });
  const ended = new Set<string>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error('the pods have not ended in time')), TIMEOUT_MS);
  const follow = (from: string): void => {
    let last = from;
    api.watch(
      `${pathOf('pods', namespace)}?watch=true&resourceVersion=${from}&fieldSelector=status.phase%3DSucceeded`,
      ({ type, object }) => {
        last = object.metadata.resourceVersion;
        if (type === 'ADDED') ended.add(object.metadata.name);
        if (ended.size === size) resolve();
      },
      (problem) => (problem === undefined ? follow(last) : reject(problem)),
    );
  };
  const { metadata } = await api.call<KubeObject>('GET', pathOf('pods', namespace));
  follow(metadata.resourceVersion);
  await slowStart([...Array(size).keys()], async (index) => {
    await client.create(pods, { namespace }, { metadata: { name: `array-${index}`, annotations }, spec: podSpec });
  });
  await promise.finally(() => clearTimeout(late));
  await client.close();
}

const longshore: Work = ({ api }, namespace, size) =>
  untilComplete(api, pathOf('batchjobs', namespace), batchJob(size));

export const WORKS = {
  Longshore: longshore,
  'Longshore, before': longshore,
  'Indexed Job': ({ api }, namespace, size) =>
    untilComplete(api, `/apis/batch/v1/namespaces/${namespace}/jobs`, indexedJob(size)),
  'pods alone': podsAlone,
} as const satisfies Record<string, Work>;

export type Subject = keyof typeof WORKS;
