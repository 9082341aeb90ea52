/** Every field of the inputs that the kinds take, with what becomes of it here. */
import { BATCH, ECS, ELBV2, SCHEDULER, type ServiceModel } from '../../aws-model/model.ts';
import { annotations } from './annotations.ts';
import { cluster } from './cluster.ts';
import { containers } from './containers.ts';
import { combine, type Topic } from './entry.ts';
import { environment } from './environment.ts';
import { health } from './health.ts';
import { job } from './job.ts';
import { network } from './network.ts';
import { placement } from './placement.ts';
import { queue } from './queue.ts';
import { resources } from './resources.ts';
import { runTask } from './run-task.ts';
import { schedule } from './schedule.ts';
import { security } from './security.ts';
import { service } from './service.ts';
import { serviceDiscovery } from './service-discovery.ts';
import { targetGroup } from './target-group.ts';
import { volumes } from './volumes.ts';

/** What the `spec` of a kind is the input of. */
export interface Input {
  readonly model: ServiceModel;
  /** Structures whose fields `spec` has; a BatchJob takes the fields of two. */
  readonly structures: readonly string[];
  readonly table: Topic;
}

const ecs = combine(
  containers,
  environment,
  resources,
  volumes,
  network,
  security,
  health,
  placement,
  annotations,
  service,
  serviceDiscovery,
  runTask,
  cluster,
);

export const INPUTS = {
  TaskDefinition: { model: ECS, structures: ['RegisterTaskDefinitionRequest'], table: ecs },
  Service: { model: ECS, structures: ['CreateServiceRequest'], table: ecs },
  Task: { model: ECS, structures: ['RunTaskRequest'], table: ecs },
  Cluster: { model: ECS, structures: ['CreateClusterRequest'], table: ecs },
  TargetGroup: { model: ELBV2, structures: ['CreateTargetGroupInput'], table: combine(targetGroup) },
  JobQueue: { model: BATCH, structures: ['CreateJobQueueRequest'], table: queue },
  ComputeEnvironment: { model: BATCH, structures: ['CreateComputeEnvironmentRequest'], table: queue },
  ScheduledTask: { model: SCHEDULER, structures: ['CreateScheduleInput'], table: schedule },
  BatchJob: { model: BATCH, structures: ['SubmitJobRequest', 'RegisterJobDefinitionRequest'], table: job },
} as const satisfies Readonly<Record<string, Input>>;
