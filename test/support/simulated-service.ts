/** Plays three nodes and their tasks for the planner of REPLICA services. */
import { planService, type ServicePlan, type ServiceTask, type Start } from '../../src/ecs/service-plan.ts';
import { type Mutable, SimulatedScheduler, type SimulationOptions } from './simulated-scheduler.ts';

type SimulatedTask = Mutable<ServiceTask>;

export interface SimulatedServiceOptions extends SimulationOptions<ServiceTask> {
  desiredCount: number;
  minimumHealthyPercent: number;
  maximumPercent: number;
}

export class SimulatedService extends SimulatedScheduler<SimulatedTask, SimulatedServiceOptions> {
  /** Nodes that are DRAINING: nothing is placed there. */
  readonly draining = new Set<string>();

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

  protected started({ deployment, seat }: Start, made: ServiceTask): SimulatedTask {
    const occupied = this.live().find(
      (task) => task.deployment === deployment && task.slot === seat.slot && !task.stopRequested,
    );
    if (occupied !== undefined) throw new Error(`slot ${seat.slot} already has task ${occupied.id}`);
    const nodes = ['node-0', 'node-1', 'node-2'].filter((node) => !this.draining.has(node));
    return { ...made, node: nodes[Number.parseInt(made.id, 16) % nodes.length] };
  }
}
