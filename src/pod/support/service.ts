/** CreateService. */
import type { DeploymentConfiguration, ServiceSpec } from '../../api/service.ts';
import { ECS } from '../../aws-model/model.ts';
import {
  approximated,
  BY_ITS_FIELDS,
  conditional,
  exact,
  ignored,
  refused,
  refusedByRule,
  type Topic,
  whole,
} from './entry.ts';
import {
  ALARM_BAKE_TIME,
  ALARM_CONDITION,
  ALARM_ROLLBACK,
  BINDING,
  BOUNDS,
  BREAKER,
  BREAKER_RESET,
  DAEMON,
  DESIRED_COUNT,
  GRACE_PERIOD,
  PINNED,
  SERVICE_NAMES,
  TAGS,
  TARGETS,
  ZONE_REBALANCING,
} from './proofs.ts';

const notYet = refused('not taken yet');
const AS_ANNOTATION =
  'on a task they are JSON in the annotation longshore.dev/tags; kubernetes.podLabels gives it labels';
const NO_VPC =
  'tasks get their addresses from the network of this cluster; a NetworkPolicy takes the place of security groups';

export const service: Topic = {
  CreateServiceRequest: {
    serviceName: exact(SERVICE_NAMES),
    cluster: ignored('the namespace stands for the cluster'),
    taskDefinition: conditional(
      {
        'a revision is named': exact(PINNED),
        'only the family is named': approximated(
          'the service follows the newest ACTIVE revision, so that a commit which changes the definition rolls; ECS keeps the one found at the call',
          PINNED,
        ),
      },
      ({ taskDefinition }: ServiceSpec) =>
        /:\d+$/.test(taskDefinition) ? 'a revision is named' : 'only the family is named',
    ),
    desiredCount: exact(DESIRED_COUNT),
    schedulingStrategy: conditional(
      {
        'it is REPLICA': exact(DESIRED_COUNT),
        'it is DAEMON': approximated(
          'nodes reserve nothing for its tasks before they run other pods, where ECS starts daemons first: kubernetes.priorityClassName lets them take their place; on a node that is DRAINING they wait for tasks, not for pods of others; task:group in a constraint is left to the scheduler, under which the task waits on its node',
          DAEMON,
        ),
      },
      ({ schedulingStrategy }: ServiceSpec) => (schedulingStrategy === 'DAEMON' ? 'it is DAEMON' : 'it is REPLICA'),
    ),
    launchType: ignored('the nodes of this cluster run every task; use kubernetes.nodeSelector to choose among them'),
    deploymentConfiguration: BY_ITS_FIELDS,
    healthCheckGracePeriodSeconds: exact(GRACE_PERIOD),
    tags: BY_ITS_FIELDS,
    availabilityZoneRebalancing: exact(ZONE_REBALANCING),
    loadBalancers: BY_ITS_FIELDS,
    serviceRegistries: BY_ITS_FIELDS,
    clientToken: ignored('the name of the object makes a repeated apply harmless'),
    capacityProviderStrategy: notYet,
    platformVersion: ignored('the nodes of this cluster run every task: there is no Fargate platform'),
    role: ignored('no AWS role is needed to register targets in this cluster'),
    networkConfiguration: ignored(NO_VPC),
    deploymentController: conditional(
      { 'its type is ECS': exact(BREAKER), 'it is another': refusedByRule('the deployment controller is ECS') },
      ({ deploymentController }: ServiceSpec) =>
        deploymentController?.type === 'ECS' ? 'its type is ECS' : 'it is another',
    ),
    enableECSManagedTags: approximated(AS_ANNOTATION, TAGS),
    propagateTags: conditional(
      { 'it is NONE': exact(TAGS), 'it is another': approximated(AS_ANNOTATION, TAGS) },
      ({ propagateTags }: ServiceSpec) => (propagateTags === 'NONE' ? 'it is NONE' : 'it is another'),
    ),
    enableExecuteCommand: ignored('kubectl exec enters every container, as far as the rights of its user allow'),
    serviceConnectConfiguration: BY_ITS_FIELDS,
    volumeConfigurations: BY_ITS_FIELDS,
    vpcLatticeConfigurations: notYet,
    gatewayConnectors: notYet,
    monitoring: notYet,
  },
  DeploymentConfiguration: {
    minimumHealthyPercent: exact(BOUNDS),
    maximumPercent: exact(BOUNDS),
    deploymentCircuitBreaker: BY_ITS_FIELDS,
    alarms: BY_ITS_FIELDS,
    strategy: conditional(
      { 'it is ROLLING': exact(BREAKER), 'it is another': refusedByRule('ROLLING is the only strategy yet') },
      ({ strategy }: DeploymentConfiguration) => (strategy === 'ROLLING' ? 'it is ROLLING' : 'it is another'),
    ),
    bakeTimeInMinutes: approximated(
      'AWS computes the bake time of a rolling update from its alarms; here it is what is given, or 5 minutes, and there is none without alarms',
      ALARM_BAKE_TIME,
    ),
    lifecycleHooks: refusedByRule('not taken yet'),
    linearConfiguration: refusedByRule('not taken yet'),
    canaryConfiguration: refusedByRule('not taken yet'),
    earlySuccessCriteria: refusedByRule('not taken yet'),
  },
  DeploymentCircuitBreaker: {
    enable: exact(BREAKER),
    rollback: exact(BREAKER),
    resetOnHealthyTask: exact(BREAKER_RESET),
    thresholdConfiguration: BY_ITS_FIELDS,
  },
  DeploymentAlarms: {
    alarmNames: exact(ALARM_ROLLBACK, ALARM_CONDITION),
    enable: exact(ALARM_ROLLBACK),
    rollback: exact(ALARM_ROLLBACK),
  },
  ThresholdConfiguration: {
    type: exact(BREAKER_RESET),
    value: exact(BREAKER_RESET),
  },
  LoadBalancer: {
    targetGroupArn: exact(TARGETS, BINDING),
    loadBalancerName: refusedByRule('Classic Load Balancers do not exist here'),
    containerName: exact(TARGETS),
    containerPort: exact(TARGETS),
    advancedConfiguration: refusedByRule('not taken yet'),
  },
  ...whole(
    ECS,
    notYet,
    'AdvancedConfiguration',
    'CapacityProviderStrategyItem',
    'DeploymentLifecycleHook',
    'HookDetails',
    'DeploymentLifecycleHookTimeoutConfiguration',
    'LinearConfiguration',
    'CanaryConfiguration',
    'DeploymentEarlySuccessCriteria',
    'DeploymentController',
    'VpcLatticeConfiguration',
    'VpcLatticeAdvancedConfiguration',
    'GatewayConnector',
    'GatewayConnectorHealthCheck',
    'GatewayConnectorHealthCheckMatcher',
    'GatewayConnectorFilters',
    'GatewayConnectorDeregistrationDelay',
    'MonitoringConfiguration',
    'MetricConfiguration',
  ),
  ...whole(ECS, ignored(NO_VPC), 'NetworkConfiguration', 'AwsVpcConfiguration'),
};
