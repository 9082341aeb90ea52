/** CreateJobQueue and CreateComputeEnvironment. */
import { BATCH } from '../../aws-model/model.ts';
import {
  approximated,
  BY_ITS_FIELDS,
  combine,
  conditional,
  exact,
  ignored,
  refused,
  refusedByRule,
  type Topic,
  whole,
} from './entry.ts';
import { QUEUE_DISABLED, QUEUE_LIMIT, QUEUE_PRIORITY, QUEUE_ROOM, QUEUE_SPILL, QUEUE_UNMANAGED } from './proofs.ts';

const nodes = ignored('the nodes of this cluster run the jobs; kubernetes.nodeSelector says which');
const noScaling = ignored('Longshore starts no nodes: a cluster autoscaler does, for the pods that wait for one');
const managedInstances = refused('the nodes of this cluster run the jobs; kubernetes.nodeSelector says which');
const eks = refused('the cluster is this one; kubernetes.namespaces says which of its namespaces may use it');
const training = refused('it is for jobs of SageMaker');
const insights = ignored(
  'there is no CloudWatch here: Prometheus scrapes the operator, and the cluster the containers',
);
const tags = ignored('tags stay on the object');

const common: Topic = {
  CreateJobQueueRequest: {
    jobQueueName: exact(QUEUE_SPILL),
    state: approximated('a job that names a DISABLED queue is not refused, but waits and says so', QUEUE_DISABLED),
    schedulingPolicyArn: refusedByRule('a policy is no object here: schedulingPolicy has its fields'),
    priority: exact(QUEUE_PRIORITY),
    computeEnvironmentOrder: BY_ITS_FIELDS,
    serviceEnvironmentOrder: training,
    jobQueueType: ignored('the nodes of this cluster run the jobs, whatever is named'),
    tags,
    jobStateTimeLimitActions: BY_ITS_FIELDS,
  },
  ComputeEnvironmentOrder: { order: exact(QUEUE_SPILL), computeEnvironment: exact(QUEUE_SPILL) },
  JobStateTimeLimitAction: {
    reason: conditional(
      {
        'it is a MISCONFIGURATION': exact(QUEUE_LIMIT),
        'it is CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY': ignored(
          'a job that no node has room for has had its turn: its pod waits for a node, and no longer at the head of the queue',
        ),
      },
      ({ reason }: { reason: string }) =>
        reason.startsWith('MISCONFIGURATION')
          ? 'it is a MISCONFIGURATION'
          : 'it is CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
    ),
    state: exact(QUEUE_LIMIT),
    maxTimeSeconds: exact(QUEUE_LIMIT),
    action: exact(QUEUE_LIMIT),
  },
  CreateComputeEnvironmentRequest: {
    computeEnvironmentName: exact(QUEUE_ROOM),
    type: exact(QUEUE_SPILL),
    state: exact(QUEUE_SPILL),
    unmanagedvCpus: exact(QUEUE_UNMANAGED),
    computeResources: BY_ITS_FIELDS,
    serviceRole: ignored('Longshore needs no role of AWS'),
    tags,
    eksConfiguration: eks,
    context: refused('AWS reserves it'),
    ecsSettings: insights,
  },
  ComputeResource: {
    type: nodes,
    allocationStrategy: nodes,
    minvCpus: noScaling,
    maxvCpus: exact(QUEUE_ROOM),
    desiredvCpus: noScaling,
    instanceTypes: nodes,
    imageId: nodes,
    subnets: nodes,
    securityGroupIds: nodes,
    ec2KeyPair: nodes,
    instanceRole: nodes,
    tags: nodes,
    placementGroup: nodes,
    bidPercentage: nodes,
    spotIamFleetRole: nodes,
    launchTemplate: nodes,
    ec2Configuration: nodes,
    scalingPolicy: noScaling,
    managedInstancesProvider: managedInstances,
    capacityTags: managedInstances,
  },
};

export const queue: Topic = combine(
  common,
  whole(BATCH, training, 'ServiceEnvironmentOrder'),
  whole(BATCH, insights, 'EcsSettings'),
  whole(BATCH, eks, 'EksConfiguration', 'EksAccessEntry'),
  whole(BATCH, nodes, 'LaunchTemplateSpecification', 'LaunchTemplateSpecificationOverride', 'Ec2Configuration'),
  whole(BATCH, noScaling, 'ComputeScalingPolicy'),
  whole(
    BATCH,
    managedInstances,
    'ManagedInstancesProvider',
    'InstanceLaunchTemplate',
    'ManagedInstancesNetworkConfiguration',
    'InstanceRequirementsRequest',
    'ManagedInstancesStorageConfiguration',
    'CapacityReservationRequest',
    'ManagedInstancesLocalStorageConfiguration',
    'InfrastructureOptimization',
  ),
);
