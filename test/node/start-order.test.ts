/** Generated dependency graphs with real containers, compared with a model of the ECS agent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { type Behaviour, type Condition, type Fate, type ModelContainer, settle } from '../support/ecs-agent.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import { randomFrom } from '../support/random.ts';
import type { ContainerState, Pod } from '../support/recorder.ts';
import { podsOf, stoppedTaskOf } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
/** Some minutes: LONGSHORE_GRAPHS=all runs it. */
const asked = process.env.LONGSHORE_GRAPHS === 'all';
const title = possible ? 'a task with the graph' : `start order on a real kubelet (skipped: ${why})`;

const GRAPHS = 44;
const AT_ONCE = 8;

const BEHAVIOURS: readonly Behaviour[] = [
  'runs',
  'turns healthy',
  'turns healthy',
  'stays sick',
  'exits with 0',
  'exits with 0',
  'exits with 3',
  'cannot start',
];

/** Conditions that make sense for a target; START on one that cannot start is where Kubernetes is not exact. */
const CONDITIONS: Record<Behaviour, readonly Condition[]> = {
  runs: ['START'],
  'turns healthy': ['START', 'HEALTHY', 'HEALTHY'],
  'stays sick': ['START', 'HEALTHY', 'COMPLETE'],
  'exits with 0': ['START', 'SUCCESS', 'SUCCESS', 'COMPLETE'],
  'exits with 3': ['START', 'SUCCESS', 'COMPLETE', 'COMPLETE'],
  'cannot start': ['SUCCESS', 'COMPLETE'],
};

function graph(seed: number): ModelContainer[] {
  const random = randomFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const count = 2 + Math.floor(random() * 3);
  const containers: ModelContainer[] = [];
  for (let index = 0; index <= count; index++) {
    const isApp = index === count;
    const dependsOn = containers
      .filter(() => random() < (isApp ? 0.7 : 0.45))
      .map(({ name, behaviour }) => ({ container: name, condition: pick(CONDITIONS[behaviour]) }));
    const behaviour = isApp ? 'runs' : pick(BEHAVIOURS);
    containers.push({ name: isApp ? 'app' : `c${index}`, essential: isApp, behaviour, dependsOn });
  }
  // The order in the file must not matter.
  return containers
    .map((container) => ({ container, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ container }) => container);
}

const describeGraph = (containers: readonly ModelContainer[]): string =>
  containers
    .map(({ name, behaviour, dependsOn }) => {
      const edges = dependsOn.map(({ container, condition }) => `${container}=${condition}`).join(',');
      return `${name}(${behaviour})${edges === '' ? '' : ` after ${edges}`}`;
    })
    .join('; ');

/** A container told to stop exits with its own code. */
const stopCode = (containers: readonly ModelContainer[], name: string): number =>
  20 + containers.findIndex((container) => container.name === name);

function definitionOf(containers: readonly ModelContainer[], folder: string, end: string): object {
  const script = ({ name, behaviour }: ModelContainer): string[] => {
    const trap = `trap 'exit ${stopCode(containers, name)}' TERM;`;
    if (behaviour === 'cannot start') return ['/no/such/command'];
    if (behaviour === 'exits with 0') return ['sh', '-c', `${trap} sleep 0.5; exit 0`];
    if (behaviour === 'exits with 3') return ['sh', '-c', `${trap} sleep 0.5; exit 3`];
    const until = name === 'app' ? `[ -e /end/${end} ]` : 'false';
    return ['sh', '-c', `${trap} sleep 0.5; touch /tmp/up; until ${until}; do sleep 0.1; done; exit 9`];
  };
  const check = (behaviour: Behaviour): object => {
    if (behaviour === 'turns healthy')
      return { healthCheck: { command: ['CMD-SHELL', 'test -e /tmp/up'], interval: 5 } };
    if (behaviour === 'stays sick') return { healthCheck: { command: ['CMD', 'false'], interval: 5 }, startTimeout: 2 };
    return {};
  };
  return {
    volumes: [{ name: 'end', host: { sourcePath: folder } }],
    containerDefinitions: containers.map((container) => ({
      name: container.name,
      image: 'busybox:1.37',
      memory: 8,
      stopTimeout: 10,
      essential: container.essential,
      command: script(container),
      mountPoints: [{ sourceVolume: 'end', containerPath: '/end' }],
      dependsOn: container.dependsOn.map(({ container: containerName, condition }) => ({ containerName, condition })),
      ...check(container.behaviour),
    })),
  };
}

const statusOf = (pod: Pod | undefined, name: string): ContainerState | undefined =>
  [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])].find(
    (one) => one.name === name,
  );

/** Whether the pod shows what the model says of one container; what never runs shows nothing. */
function shows(pod: Pod | undefined, name: string, fate: Fate | undefined): boolean {
  const { running, terminated } = statusOf(pod, name)?.state ?? {};
  if (fate === 'runs') return running !== undefined;
  if (fate === 'exited 0') return terminated?.exitCode === 0;
  if (fate === 'exited 3') return terminated?.exitCode === 3;
  if (fate === 'failed to start') return terminated?.reason === 'StartError';
  return running === undefined && terminated === undefined;
}

/** The kubelet writes the epoch for a container that it could not start. */
const startOf = (pod: Pod, name: string): number => {
  const { running, terminated } = statusOf(pod, name)?.state ?? {};
  return Date.parse(running?.startedAt ?? terminated?.startedAt ?? '') || Number.NaN;
};
const endOf = (pod: Pod, name: string): number => Date.parse(statusOf(pod, name)?.state?.terminated?.finishedAt ?? '');

/** Nothing started before what it waits for; Kubernetes' times have whole seconds. */
function orderViolations(pod: Pod, containers: readonly ModelContainer[]): string[] {
  return containers.flatMap(({ name, dependsOn }) =>
    dependsOn.flatMap(({ container, condition }) => {
      const started = startOf(pod, name);
      if (Number.isNaN(started)) return [];
      const from =
        condition === 'COMPLETE' || condition === 'SUCCESS' ? endOf(pod, container) : startOf(pod, container);
      return started >= from ? [] : [`${name} started at ${started}, ${container} was ${condition} at ${from}`];
    }),
  );
}

async function check(ns: TestNamespace, containers: readonly ModelContainer[], folder: string, id: string) {
  const { fates, failedEssential } = settle(containers);
  const what = describeGraph(containers);
  await ns.create(taskDefinition(id, definitionOf(containers, folder, id)), service(id));
  const { metadata } = await ns.until(`a task of ${what}`, () => podsOf(ns.history, id)[0]);
  const seen = () => ns.history.get('pods', metadata.name);
  const first = { metadata } as Pod;
  const stoppedTask = () => stoppedTaskOf(ns.history.get('services', id), first);
  if (!failedEssential) {
    await ns.until(
      `${what} to be ${JSON.stringify([...fates])}`,
      () => containers.every(({ name }) => shows(seen(), name, fates.get(name))),
      120_000,
    );
    // One that waits for ever cannot end the task: its user does.
    if (fates.get('app') === 'runs') writeFileSync(join(folder, id), '');
    else await ns.patch('pods', metadata.name, { metadata: { annotations: { 'longshore.dev/stop': 'enough' } } });
  }
  const stopped = await ns.until(`${what} to be stopped`, stoppedTask, 120_000);
  const pod = seen() as Pod;
  await ns.delete('services', id);

  expect(orderViolations(pod, containers), what).toEqual([]);
  const reason = failedEssential
    ? {
        stopCode: 'TaskFailedToStart',
        stoppedReason: expect.stringMatching(/^CannotStartContainerError: dependency on container /),
      }
    : fates.get('app') === 'runs'
      ? { stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' }
      : { stopCode: 'UserInitiated', stoppedReason: 'enough' };
  expect(stopped, what).toMatchObject(reason);
  for (const { name, essential } of containers) {
    const fate = fates.get(name);
    const record = stopped.containers.find((container) => container.name === name);
    const codes: Record<Fate, readonly (number | undefined)[]> = {
      runs: [essential ? 9 : stopCode(containers, name)],
      'exited 0': [0],
      'exited 3': [3],
      'never ran: 143': [143],
      'failed to start': [record?.exitCode],
      waits: [undefined],
    };
    // Where the task ended early, others may have been stopped on their way.
    const early = failedEssential && !essential ? [undefined, stopCode(containers, name)] : [];
    expect([...(codes[fate ?? 'waits'] ?? []), ...early], `${name} of ${what}`).toContain(record?.exitCode);
    if (fate === 'never ran: 143' && !(failedEssential && !essential)) {
      expect(record?.reason, what).toMatch(/^CannotStartContainerError: dependency on container /);
      expect(startOf(pod, name), what).toBeNaN();
    }
  }
}

describe.skipIf(!possible || !asked)(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });
  const folder = mkdtempSync(join(tmpdir(), 'longshore-end-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const graphs = Array.from({ length: GRAPHS }, (_, seed) => graph(seed + 1));

  it(`of ${GRAPHS} generated ones starts, ends and is recorded as the ECS agent would`, {
    timeout: 600_000,
  }, async (context) => {
    const ns = await suite().namespace(context);
    const failures: unknown[] = [];
    const waiting = graphs.map((containers, index) => ({ containers, id: `g${index + 1}` }));
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await check(ns, next.containers, folder, next.id).catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(failures).toEqual([]);
  });
});
