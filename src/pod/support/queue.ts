/** CreateJobQueue and CreateComputeEnvironment. */
import { BATCH } from '../../aws-model/model.ts';
import { BY_ITS_FIELDS, combine, ignored, refused, refusedByRule, type Topic, whole } from './entry.ts';

const notYet = ignored('queues do not order jobs yet');
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
    jobQueueName: notYet,
    state: notYet,
    schedulingPolicyArn: refusedByRule('a policy is no object here: schedulingPolicy has its fields'),
    priority: notYet,
    computeEnvironmentOrder: BY_ITS_FIELDS,
    serviceEnvironmentOrder: training,
    jobQueueType: ignored('the nodes of this cluster run the jobs, whatever is named'),
    tags,
    jobStateTimeLimitActions: BY_ITS_FIELDS,
  },
  ComputeEnvironmentOrder: { order: notYet, computeEnvironment: notYet },
  JobStateTimeLimitAction: { reason: notYet, state: notYet, maxTimeSeconds: notYet, action: notYet },
  CreateComputeEnvironmentRequest: {
    computeEnvironmentName: notYet,
    type: notYet,
    state: notYet,
    unmanagedvCpus: notYet,
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
    maxvCpus: notYet,
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
