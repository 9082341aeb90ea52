/** A scenario once for each write of the operator: killed there, or cut off from the answer, it must end the same. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, type TestContext } from 'vitest';
import { BYSTANDER } from './chaos-scenario.ts';
import { FaultProxy, type Moment } from './fault-proxy.ts';
import { taskDefinition } from './manifests.ts';
import type { Operator } from './operator.ts';
import { randomFrom, sample } from './random.ts';
import type { NamespaceHistory } from './recorder.ts';
import { OPERATOR_USER, type Suite, type TestNamespace } from './suite.ts';

/** All points take many minutes: `npm run chaos`. Otherwise a few of them, chosen anew each time. */
export const all = process.env.LONGSHORE_CHAOS === 'all';
const seed = Number(process.env.LONGSHORE_SEED ?? Date.now() % 1_000_000);
/** Long enough to plan again from a cache that does not show the pod whose answer was lost. */
const BLIND_MS = 1_500;
/** Scenarios at a time. */
const ABREAST = 3;
/** Status writes that fall together differ from run to run, so that the last few points may lie behind the end. */
const UNSTEADY_WRITES = 4;

export interface Scenario {
  /** Returns where all is done. */
  readonly run: (ns: TestNamespace) => Promise<void>;
  /** What is there then, without the names that differ from run to run. */
  readonly end: (history: NamespaceHistory) => object;
  /** What `end` gives, had nothing been in the way. */
  readonly undisturbed: object;
  /** What was wrong on the way, in words. */
  readonly violations: (history: NamespaceHistory) => string[];
  /** Writes of the operator that it has at least. */
  readonly writes: number;
  /** Points that are tried where not all are. */
  readonly sample: number;
}

interface Point {
  readonly write: number;
  readonly moment: Moment;
  /** Killed, and another one started; or only cut off from its answer, and from news of pods for a while. */
  readonly fate: 'killed' | 'cut off';
}

export const KILLED: readonly Omit<Point, 'write'>[] = [
  { fate: 'killed', moment: 'before' },
  { fate: 'killed', moment: 'after' },
];
export const CUT_OFF: readonly Omit<Point, 'write'>[] = [{ fate: 'cut off', moment: 'after' }];

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

/** Tries the points of a scenario; how many writes it has is told by two runs of it at once. */
export class CrashPoints {
  readonly #suite: () => Suite;
  readonly #scenario: Scenario;
  #counted: Promise<number> | undefined;

  constructor(suite: () => Suite, scenario: Scenario) {
    this.#suite = suite;
    this.#scenario = scenario;
  }

  async check(context: TestContext, kinds: readonly Omit<Point, 'write'>[]): Promise<void> {
    this.#counted ??= this.#count(context);
    const writes = await this.#counted;
    expect(writes).toBeGreaterThanOrEqual(this.#scenario.writes);
    const every = kinds.flatMap((kind) =>
      Array.from({ length: writes }, (_, index) => ({ ...kind, write: index + 1 })),
    );
    const points = all ? every : sample(every, this.#scenario.sample, randomFrom(seed));
    console.info(`${points.length} of ${every.length} points; LONGSHORE_SEED=${seed} chooses them again`);
    const began = Date.now();
    const runs = await this.#runAll(context, points);
    const reached = runs.filter(({ broken }) => broken !== undefined);
    console.info(`${reached.length} points reached in ${Math.round((Date.now() - began) / 1000)} s`);
    const missed = runs.filter(
      ({ point, broken }) => broken === undefined && (point?.write ?? 0) <= writes - UNSTEADY_WRITES,
    );
    expect(missed.map(({ point }) => point && nameOf(point))).toEqual([]);
    const failed = runs.filter(({ problems }) => problems.length > 0);
    expect(failed.map(({ point, broken, problems }) => [point && nameOf(point), broken, ...problems])).toEqual([]);
  }

  async #count(context: TestContext): Promise<number> {
    const runs = await Promise.all([this.#run(context), this.#run(context)]);
    for (const { problems } of runs) expect(problems).toEqual([]);
    return Math.min(...runs.map(({ writes }) => writes.length));
  }

  /** @returns the runs in the order of the points. */
  async #runAll(context: TestContext, points: readonly Point[]): Promise<Run[]> {
    const runs: Run[] = [];
    const waiting = [...points.entries()];
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, point] = next;
        runs[index] = await this.#run(context, point);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
    return runs;
  }

  /** The scenario with one fault at most. */
  async #run(context: TestContext, point?: Point): Promise<Run> {
    const suite = this.#suite();
    const { run, end, undisturbed, violations } = this.#scenario;
    const ns = await suite.namespace(context);
    const proxy = await FaultProxy.start(await suite.cluster.userKubeconfig(OPERATOR_USER, []));
    const newOperator = (): Operator =>
      suite.newOperator(['--no-leader-elect', '--namespace', ns.name], proxy.kubeconfig);
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
      await run(ns);
      await proxy.settled();
      await lookedAtEverything(ns);
      try {
        expect(end(ns.history)).toEqual(undisturbed);
      } catch (error) {
        problems.push(String(error));
      }
      problems.push(...violations(ns.history));
    } catch (error) {
      problems.push(`${error}\n${operator.describe()}`);
    } finally {
      await proxy.stop();
      await operator.kill('SIGKILL');
    }
    return { point, broken: proxy.broken, writes: proxy.writes, problems };
  }
}
