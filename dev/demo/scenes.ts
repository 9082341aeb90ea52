/** What the demo shows and checks. A scene returns what it saw; it throws what it saw instead. */
import { LABELS } from '../../src/api/meta.ts';
import type { ServiceStatus } from '../../src/api/service.ts';
import { type Environment, kubectl, type Say } from './environment.ts';
import type { Examples } from './examples.ts';
import { recordRollout, tasksOf } from './rollout.ts';
import { jobSentence, serviceSentence } from './table.ts';
import { NAMESPACE, type Pod, type SeenService, type Watcher } from './watcher.ts';

export interface Stage {
  readonly environment: Environment;
  readonly watcher: Watcher;
  readonly say: Say;
  readonly examples: Examples;
}

export interface Scene {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<string>;
}

export const scenes: readonly Scene[] = [
  { title: 'WordPress and MySQL run as one task', play: wordpress },
  { title: 'a new revision and 5 → 10 tasks in one update', play: rollout },
  { title: 'an essential container that ends its task', play: essential },
  { title: 'an array job of 20 children', play: array },
];

const steadyText = (service: string): string => `(service ${service}) has reached a steady state.`;

/** The newest word of the service on its present spec is that it is steady. */
function isSteady(service: SeenService | undefined): boolean {
  const { observedGeneration, events, conditions } = service?.status ?? {};
  return (
    observedGeneration === service?.metadata.generation &&
    events?.[0]?.message === steadyText(service?.metadata.name ?? '') &&
    conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  );
}

/** @param generation of the service's spec, at least. */
function untilSteady({ watcher }: Stage, name: string, seconds: number, generation = 1): Promise<ServiceStatus> {
  return watcher.until({
    what: `"${steadyText(name)}"`,
    seconds,
    seen: () => {
      const service = watcher.service(name);
      const isNewEnough = (service?.metadata.generation ?? 0) >= generation;
      return isNewEnough && isSteady(service) ? (service?.status as ServiceStatus) : undefined;
    },
    instead: () => describe(watcher.service(name)),
  });
}

function describe(service: SeenService | undefined): string {
  if (service === undefined) return 'no such service';
  const condition = service.status?.conditions?.find(({ type }) => type === 'Ready');
  return [serviceSentence(service), condition?.message, service.status?.events?.[0]?.message]
    .filter(Boolean)
    .join('; ');
}

async function wordpress({ environment, watcher }: Stage): Promise<string> {
  const { cluster, real } = environment;
  const task = await watcher.until({
    what: 'a task of wordpress to run',
    seconds: 120,
    seen: () => tasksOf(watcher, 'wordpress').find(runs),
    instead: () => describe(watcher.service('wordpress')),
  });
  const names = (task.status?.containerStatuses ?? []).map(({ name }) => name).sort();
  if (names.join() !== 'mysql,wordpress') throw new Error(`not both containers run; running: ${names.join(', ')}`);
  // Without a health check a task counts as healthy 40 s after it is RUNNING; the demo does not wait for that.
  const seen = `${names.join(' and ')} run, healthy for the service 40 s from now`;
  if (!real) return `${seen} (simulated: link and port are not tried)`;
  const command = ['exec', task.metadata.name, '-c', 'wordpress', '--', 'ping', '-c', '1', '-w', '5', 'mysql'];
  const answer = await kubectl(cluster, command);
  const url = `http://${task.status?.hostIP}:80/`;
  const { status } = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (status !== 200) throw new Error(`the node's port 80 answers ${status}, not 200`);
  return `${seen}; in wordpress, "${answer.split('\n')[0]}"; port 80 of its node answers 200`;
}

async function rollout(stage: Stage): Promise<string> {
  const { environment, watcher, say, examples } = stage;
  const { cluster } = environment;
  const before = await untilSteady(stage, 'web', 60);
  if (before.runningCount !== 5) throw new Error(`not 5 tasks run at first; running: ${before.runningCount}`);

  /** @returns the generation that the spec has now. */
  const patch = async (spec: object): Promise<number> => {
    const command = ['patch', 'services.longshore.dev', 'web', '--type', 'merge', '-p', JSON.stringify({ spec })];
    say(`$ kubectl ${command.slice(0, -1).join(' ')} '${command.at(-1)}'`);
    return Number(await kubectl(cluster, [...command, '-o', 'jsonpath={.metadata.generation}']));
  };
  // Pinned first, so that the new revision and the new count come as one update, as from
  // `aws ecs update-service --task-definition web:2 --desired-count 10`.
  await patch({ taskDefinition: before.taskDefinition });
  await examples.applyNextVersion('web.yaml');
  const old = Number(before.taskDefinition?.split(':')[1]);
  const revision = await watcher.until({
    what: `revision ${old + 1} of web to be registered`,
    seconds: 30,
    seen: () => {
      const latest = watcher.taskDefinition('web')?.status?.latestRevision;
      return latest !== undefined && latest > old ? latest : undefined;
    },
    instead: () => `latestRevision ${watcher.taskDefinition('web')?.status?.latestRevision}`,
  });

  const stopRecording = recordRollout(watcher, 'web');
  let sawBoth = false;
  const off = watcher.onChange(() => {
    sawBoth ||= isFirstStep(watcher.service('web')?.status?.deployments ?? []);
  });
  const generation = await patch({ taskDefinition: `web:${revision}`, desiredCount: 10 });
  const after = await untilSteady(stage, 'web', 120, generation).finally(off);
  const { fewestHealthy, mostTasks, observations } = stopRecording();

  const counts = `at least ${fewestHealthy} healthy and at most ${mostTasks} tasks in ${observations} observations`;
  if (after.taskDefinition !== `web:${revision}` || after.runningCount !== 10)
    throw new Error(`not 10 tasks of web:${revision}; seen: ${describe(watcher.service('web'))}`);
  if (!sawBoth)
    throw new Error(
      'PRIMARY 10 desired, 10 pending, 0 running beside ACTIVE 5 desired, 5 running never was in status.deployments',
    );
  if (fewestHealthy < 5 || mostTasks > 20) throw new Error(`not within 5 healthy and 20 tasks; seen: ${counts}`);
  return `PRIMARY 10/10/0 beside ACTIVE 5/0/5, then web:${revision} steady with 10; ${counts}`;
}

/** The new deployment has all to start, the old one still has all it had. */
function isFirstStep(deployments: NonNullable<ServiceStatus['deployments']>): boolean {
  const [primary, active] = deployments;
  return (
    primary?.status === 'PRIMARY' &&
    primary.desiredCount === 10 &&
    primary.pendingCount === 10 &&
    primary.runningCount === 0 &&
    active?.status === 'ACTIVE' &&
    active.desiredCount === 5 &&
    active.runningCount === 5
  );
}

async function essential(stage: Stage): Promise<string> {
  const { environment, watcher } = stage;
  const stopped = await watcher.until({
    what: 'a stopped task of essential with exit code 3',
    seconds: 90,
    seen: () =>
      watcher
        .service('essential')
        ?.status?.stoppedTasks?.find(({ containers }) => containers.some(({ exitCode }) => exitCode === 3)),
    instead: () => {
      const stoppedTasks = watcher.service('essential')?.status?.stoppedTasks ?? [];
      return `${describe(watcher.service('essential'))}; stoppedTasks ${JSON.stringify(stoppedTasks)}`;
    },
  });
  const codes = stopped.containers.map(({ name, exitCode }) => `${name} ${exitCode ?? 'none'}`).join(', ');
  if (stopped.stopCode !== 'EssentialContainerExited')
    throw new Error(`stopCode is not EssentialContainerExited; seen: ${stopped.stopCode}, ${stopped.stoppedReason}`);

  const ended = tasksOf(watcher, 'essential').find((pod) => pod.metadata.labels?.[LABELS.task] === stopped.task);
  if (ended === undefined) throw new Error(`the pod of the stopped task ${stopped.task} is gone, and its logs with it`);
  let sidecar = 'simulated, so it has no log';
  if (environment.real) {
    const said = 'sidecar: SIGTERM received';
    const log = await kubectl(environment.cluster, ['logs', ended.metadata.name, '-c', 'sidecar']);
    if (!log.includes(said)) throw new Error(`the sidecar's log has no "${said}"; it has: ${log}`);
    sidecar = `its log: "${said}"`;
  }
  const next = await watcher.until({
    what: 'a new task of essential to run',
    seconds: 60,
    seen: () => tasksOf(watcher, 'essential').find((pod) => pod.metadata.uid !== ended.metadata.uid && runs(pod)),
    instead: () => describe(watcher.service('essential')),
  });
  return `${stopped.stopCode}, exit codes ${codes} (${sidecar}); ${next.metadata.name} runs in its place`;
}

const runs = ({ status }: Pod): boolean =>
  status?.phase === 'Running' && (status.containerStatuses ?? []).every(({ state }) => state?.running !== undefined);

async function array({ environment, watcher }: Stage): Promise<string> {
  const job = await watcher.until({
    what: 'job squares to be over',
    seconds: 120,
    seen: () => {
      const seen = watcher.batchJob('squares');
      return seen?.status?.status === 'SUCCEEDED' || seen?.status?.status === 'FAILED' ? seen : undefined;
    },
    instead: () => {
      const seen = watcher.batchJob('squares');
      return seen === undefined ? 'no such job' : jobSentence(seen);
    },
  });
  const succeeded = job.status?.arrayProperties?.statusSummary?.SUCCEEDED;
  if (job.status?.status !== 'SUCCEEDED' || succeeded !== 20)
    throw new Error(`not 20 SUCCEEDED; seen: ${jobSentence(job)}`);
  if (!environment.real) return 'SUCCEEDED 20 (simulated: no logs)';
  const expected = 'child 7: 7 squared is 49';
  const selector = `${LABELS.batchJob}=squares,${LABELS.arrayIndex}=7`;
  const log = await kubectl(environment.cluster, ['logs', '-n', NAMESPACE, '-l', selector]);
  if (log !== expected) throw new Error(`the log of child 7 is not "${expected}"; it is: "${log}"`);
  return `SUCCEEDED 20; the log of child 7: "${log}"`;
}
