/** Plays nodes and their tasks for the planner of DAEMON services: carries its actions out, and lets time pass. */
import { type DaemonNode, type DaemonTask, nodeOf } from '../../src/ecs/daemon-node.ts';
import { type DaemonPlanInput, planDaemon } from '../../src/ecs/daemon-plan.ts';
import type { Deployment, ServiceAction, ServicePlan, Stop } from '../../src/ecs/service-plan.ts';
import { hostTerminated } from '../../src/ecs/task.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type SimulatedTask = Mutable<DaemonTask>;
export type DaemonAction = ServiceAction<SimulatedTask>;

export interface SimulatedDaemonOptions {
  nodes: number;
  minimumHealthyPercent: number;
  circuitBreaker?: DaemonPlanInput<DaemonTask>['circuitBreaker'];
  /** Time from a task's start to RUNNING and HEALTHY; undefined: it never gets there. */
  healthyAfterMs?: (task: DaemonTask) => number | undefined;
  /** Whether it ends instead, as it cannot start. */
  fails?: (task: DaemonTask) => boolean;
  /** Time from a stop request to STOPPED. */
  stopMs?: number;
}

const CHECK = { interval: 5, retries: 3, startPeriod: 0 };

export class SimulatedDaemon {
  now = 1_000_000;
  tasks: SimulatedTask[] = [];
  deployments: [Deployment, ...Deployment[]] = [{ id: '1'.repeat(19), number: 1, completed: false }];
  readonly nodes = new Map<string, DaemonNode>();
  /** Nodes with tasks of others. */
  readonly busy = new Set<string>();
  placement: string | undefined;
  /** What an observer sees after every pass. */
  readonly history: { live: number; healthy: number; plan: ServicePlan<SimulatedTask> }[] = [];
  readonly #endsAt = new Map<SimulatedTask, number>();
  #created = 0;
  options: SimulatedDaemonOptions;

  constructor(options: SimulatedDaemonOptions) {
    this.options = { ...options };
    for (let index = 0; index < options.nodes; index++) this.nodes.set(`node-${index}`, 'active');
  }

  deploy(): void {
    const number = Math.floor(this.deployments[0].number) + 1;
    this.deployments.unshift({ id: String(number).padStart(19, '1'), number, completed: false });
  }

  plan(): ServicePlan<SimulatedTask> {
    const { minimumHealthyPercent, circuitBreaker } = this.options;
    return planDaemon({
      minimumHealthyPercent,
      ...(circuitBreaker !== undefined && { circuitBreaker }),
      healthCheckGracePeriodSeconds: 0,
      deployments: this.deployments,
      placement: this.placement,
      tasks: this.tasks,
      nodes: this.nodes,
      busy: this.busy,
      now: this.now,
    });
  }

  /** One pass: plan, carry out. */
  pass(): ServicePlan<SimulatedTask> {
    const plan = this.plan();
    for (const action of plan.actions) this.#carryOut(action);
    this.deployments = this.deployments.map((deployment) => {
      const { completed = false, failed = false } = plan.deployments.find(({ id }) => id === deployment.id) ?? {};
      return { ...deployment, completed, failed };
    }) as [Deployment, ...Deployment[]];
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

  /** A health check fails from now on. */
  sicken(task: SimulatedTask): void {
    task.containers = task.containers.map((container) => ({ ...container, ready: false, startedAt: 0 }));
  }

  /** The node goes, and its tasks with it. */
  remove(node: string): void {
    this.nodes.delete(node);
    for (const task of this.live()) {
      if (task.node !== node) continue;
      task.stopCause = hostTerminated(node);
      this.end(task, 137);
    }
  }

  on = (node: string): SimulatedTask[] => this.live().filter((task) => nodeOf(task) === node);
  live = (): SimulatedTask[] => this.tasks.filter((task) => !task.ended);
  healthy = (): SimulatedTask[] =>
    this.live().filter((task) => !task.stopRequested && task.containers[0]?.ready === true);
  stops = (): Stop<SimulatedTask>[] =>
    this.history.flatMap(({ plan }) => plan.actions).filter((action) => action.kind === 'stop');

  #carryOut(action: DaemonAction): void {
    if (action.kind === 'stop') {
      action.task.stopRequested = true;
      action.task.stopCause = { stopCode: action.stopCode, stoppedReason: action.stoppedReason };
      action.task.stoppingAt = this.now;
      this.#endsAt.set(action.task, this.now + (this.options.stopMs ?? 1000));
      return;
    }
    const { node = '', deployment, seat } = action;
    const [there] = this.on(node);
    if (there !== undefined) throw new Error(`${node} has task ${there.id}`);
    if (
      this.tasks.some(
        (task) => task.deployment === deployment && task.slot === seat.slot && task.generation === seat.generation,
      )
    )
      throw new Error(`the name of ${JSON.stringify(seat)} is taken`);
    this.tasks.push({
      id: (++this.#created).toString(16).padStart(32, '0'),
      deployment,
      ...seat,
      target: node,
      node,
      ...(this.placement !== undefined && { placement: this.placement }),
      createdAt: this.now,
      containers: [{ name: 'app', essential: true, healthCheck: CHECK, status: 'PENDING', ready: false }],
      ended: false,
      stopRequested: false,
    });
  }
}
