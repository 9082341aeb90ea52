/** Plays nodes and their tasks for the planner of DAEMON services. */
import { type DaemonNode, type DaemonTask, nodeOf } from '../../src/ecs/daemon-node.ts';
import { type DaemonPlanInput, planDaemon } from '../../src/ecs/daemon-plan.ts';
import type { Deployment, ServiceAction, ServicePlan, ServiceTask, Start } from '../../src/ecs/service-plan.ts';
import { hostTerminated } from '../../src/ecs/task.ts';
import { type Mutable, SimulatedScheduler, type SimulationOptions } from './simulated-scheduler.ts';

type SimulatedTask = Mutable<DaemonTask>;
export type DaemonAction = ServiceAction<SimulatedTask>;

export interface SimulatedDaemonOptions extends SimulationOptions<DaemonTask> {
  nodes: number;
  minimumHealthyPercent: number;
  circuitBreaker?: DaemonPlanInput<DaemonTask>['circuitBreaker'];
}

export class SimulatedDaemon extends SimulatedScheduler<SimulatedTask, SimulatedDaemonOptions> {
  readonly nodes = new Map<string, DaemonNode>();
  /** Nodes with tasks of others. */
  readonly busy = new Set<string>();
  placement: string | undefined;

  constructor(options: SimulatedDaemonOptions) {
    super({ ...options });
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

  override pass(): ServicePlan<SimulatedTask> {
    const plan = super.pass();
    this.deployments = this.deployments.map((deployment) => {
      const { completed = false, failed = false } = plan.deployments.find(({ id }) => id === deployment.id) ?? {};
      return { ...deployment, completed, failed };
    }) as [Deployment, ...Deployment[]];
    return plan;
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

  protected started({ node = '', deployment, seat }: Start, made: ServiceTask): SimulatedTask {
    const [there] = this.on(node);
    if (there !== undefined) throw new Error(`${node} has task ${there.id}`);
    const isTaken = this.tasks.some(
      (task) => task.deployment === deployment && task.slot === seat.slot && task.generation === seat.generation,
    );
    if (isTaken) throw new Error(`the name of ${JSON.stringify(seat)} is taken`);
    return { ...made, target: node, node, ...(this.placement !== undefined && { placement: this.placement }) };
  }
}
