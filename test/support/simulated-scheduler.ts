/** Plays the cluster for a planner: carries its actions out, lets time pass, and keeps what an observer would see. */
import type { Deployment, ServiceAction, ServicePlan, ServiceTask, Start, Stop } from '../../src/ecs/service-plan.ts';

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export interface SimulationOptions<T> {
  /** Time from a task's start to RUNNING and HEALTHY; undefined: it never gets there. Default: 3 s. */
  healthyAfterMs?: (task: T) => number | undefined;
  /** Whether it ends instead, as it cannot start. Default: none does. */
  fails?: (task: T) => boolean;
  /** Time from a stop request to STOPPED. Default: 1 s. */
  stopMs?: number;
}

const CHECK = { interval: 5, retries: 3, startPeriod: 0 };

export abstract class SimulatedScheduler<T extends Mutable<ServiceTask>, Options extends SimulationOptions<T>> {
  now = 1_000_000;
  tasks: T[] = [];
  deployments: [Deployment, ...Deployment[]] = [{ id: '1'.repeat(19), number: 1, completed: false }];
  /** What an observer sees after every pass. */
  readonly history: { live: number; healthy: number; plan: ServicePlan<T> }[] = [];
  readonly #endsAt = new Map<T, number>();
  #created = 0;
  options: Options;

  constructor(options: Options) {
    this.options = options;
  }

  abstract plan(): ServicePlan<T>;

  /** The task that an action starts, where nothing stands against it. */
  protected abstract started(action: Start, made: ServiceTask): T;

  /** One pass: plan, carry out. */
  pass(): ServicePlan<T> {
    const plan = this.plan();
    for (const action of plan.actions) this.#carryOut(action);
    this.history.push({ live: this.live().length, healthy: this.healthy().length, plan });
    return plan;
  }

  /** Passes and lets a second go by until `until` holds; throws when it does not within `seconds`. */
  run(until: (plan: ServicePlan<T>) => boolean, seconds = 600): ServicePlan<T> {
    for (let second = 0; second < seconds; second++) {
      const plan = this.pass();
      if (until(plan)) return plan;
      this.tick(1000);
    }
    throw new Error(`not reached in ${seconds} s: ${JSON.stringify(this.history.at(-1)?.plan.deployments)}`);
  }

  steady(seconds?: number): ServicePlan<T> {
    return this.run((plan) => plan.steady, seconds);
  }

  tick(ms: number): void {
    this.now += ms;
    const { healthyAfterMs = () => 3000, fails = () => false } = this.options;
    for (const task of this.tasks) {
      const after = healthyAfterMs(task);
      const [app] = task.containers;
      const waits = !task.ended && !task.stopRequested && app?.status === 'PENDING';
      if (waits && fails(task)) {
        task.containers = [{ ...app, startFailure: 'CannotPullContainerError: no such image' }];
      } else if (waits && after !== undefined && this.now >= task.createdAt + after) {
        task.containers = [{ ...app, status: 'RUNNING', ready: true, startedAt: this.now }];
      }
      const ends = this.#endsAt.get(task);
      if (ends !== undefined && this.now >= ends && !task.ended) this.end(task, 143);
    }
    // What the scheduler stopped on purpose is swept; what ended by itself stays to be read.
    this.tasks = this.tasks.filter((task) => !task.ended || task.stopCause?.stopCode !== 'ServiceSchedulerInitiated');
  }

  end(task: T, exitCode: number): void {
    task.ended = true;
    task.containers = task.containers.map((container) => ({
      ...container,
      status: 'STOPPED' as const,
      ready: false,
      exitCode,
      finishedAt: this.now,
    }));
  }

  /** A health check fails from now on. */
  sicken(task: T): void {
    task.containers = task.containers.map((container) => ({ ...container, ready: false, startedAt: 0 }));
  }

  live = (): T[] => this.tasks.filter((task) => !task.ended);
  healthy = (): T[] => this.live().filter((task) => !task.stopRequested && task.containers[0]?.ready === true);
  stops = (): Stop<T>[] => this.history.flatMap(({ plan }) => plan.actions).filter((action) => action.kind === 'stop');

  #carryOut(action: ServiceAction<T>): void {
    if (action.kind === 'stop') {
      action.task.stopRequested = true;
      action.task.stopCause = { stopCode: action.stopCode, stoppedReason: action.stoppedReason };
      action.task.stoppingAt = this.now;
      this.#endsAt.set(action.task, this.now + (this.options.stopMs ?? 1000));
      return;
    }
    const { deployment, seat } = action;
    const made: ServiceTask = {
      id: (++this.#created).toString(16).padStart(32, '0'),
      deployment,
      ...seat,
      createdAt: this.now,
      containers: [{ name: 'app', essential: true, healthCheck: CHECK, status: 'PENDING', ready: false }],
      ended: false,
      stopRequested: false,
    };
    this.tasks.push(this.started(action, made));
  }
}
