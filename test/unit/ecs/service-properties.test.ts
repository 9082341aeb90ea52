/** The service planner over random histories: what it may never do, and that it gets there (`ecs-semantics §3`). */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planService } from '../../../src/ecs/service-plan.ts';
import { brokenRules } from '../../support/service-rules.ts';
import {
  EVENT_KINDS,
  HEALTH_CHECKED,
  ServiceWorld,
  type Step,
  type WorldPlan,
  type WorldTask,
} from '../../support/service-world.ts';

let steps = 0;

/** One pass of the planner, looked at from all sides, and carried out as far as `mask` says. */
function pass(world: ServiceWorld, mask?: number): WorldPlan {
  const input = world.input();
  const plan = planService(input);
  steps++;
  const broken = brokenRules(input, plan);
  if (broken.length > 0) throw new Error(`${broken.join('; ')}\n${show(world, plan)}`);
  world.carryOut(plan, mask);
  return plan;
}

/** The plan at a later time is the same one, unless it said that time changes it. */
function wakesInTime(world: ServiceWorld, plan: WorldPlan): void {
  const input = world.input();
  for (const later of [input.now + 1, input.now + 7000, input.now + 3_600_000]) {
    const now = Math.min(later, (plan.wakeAt ?? Number.POSITIVE_INFINITY) - 1);
    if (now <= input.now) continue;
    const then = planService({ ...input, now });
    if (
      then.actions.length !== 0 ||
      then.steady !== plan.steady ||
      then.deployments[0]?.failed !== plan.deployments[0]?.failed
    )
      throw new Error(`nothing wakes it: ${JSON.stringify(then.actions)}\n${show(world, plan)}`);
  }
}

function show(world: ServiceWorld, plan: WorldPlan): string {
  const { tasks, ...input } = world.input();
  const lines = [
    JSON.stringify({ ...input, draining: [...world.draining] }),
    ...tasks.map((task) => JSON.stringify(task)),
    JSON.stringify(
      {
        ...plan,
        actions: plan.actions.map((action) => ({ ...action, ...(action.kind === 'stop' && { task: action.task.id }) })),
      },
      null,
      1,
    ),
  ];
  return lines.join('\n');
}

function play(world: ServiceWorld, history: readonly Step[]): void {
  for (const step of history) {
    world.happen(step);
    const before = new Set(world.tasks);
    const mask = step[2] % 4 === 0 ? step[2] : 0xffff;
    const first = pass(world, mask);
    if (!isDeepStrictEqual(planService(world.input()), planService(world.input())))
      throw new Error('planned twice, it says two things');
    // Nothing has happened: what is left of the plan is done, and what was begun is not taken back.
    const started = world.tasks.filter((task) => !before.has(task));
    const second = pass(world);
    noTurningBack(world, second, started);
    const [was, is] = [first.deployments[0], second.deployments[0]];
    const isRolledBack = was?.id !== is?.id;
    if (!isRolledBack && was?.failed && !is?.failed) throw new Error(`takes its verdict back\n${show(world, second)}`);
    if (mask !== 0xffff || isRolledBack || was?.failed !== is?.failed) continue;
    if (second.actions.length > 0) throw new Error(`carried out, it wants more\n${show(world, second)}`);
    wakesInTime(world, second);
  }
}

function noTurningBack(world: ServiceWorld, plan: WorldPlan, started: readonly WorldTask[]): void {
  const taken = plan.actions.find((action) => action.kind === 'stop' && started.includes(action.task));
  if (taken !== undefined && !plan.deployments.some(({ failed }) => failed))
    throw new Error(`started and stopped at once: ${taken.because}\n${show(world, plan)}`);
}

/** From now on all goes well; whatever was before, the service gets to where it is wanted, and stays. */
function converge(world: ServiceWorld): void {
  let started: WorldTask[] = [];
  for (let round = 0; round < 300; round++) {
    const before = new Set(world.tasks);
    const plan = pass(world);
    noTurningBack(world, plan, started);
    // What an older deployment gets back is there until the newest has taken over.
    started = [...started, ...world.tasks.filter((task) => !before.has(task))].filter(
      ({ deployment }) => deployment === world.primary.id,
    );
    const moved = world.settle();
    world.now += 1000;
    if (plan.actions.length > 0 || moved) continue;
    if (plan.steady) {
      for (const later of [1, 60_000, 3_600_000]) {
        world.now += later;
        expect(pass(world)).toMatchObject({ actions: [], steady: true });
      }
      return;
    }
    if (plan.wakeAt !== undefined && plan.wakeAt > world.now) world.now = plan.wakeAt;
    else if (plan.deployments[0]?.failed) {
      world.breaker = false;
      world.deploy();
      started = [];
    } else if (plan.deployments[0]?.blockedBy.startsWith('cannot')) world.percents = [50, 200];
    else if (plan.wakeAt === undefined) throw new Error(`waits for nothing\n${show(world, plan)}`);
  }
  throw new Error(`does not get there\n${show(world, world.plan())}`);
}

const histories = fc.record({
  desired: fc.nat(6),
  percents: fc.constantFrom([100, 200], [50, 200], [50, 100], [0, 100], [100, 150], [66, 133]) as fc.Arbitrary<
    [number, number]
  >,
  check: fc.constantFrom(...HEALTH_CHECKED),
  steady: fc.boolean(),
  breaker: fc.boolean(),
  history: fc.array(fc.tuple(fc.nat(EVENT_KINDS - 1), fc.nat(63), fc.nat(0xffff)), {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  }),
});

it('keeps its rules over 100,000 steps of random histories, and gets there once the world is quiet', {
  timeout: 600_000,
}, () => {
  fc.assert(
    fc.property(histories, ({ desired, percents, check, steady, breaker, history }) => {
      const world = new ServiceWorld(desired, percents, check);
      world.breaker = breaker;
      if (steady) {
        converge(world);
        world.deploy();
      }
      play(world, history);
      converge(world);
    }),
    { numRuns: 2000 },
  );
  expect(steps).toBeGreaterThan(100_000);
});
