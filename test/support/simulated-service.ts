/** Plays the cluster for the service planner: carries its actions out, lets time pass, and keeps what an observer would see. */
import {
  type Deployment,
  planService,
  type ServiceAction,
  type ServicePlan,
  type ServiceTask,
} from '../../src/ecs/service-plan.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type SimulatedTask = Mutable<ServiceTask>;

export interface SimulatedServiceOptions {
  desiredCount: number;
  minimumHealthyPercent: number;
  maximumPercent: number;
  /** Time from a task's start to RUNNING and HEALTHY; undefined: it never gets healthy. */
  healthyAfterMs?: (task: ServiceTask) => number | undefined;
  /** Time from a stop request to STOPPED. */
  stopMs?: number;
}

const CHECK = { interval: 5, retries: 3, startPeriod: 0 };

export class SimulatedService {
  now = 1_000_000;
  tasks: SimulatedTask[] = [];
  deployments: [Deployment, ...Deployment[]] = [{ id: '1'.repeat(19), number: 1, completed: false }];
  /** What an observer sees after every pass. */
  readonly history: { live: number; healthy: number; plan: ServicePlan<SimulatedTask> }[] = [];
  /** Nodes that are DRAINING: nothing is placed there. */
  readonly draining = new Set<string>();
  readonly #endsAt = new Map<SimulatedTask, number>();
  #created = 0;
  options: SimulatedServiceOptions;

  constructor(options: SimulatedServiceOptions) {
    this.options = options;
  }

  deploy(): void {
    const number = this.deployments[0].number + 1;
    this.deployments.unshift({ id: String(number).repeat(19).slice(0, 19), number, completed: false });
  }

  plan(): ServicePlan<SimulatedTask> {
    const { desiredCount, minimumHealthyPercent, maximumPercent } = this.options;
    return planService({
      desiredCount,
      minimumHealthyPercent,
      maximumPercent,
      healthCheckGracePeriodSeconds: 0,
      deployments: this.deployments,
      tasks: this.tasks,
      draining: this.draining,
      now: this.now,
    });
  }

  /** One pass: plan, carry out. */
  pass(): ServicePlan<SimulatedTask> {
    const plan = this.plan();
    for (const action of plan.actions) this.#carryOut(action);
    this.history.push({ live: this.live().length, healthy: this.healthy().length, plan });
    return plan;
  }

  /** Passes and lets a second go by until `until` holds; throws when it does not within `seconds`. */
  run(until: (plan: ServicePlan<SimulatedTask>) => boolean, seconds = 600): ServicePlan<SimulatedTask> {
    for (let second = 0; second < seconds; second++) {
      const plan = this.pass();
      if (until(plan)) return plan;
      this.tick(1000);
    }
    throw new Error(`not reached in ${seconds} s: ${JSON.stringify(this.history.at(-1)?.plan.deployments)}`);
  }

  steady(seconds?: number): ServicePlan<SimulatedTask> {
    return this.run((plan) => plan.steady, seconds);
  }

  tick(ms: number): void {
    this.now += ms;
    const healthyAfter = this.options.healthyAfterMs ?? (() => 3000);
    for (const task of this.tasks) {
      const after = healthyAfter(task);
      const [app] = task.containers;
      if (!task.ended && !task.stopRequested && after !== undefined && app?.status === 'PENDING') {
        if (this.now >= task.createdAt + after) {
          task.containers = [{ ...app, status: 'RUNNING', ready: true, startedAt: this.now }];
        }
      }
      const ends = this.#endsAt.get(task);
      if (ends !== undefined && this.now >= ends) this.end(task, 143);
    }
    // What the scheduler stopped on purpose is swept; what ended by itself stays to be read.
    this.tasks = this.tasks.filter((task) => !task.ended || task.stopCause?.stopCode !== 'ServiceSchedulerInitiated');
  }

  end(task: SimulatedTask, exitCode: number): void {
    task.ended = true;
    task.containers = task.containers.map((container) => ({
      ...container,
      status: 'STOPPED' as const,
      ready: false,
      exitCode,
      finishedAt: this.now,
    }));
  }

  live = (): SimulatedTask[] => this.tasks.filter((task) => !task.ended);
  healthy = (): SimulatedTask[] =>
    this.live().filter((task) => !task.stopRequested && task.containers[0]?.ready === true);

  #place(): string | undefined {
    const nodes = ['node-0', 'node-1', 'node-2'].filter((node) => !this.draining.has(node));
    return nodes[this.#created % nodes.length];
  }

  #carryOut(action: ServiceAction<SimulatedTask>): void {
    if (action.kind === 'stop') {
      action.task.stopRequested = true;
      action.task.stopCause = { stopCode: action.stopCode, stoppedReason: action.stoppedReason };
      action.task.stoppingAt = this.now;
      this.#endsAt.set(action.task, this.now + (this.options.stopMs ?? 1000));
      return;
    }
    const occupied = this.live().find(
      (task) => task.deployment === action.deployment && task.slot === action.seat.slot && !task.stopRequested,
    );
    if (occupied !== undefined) throw new Error(`slot ${action.seat.slot} already has task ${occupied.id}`);
    this.tasks.push({
      id: (++this.#created).toString(16).padStart(32, '0'),
      deployment: action.deployment,
      ...action.seat,
      createdAt: this.now,
      node: this.#place(),
      containers: [{ name: 'app', essential: true, healthCheck: CHECK, status: 'PENDING', ready: false }],
      ended: false,
      stopRequested: false,
    });
  }
}
