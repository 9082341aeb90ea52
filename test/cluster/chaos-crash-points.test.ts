import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { BYSTANDER, endOf, rollBesideJob, undisturbedEnd, violationsOf } from '../support/chaos-scenario.ts';
import { FaultProxy, type Moment } from '../support/fault-proxy.ts';
import { taskDefinition } from '../support/manifests.ts';
import type { Operator } from '../support/operator.ts';
import { randomFrom, sample } from '../support/random.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

/** All points take many minutes: `npm run chaos`. Otherwise a few of them, chosen anew each time. */
const all = process.env.LONGSHORE_CHAOS === 'all';
const seed = Number(process.env.LONGSHORE_SEED ?? Date.now() % 1_000_000);
const SAMPLE = 4;
/** Long enough to plan again from a cache that does not show the pod whose answer was lost. */
const BLIND_MS = 1_500;
/** Scenarios at a time. */
const ABREAST = 3;
/** Status writes that fall together differ from run to run, so that the last few points may lie behind the end. */
const UNSTEADY_WRITES = 4;

const size = { desiredCount: 2 };

interface Point {
  readonly write: number;
  readonly moment: Moment;
  /** Killed, and another one started; or only cut off from its answer, and from news of pods for a while. */
  readonly fate: 'killed' | 'cut off';
}

interface Run {
  readonly point: Point | undefined;
  /** What the write was; undefined where the scenario ended before it. */
  readonly broken: string | undefined;
  readonly writes: readonly string[];
  readonly problems: readonly string[];
}

const nameOf = ({ write, moment, fate }: Point): string => `${fate} ${moment} write ${write}`;

/** An operator that was started a moment ago answers this after it has seen all else. */
async function lookedAtEverything(ns: TestNamespace): Promise<void> {
  await ns.create(taskDefinition(BYSTANDER));
  await ns.until('an answer', () => ns.history.get('taskdefinitions', BYSTANDER)?.status);
}

/** The scenario with one fault at most. */
async function run(context: TestContext, point?: Point): Promise<Run> {
  const ns = await suite().namespace(context);
  const proxy = await FaultProxy.start(await suite().cluster.userKubeconfig(OPERATOR_USER, ['system:masters']));
  const newOperator = (): Operator =>
    suite().newOperator(['--no-leader-elect', '--namespace', ns.name], proxy.kubeconfig);
  let operator = newOperator();
  if (point !== undefined) {
    const restart = async (): Promise<void> => {
      await operator.kill('SIGKILL');
      operator = newOperator();
    };
    const { write, moment, fate } = point;
    proxy.set({ write, moment, ...(fate === 'killed' ? { act: restart } : { blindUntil: () => delay(BLIND_MS) }) });
  }
  const problems: string[] = [];
  try {
    await rollBesideJob(ns, size);
    await proxy.settled();
    await lookedAtEverything(ns);
    try {
      expect(endOf(ns.history)).toEqual(undisturbedEnd(size));
    } catch (error) {
      problems.push(String(error));
    }
    problems.push(...violationsOf(ns.history));
  } catch (error) {
    problems.push(`${error}\n${operator.describe()}`);
  } finally {
    await proxy.stop();
    await operator.kill('SIGKILL');
  }
  return { point, broken: proxy.broken, writes: proxy.writes, problems };
}

/** @returns the runs in the order of the points. */
async function runAll(context: TestContext, points: readonly Point[]): Promise<Run[]> {
  const runs: Run[] = [];
  const waiting = [...points.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, point] = next;
      runs[index] = await run(context, point);
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, work));
  return runs;
}

/** The number of writes of the scenario, told by two runs of it at once. */
let counted: Promise<number> | undefined;
const writesOf = async (context: TestContext): Promise<number> => {
  const runs = await Promise.all([run(context), run(context)]);
  for (const { problems } of runs) expect(problems).toEqual([]);
  return Math.min(...runs.map(({ writes }) => writes.length));
};

async function check(context: TestContext, kinds: readonly Omit<Point, 'write'>[]): Promise<void> {
  counted ??= writesOf(context);
  const writes = await counted;
  expect(writes).toBeGreaterThan(20);
  const every = kinds.flatMap((kind) => Array.from({ length: writes }, (_, index) => ({ ...kind, write: index + 1 })));
  const points = all ? every : sample(every, SAMPLE, randomFrom(seed));
  console.info(`${points.length} of ${every.length} points; LONGSHORE_SEED=${seed} chooses them again`);
  const began = Date.now();
  const runs = await runAll(context, points);
  const reached = runs.filter(({ broken }) => broken !== undefined);
  console.info(`${reached.length} points reached in ${Math.round((Date.now() - began) / 1000)} s`);
  const missed = runs.filter(
    ({ point, broken }) => broken === undefined && (point?.write ?? 0) <= writes - UNSTEADY_WRITES,
  );
  expect(missed.map(({ point }) => point && nameOf(point))).toEqual([]);
  const failed = runs.filter(({ problems }) => problems.length > 0);
  expect(failed.map(({ point, broken, problems }) => [point && nameOf(point), broken, ...problems])).toEqual([]);
}

describe('the operator', { timeout: all ? 3_600_000 : 180_000 }, () => {
  it('killed before or after any one of its writes ends where it would have ended', (context) =>
    check(context, [
      { fate: 'killed', moment: 'before' },
      { fate: 'killed', moment: 'after' },
    ]));

  it('cut off from the answer to any one of its writes ends where it would have ended', (context) =>
    check(context, [{ fate: 'cut off', moment: 'after' }]));
});
