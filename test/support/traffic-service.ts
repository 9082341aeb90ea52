/** The traffic server as a service of Longshore behind a TargetGroup, and everything that may be done to it meanwhile. */
import { readFileSync } from 'node:fs';
import { podProcesses } from '../../dev/cluster/node-faults.ts';
import { isEnded } from './invariants.ts';
import type { NamespaceHistory, Pod } from './recorder.ts';
import { podsOf, runningPods, steady } from './services.ts';
import { TRAFFIC_IMAGE, type TrafficStream } from './traffic.ts';

/** Of waits that a slow machine makes long. */
const WAIT_MS = 300_000;

export interface TrafficService {
  readonly name: string;
  readonly desiredCount: number;
  /** Seconds; default 5. */
  readonly delay?: number;
  /** Default 50: an eviction finds one task that may go, also when nobody starts another. */
  readonly minimumHealthyPercent?: number;
  /** Besides the server. */
  readonly containers?: readonly object[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Further fields of its TargetGroup. */
  readonly targetGroup?: object;
}

/** Its TaskDefinition, TargetGroup and Service, all of one name. */
export function trafficManifests(options: TrafficService): object[] {
  const { name, desiredCount, delay = 5, minimumHealthyPercent = 50 } = options;
  const { containers = [], environment = {}, targetGroup = {} } = options;
  const object = (kind: string, spec: object): object => ({
    apiVersion: 'longshore.dev/v1alpha1',
    kind,
    metadata: { name },
    spec,
  });
  return [
    object('TargetGroup', {
      protocol: 'HTTP',
      port: 80,
      healthCheckPath: '/health',
      healthCheckIntervalSeconds: 5,
      targetGroupAttributes: [{ key: 'deregistration_delay.timeout_seconds', value: `${delay}` }],
      ...targetGroup,
    }),
    object('TaskDefinition', {
      containerDefinitions: [
        {
          name: 'app',
          image: TRAFFIC_IMAGE,
          memory: 64,
          portMappings: [{ containerPort: 80 }],
          environment: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
        },
        ...containers,
      ],
    }),
    object('Service', {
      taskDefinition: name,
      desiredCount,
      deploymentConfiguration: { minimumHealthyPercent, maximumPercent: 200 },
      loadBalancers: [{ targetGroupArn: name, containerName: 'app', containerPort: 80 }],
    }),
  ];
}

/** Where it runs, and what it is asked meanwhile. */
export interface TrafficWorld {
  readonly namespace: string;
  readonly clusterDir: string;
  readonly history: NamespaceHistory;
  readonly service: string;
  readonly stream: TrafficStream;
  kubectl(args: readonly string[], input?: string): Promise<string>;
}

export interface OperatorSwitch {
  kill(): Promise<void>;
  start(): Promise<unknown>;
}

export const applyTraffic = (kubectl: TrafficWorld['kubectl'], options: TrafficService): Promise<string> =>
  kubectl(
    ['apply', '--filename=-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: trafficManifests(options) }),
  );

const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name);

/** Returns once those that leave have ended, the service is steady, and each of its tasks has answered. */
async function settled({ history, service, stream }: TrafficWorld, count: number, leaving: readonly Pod[]) {
  await history.until(
    `${service} to be steady with ${count} tasks, without ${names(leaving).join(', ')}`,
    () => {
      const now = podsOf(history, service);
      const stays = (pod: Pod): boolean =>
        now.some((other) => other.metadata.uid === pod.metadata.uid && !isEnded(other));
      // What it says may be from before.
      const isReplaced = runningPods(history, service).length === count;
      return isReplaced && !leaving.some(stays) && steady(history, service, count) !== undefined;
    },
    WAIT_MS,
  );
  await Promise.all(runningPods(history, service).map((pod) => stream.answerOf(pod, WAIT_MS)));
}

const desiredCountOf = ({ history, service }: TrafficWorld): number =>
  history.get('services', service)?.spec.desiredCount ?? 0;

function someTask(world: TrafficWorld): Pod {
  const [pod] = runningPods(world.history, world.service);
  if (pod === undefined) throw new Error(`${world.service} runs no task`);
  return pod;
}

/** @param value is new each time. */
export async function roll(world: TrafficWorld, value: string): Promise<void> {
  const old = runningPods(world.history, world.service);
  const annotation = `longshore.dev/force-new-deployment=${value}`;
  await world.kubectl(['annotate', 'services.longshore.dev', world.service, annotation, '--overwrite']);
  await settled(world, desiredCountOf(world), old);
}

export async function scale(world: TrafficWorld, desiredCount: number): Promise<void> {
  const change = JSON.stringify({ spec: { desiredCount } });
  await world.kubectl(['patch', 'services.longshore.dev', world.service, '--type=merge', `--patch=${change}`]);
  await settled(world, desiredCount, []);
  await world.history.until(
    'the others to have ended',
    () => podsOf(world.history, world.service).filter((pod) => !isEnded(pod)).length === desiredCount,
    WAIT_MS,
  );
}

export async function stopByHand(world: TrafficWorld): Promise<void> {
  const pod = someTask(world);
  await world.kubectl(['annotate', 'pod', pod.metadata.name, 'longshore.dev/stop=it is somebody elses turn']);
  await settled(world, desiredCountOf(world), [pod]);
}

export async function deletePod(world: TrafficWorld): Promise<void> {
  const pod = someTask(world);
  await world.kubectl(['delete', 'pod', pod.metadata.name, '--wait=false']);
  await settled(world, desiredCountOf(world), [pod]);
}

/** One task is evicted and gone before the operator is there again. */
export async function evictWithoutOperator(world: TrafficWorld, operator: OperatorSwitch): Promise<void> {
  const pod = someTask(world);
  const { namespace, history } = world;
  const { name } = pod.metadata;
  const budget = `pdb/${world.service}`;
  await world.kubectl(['wait', budget, '--for=jsonpath={.status.disruptionsAllowed}=1', '--timeout=280s']);
  await operator.kill();
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  await world.kubectl(['create', `--raw=${path}`, '--filename=-'], JSON.stringify(eviction));
  await history.until(
    `the end of ${name}`,
    () => {
      const now = history.get('pods', name);
      return now === undefined || isEnded(now);
    },
    WAIT_MS,
  );
  await operator.start();
  await settled(world, desiredCountOf(world), [pod]);
}

/** Its target group's check fails from now on; it goes on to answer. */
export async function failCheck(world: TrafficWorld): Promise<void> {
  const pod = someTask(world);
  await world.kubectl(['exec', pod.metadata.name, '--container=app', '--', '/traffic-server', 'health', '503']);
  await settled(world, desiredCountOf(world), [pod]);
}

/** A rollout whose operator is killed, and starts again, while a task drains. */
export async function rollWithoutOperator(world: TrafficWorld, operator: OperatorSwitch, value: string): Promise<void> {
  const rolled = roll(world, value);
  const drains = ({ metadata }: Pod): boolean => metadata.annotations?.['longshore.dev/draining-until'] !== undefined;
  await world.history.until('a task to drain', () => podsOf(world.history, world.service).some(drains), WAIT_MS);
  await operator.kill();
  await operator.start();
  await rolled;
}

/** The node of some task, and back. */
export async function drainNode(world: TrafficWorld): Promise<void> {
  const node = someTask(world).spec.nodeName ?? '';
  const leaving = runningPods(world.history, world.service).filter(({ spec }) => spec.nodeName === node);
  try {
    await world.kubectl(['drain', node, `--pod-selector=longshore.dev/service=${world.service}`, '--timeout=280s']);
    await settled(world, desiredCountOf(world), leaving);
  } finally {
    await world.kubectl(['uncordon', node]);
  }
}

export async function crashTask(world: TrafficWorld): Promise<Pod> {
  const pod = someTask(world);
  const isServer = (pid: number): boolean => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/traffic-server');
  const processes = podProcesses(world.clusterDir, pod.spec.nodeName ?? '', pod.metadata.uid).filter(isServer);
  if (processes.length === 0) throw new Error(`no server runs in ${pod.metadata.name}`);
  for (const pid of processes) process.kill(pid, 'SIGKILL');
  await settled(world, desiredCountOf(world), [pod]);
  return pod;
}
