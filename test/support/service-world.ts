/**
 * A small world for the service planner: nodes, tasks and a user, all of whom do what they like, and a planner whose
 * output may be carried out in part only, as when the operator dies in the middle. Driven by numbers, so that a
 * property can generate and shrink its histories.
 */
import {
  type Deployment,
  planService,
  type ServiceAction,
  type ServicePlan,
  type ServicePlanInput,
  type ServiceTask,
} from '../../src/ecs/service-plan.ts';
import { type Container, hostTerminated, lastStatus } from '../../src/ecs/task.ts';
import { retainedTasks } from '../../src/ecs/task-retention.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
export type WorldTask = Mutable<ServiceTask>;
export type WorldInput = ServicePlanInput<WorldTask>;
export type WorldPlan = ServicePlan<WorldTask>;

/** One thing that happens: which, to whom, and which of the planner's actions are carried out afterwards. */
export type Step = readonly [event: number, pick: number, carriedOut: number];

const NODES = ['a', 'b', 'c'];
const KEPT_FAULTS = 2;
const BREAKER = { enable: true, rollback: true, resetOnHealthyTask: true } as const;

/** What tells whether a task is healthy: nothing but time, its container's check, or that of its target group. */
export const HEALTH_CHECKED = ['by time', 'by container', 'by target group'] as const;
export type HealthChecked = (typeof HEALTH_CHECKED)[number];

const times = { interval: 5, retries: 3, startPeriod: 0 };
const CHECKS = {
  'by time': undefined,
  'by container': { healthCheck: times },
  'by target group': {
    endpoints: [{ service: 'web', port: 80, protocol: 'tcp', portName: 'web', arn: 'web' }],
    targetCheck: times,
  },
} as const;

export class ServiceWorld {
  now = 1_000_000_000;
  tasks: WorldTask[] = [];
  deployments: Mutable<Deployment>[] = [{ id: '1', number: 1, completed: false }];
  desiredCount: number;
  percents: readonly [min: number, max: number];
  graceSeconds = 0;
  breaker = false;
  placement: string | undefined;
  readonly draining = new Set<string>();
  readonly #check: Pick<Container, 'healthCheck' | 'endpoints' | 'targetCheck'> | undefined;
  #created = 0;
  #made = 1;

  constructor(desiredCount: number, percents: readonly [min: number, max: number], check: HealthChecked) {
    this.desiredCount = desiredCount;
    this.percents = percents;
    this.#check = CHECKS[check];
  }

  input(): WorldInput {
    return {
      desiredCount: this.desiredCount,
      minimumHealthyPercent: this.percents[0],
      maximumPercent: this.percents[1],
      healthCheckGracePeriodSeconds: this.graceSeconds,
      ...(this.breaker && {
        circuitBreaker: { ...BREAKER, thresholdConfiguration: { type: 'BOUNDED_PERCENT', value: 50 } },
      }),
      deployments: this.deployments.map((deployment) => ({ ...deployment })) as [Deployment, ...Deployment[]],
      placement: this.placement,
      tasks: this.tasks,
      draining: new Set(this.draining),
      now: this.now,
    };
  }

  plan = (): WorldPlan => planService(this.input());

  get primary(): Mutable<Deployment> {
    return this.deployments.reduce((a, b) => (b.number > a.number ? b : a));
  }

  live = (): WorldTask[] => this.tasks.filter(({ ended }) => !ended);

  /** What the world does between two passes of the planner. */
  happen([event, pick]: Step): void {
    const happening = EVENTS[event % EVENTS.length];
    happening?.(this, pick);
  }

  /** The same as the controller: stops, then starts, then the verdicts. Bit i of `mask` says whether action i is carried out. */
  carryOut(plan: WorldPlan, mask = 0xffff): void {
    plan.actions.forEach((action, i) => {
      if ((mask >> (i % 16)) & 1) this.#act(action);
    });
    // A pass that dies on its way writes no verdict.
    if ((mask & 0xffff) !== 0xffff) return;
    const [newest] = plan.deployments;
    const { primary } = this;
    if (newest?.failed && !primary.failed) this.#giveUp(primary);
    else if (newest?.completed) primary.completed = true;
    this.#sweep();
  }

  #act(action: ServiceAction<WorldTask>): void {
    if (action.kind === 'stop') {
      action.task.stopRequested = true;
      action.task.stopCause = { stopCode: action.stopCode, stoppedReason: action.stoppedReason };
      action.task.stoppingAt = this.now;
      return;
    }
    this.tasks.push({
      id: String(++this.#created).padStart(4, '0'),
      deployment: action.deployment,
      slot: action.seat.slot,
      generation: action.seat.generation,
      createdAt: this.now,
      ...(this.placement !== undefined && { placement: this.placement }),
      containers: [
        {
          name: 'app',
          essential: true,
          status: 'PENDING',
          ready: false,
          ...this.#check,
        },
      ],
      ended: false,
      stopRequested: false,
    });
  }

  #giveUp(failing: Mutable<Deployment>): void {
    failing.failed = true;
    if (failing.since !== undefined) return;
    const target = this.deployments
      .filter(({ number, completed, failed }) => number < failing.number && completed && !failed)
      .reduce<Mutable<Deployment> | undefined>((a, b) => (a === undefined || b.number > a.number ? b : a), undefined);
    if (target === undefined) return;
    target.number = failing.number + 0.5;
    target.since = this.now;
    target.completed = false;
  }

  deploy(): void {
    const number = Math.floor(this.primary.number) + 1;
    this.deployments.push({ id: String(++this.#made), number, completed: false });
    const inUse = new Set(this.tasks.map(({ deployment }) => deployment));
    this.deployments = this.deployments.filter(
      ({ id, completed, number: own }) => inUse.has(id) || completed || own === number,
    );
  }

  #sweep(): void {
    const { circuitBreaker, now } = this.input();
    const readable = { tasks: KEPT_FAULTS, seconds: 3600 };
    const { kept } = retainedTasks({ tasks: this.tasks, primary: this.primary, circuitBreaker, readable, now });
    this.tasks = this.tasks.filter((task) => !task.ended || kept.has(task));
  }

  place(task: WorldTask, pick: number): void {
    const open = NODES.filter((node) => !this.draining.has(node));
    task.node = open[pick % Math.max(open.length, 1)];
    if (task.node === undefined) task.unplaceable = '0/3 nodes are available';
    else delete task.unplaceable;
  }

  change(task: WorldTask, fields: Partial<Container>): void {
    task.containers = task.containers.map((container) => ({ ...container, ...fields }));
  }

  run(task: WorldTask): void {
    this.change(task, { status: 'RUNNING', startedAt: this.now });
  }

  end(task: WorldTask, exitCode = 143): void {
    const started = task.containers[0]?.startedAt !== undefined;
    task.ended = true;
    this.change(task, { status: 'STOPPED', ready: false, ...(started && { exitCode, finishedAt: this.now }) });
  }

  /** All that is under way gets there: nodes are back, tasks run and are well, stops are done. */
  settle(): boolean {
    this.draining.clear();
    let moved = false;
    const did = (what: () => void): void => {
      moved = true;
      what();
    };
    for (const task of this.live()) {
      if (task.stopRequested) did(() => this.end(task));
      else if (task.containers[0]?.startFailure !== undefined || task.containers[0]?.status === 'STOPPED') continue;
      else if (task.node === undefined) did(() => this.place(task, this.#created));
      else if (lastStatus(task) === 'PENDING') did(() => this.run(task));
      else if (this.#check !== undefined && !task.containers[0]?.ready) did(() => this.change(task, { ready: true }));
    }
    return moved;
  }
}

type Happening = (world: ServiceWorld, pick: number) => void;

const toOne =
  (
    which: (task: WorldTask) => boolean,
    what: (world: ServiceWorld, task: WorldTask, pick: number) => void,
  ): Happening =>
  (world, pick) => {
    const candidates = world.live().filter(which);
    const task = candidates[pick % Math.max(candidates.length, 1)];
    if (task !== undefined) what(world, task, pick);
  };

const isPending = (task: WorldTask): boolean => !task.stopRequested && lastStatus(task) !== 'RUNNING';
const isPlaced = (task: WorldTask): boolean => task.node !== undefined && isPending(task);
const isRunning = (task: WorldTask): boolean =>
  lastStatus(task) === 'RUNNING' && task.containers[0]?.status === 'RUNNING';
const wait =
  (ms: number): Happening =>
  (world) => {
    world.now += ms;
  };
const place = toOne(
  (task) => isPending(task) && task.node === undefined,
  (world, task, pick) => world.place(task, pick),
);
const run = toOne(isPlaced, (world, task) => world.run(task));
const ready = toOne(isRunning, (world, task) => world.change(task, { ready: true }));
const stopped = toOne(
  ({ stopRequested }) => stopRequested,
  (world, task) => world.end(task),
);
const PERCENTS: readonly (readonly [number, number])[] = [
  [100, 200],
  [50, 200],
  [50, 100],
  [0, 100],
  [100, 125],
  [66, 133],
  [0, 300],
];

/** What is ordinary is there more often. */
const EVENTS: readonly Happening[] = [
  () => {},
  place,
  place,
  place,
  run,
  run,
  run,
  ready,
  ready,
  ready,
  stopped,
  stopped,
  stopped,
  wait(1000),
  wait(1000),
  wait(15_000),
  wait(41_000),
  wait(1_800_000),
  // Everything moves on by one.
  (world, pick) => {
    for (let step = 0; step < world.live().length; step++) {
      for (const move of [stopped, ready, run, place]) move(world, pick + step);
    }
    world.now += 1000;
  },
  toOne(isPlaced, (world, task) => world.change(task, { startFailure: 'CannotPullContainerError: not found' })),
  // The image is gone.
  (world) => {
    for (const task of world.live().filter(isPlaced))
      world.change(task, { startFailure: 'CannotPullContainerError: x' });
  },
  toOne(isRunning, (world, task, pick) => world.end(task, pick % 2)),
  // An essential container that exits beside another that goes on.
  toOne(isRunning, (world, task) =>
    world.change(task, { status: 'STOPPED', ready: false, exitCode: 1, finishedAt: world.now }),
  ),
  toOne(isRunning, (world, task) => world.change(task, { ready: false })),
  toOne(isRunning, (world, task) => {
    world.change(task, { ready: false });
    world.now += 16_000;
  }),
  toOne(
    ({ node, stopRequested }) => node === undefined && !stopRequested,
    (_, task) => {
      task.unplaceable = '0/3 nodes are available';
    },
  ),
  toOne(
    ({ stopRequested }) => !stopRequested,
    (_, task) => {
      task.userStop = '';
    },
  ),
  // Somebody deletes or evicts its pod.
  toOne(
    ({ stopRequested }) => !stopRequested,
    (_, task, pick) => {
      task.stopRequested = true;
      if (pick % 2 === 0) task.disruption = { kind: 'Evicted', message: '' };
    },
  ),
  toOne(
    ({ stopRequested }) => !stopRequested,
    (world, task, pick) => {
      task.protectedUntil = world.now + (pick % 3) * 600_000;
    },
  ),
  (world, pick) => world.draining.add(NODES[pick % NODES.length] as string),
  (world) => world.draining.clear(),
  (world, pick) => {
    const node = NODES[pick % NODES.length] as string;
    for (const task of world.live()) {
      if (task.node !== node) continue;
      task.stopCause ??= hostTerminated(node);
      world.end(task);
    }
  },
  (world, pick) => {
    world.desiredCount = pick % 9;
  },
  (world, pick) => {
    world.percents = PERCENTS[pick % PERCENTS.length] as (typeof PERCENTS)[number];
  },
  (world) => world.deploy(),
  (world, pick) => {
    world.graceSeconds = (pick % 2) * 60;
  },
  (world, pick) => {
    world.breaker = pick % 3 !== 0;
  },
  (world, pick) => {
    world.placement = pick % 2 === 0 ? undefined : `p${pick % 3}`;
  },
];
export const EVENT_KINDS = EVENTS.length;
