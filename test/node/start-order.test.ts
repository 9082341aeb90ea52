/** Generated dependency graphs with real containers, compared with a model of the ECS agent. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import type { StoppedTask } from '../../src/api/service.ts';
import { answerOf, definitionOf, dependencyGraph, describeGraph } from '../support/dependency-graphs.ts';
import {
  type Difference,
  differences,
  type Fate,
  type ModelContainer,
  outcomeOf,
  type SeenContainer,
} from '../support/ecs-agent.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import type { ContainerState, Pod } from '../support/recorder.ts';
import { podsOf, stoppedTaskOf } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a task with the graph' : `start order on a real kubelet (skipped: ${why})`;

const GRAPHS = 40;
/** `LONGSHORE_SEED=2000` tries graphs 2000 to 2039. */
const FIRST_SEED = Number(process.env.LONGSHORE_SEED ?? 1);
/** All tasks run at once: none waits for another, and what each waits for is its own containers. */
const WAIT_MS = 900_000;

const stateOf = (pod: Pod | undefined, name: string): ContainerState['state'] =>
  [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])].find(
    (one) => one.name === name,
  )?.state;

/** Whether the pod shows that a container has come to its fate; what never runs shows nothing. */
function shows(pod: Pod | undefined, name: string, fate: Fate | undefined): boolean {
  const { waiting, running, terminated } = stateOf(pod, name) ?? {};
  if (fate === 'runs') return running !== undefined;
  if (fate === 'exited 0') return terminated?.exitCode === 0;
  if (fate === 'exited 3') return terminated?.exitCode === 3;
  if (fate === 'failed to start')
    return terminated?.reason === 'StartError' || /^(ErrImagePull|ImagePullBackOff)$/.test(waiting?.reason ?? '');
  return running === undefined && terminated === undefined;
}

/** What a stopped task's record and its pod say of one container. The kubelet writes the epoch for what it could not start. */
function seenContainer(record: StoppedTask, pod: Pod, name: string, answer: number): SeenContainer {
  const { running, terminated } = stateOf(pod, name) ?? {};
  const startedAt = Date.parse(running?.startedAt ?? terminated?.startedAt ?? '') || undefined;
  const finishedAt = Date.parse(terminated?.finishedAt ?? '') || undefined;
  const { exitCode, reason } = record.containers.find((container) => container.name === name) ?? {};
  return {
    answer,
    ...(exitCode !== undefined && { exitCode }),
    ...(reason !== undefined && { reason }),
    ...(startedAt !== undefined && { startedAt }),
    ...(startedAt !== undefined && finishedAt !== undefined && { finishedAt }),
  };
}

const linesOf = (folder: string): string[] => readFileSync(join(folder, 'log'), 'utf8').split('\n');

/** A container that runs may not listen for SIGTERM yet: nothing but its own word tells. */
async function untilUp(folder: string, names: readonly string[]): Promise<void> {
  while (!names.every((name) => linesOf(folder).includes(`${name} up`))) await delay(100);
}

interface Graph {
  readonly id: string;
  readonly containers: readonly ModelContainer[];
  /** Of the node, mounted into every container. */
  readonly folder: string;
}

const USER_STOP = 'enough';

/** Lets the task come to rest, or to its end; ends it where it goes on; and compares what was recorded. */
async function check(ns: TestNamespace, { id, containers, folder }: Graph): Promise<Difference[]> {
  const { fates, fatal } = outcomeOf(containers);
  const what = `${id}: ${describeGraph(containers)}`;
  const { metadata } = await ns.until(`a task of ${what}`, () => podsOf(ns.history, id)[0], WAIT_MS);
  const now = () => ns.history.get('pods', metadata.name);
  let userStop: string | undefined;
  if (fatal.length === 0) {
    const settled = () => containers.every(({ name }) => shows(now(), name, fates.get(name)));
    await ns.until(`${what} to be ${JSON.stringify([...fates])}`, settled, WAIT_MS);
    const running = containers.filter(({ name }) => fates.get(name) === 'runs').map(({ name }) => name);
    await untilUp(folder, running);
    // Where the app waits for ever, its user has to end the task.
    if (running.includes('app')) writeFileSync(join(folder, 'end'), '');
    else {
      userStop = USER_STOP;
      await ns.patch('pods', metadata.name, { metadata: { annotations: { 'longshore.dev/stop': userStop } } });
    }
  }
  const ended = () => stoppedTaskOf(ns.history.get('services', id), { metadata } as Pod);
  const record = await ns.until(`${what} to be stopped`, ended, WAIT_MS);
  const pod = now() as Pod;
  const seen = containers.map(({ name }): [string, SeenContainer] => [
    name,
    seenContainer(record, pod, name, answerOf(containers, name)),
  ]);
  const told = linesOf(folder).flatMap((line) => (line.endsWith(' told') ? [line.slice(0, -' told'.length)] : []));
  const { stopCode, stoppedReason } = record;
  const task = {
    stopCode,
    stoppedReason,
    containers: new Map(seen),
    told,
    ...(userStop !== undefined && { userStop }),
  };
  return differences(containers, task).map((difference) => ({ ...difference, what: `${difference.what}; ${what}` }));
}

describe.skipIf(!possible)(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });
  const root = mkdtempSync(join(tmpdir(), 'longshore-graphs-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it(`of ${GRAPHS} generated ones starts, stops and is recorded as the ECS agent would do it`, {
    timeout: 2 * WAIT_MS,
  }, async (context) => {
    console.info(
      `dependency graphs ${FIRST_SEED} to ${FIRST_SEED + GRAPHS - 1}; LONGSHORE_SEED=${FIRST_SEED} repeats them`,
    );
    const ns = await suite().namespace(context);
    const graphs = Array.from({ length: GRAPHS }, (_, index): Graph => {
      const id = `g${FIRST_SEED + index}`;
      const folder = join(root, id);
      mkdirSync(folder);
      writeFileSync(join(folder, 'log'), '');
      return { id, containers: dependencyGraph(FIRST_SEED + index), folder };
    });
    await ns.create(
      ...graphs.flatMap(({ id, containers, folder }) => [
        taskDefinition(id, definitionOf(containers, folder)),
        service(id),
      ]),
    );
    await ns.until('a task of each', () => graphs.every(({ id }) => podsOf(ns.history, id).length > 0), WAIT_MS);
    // A task that ends is not replaced: one of each graph is enough.
    const quota = { metadata: { name: 'no-more' }, spec: { hard: { 'count/pods': '0' } } };
    await ns.createRaw('resourcequotas', quota);
    const checked = await Promise.allSettled(graphs.map((graph) => check(ns, graph)));
    const found = checked.flatMap((result): Difference[] =>
      result.status === 'fulfilled' ? result.value : [{ what: String(result.reason) }],
    );
    const known = Object.groupBy(found, ({ deviation }) => deviation ?? 'mistake');
    console.info(
      Object.entries(known)
        .map(([name, all]) => `${name}: ${all?.length}`)
        .join(', '),
    );
    expect(known.mistake?.map(({ what }) => what) ?? []).toEqual([]);
  });
});
