/** CreateSchedule of EventBridge Scheduler. */
import { SCHEDULER } from '../../aws-model/model.ts';
import {
  approximated,
  BY_ITS_FIELDS,
  combine,
  conditional,
  exact,
  ignored,
  refused,
  type Topic,
  whole,
} from './entry.ts';
import { SCHEDULE_AT, SCHEDULE_ENDS, SCHEDULE_RATE, SCHEDULE_STATE, SCHEDULE_ZONE } from './proofs.ts';

const byAction = refused('target has the input of the action itself, in runTask or submitJob');
const notYet = refused('not taken yet');
const otherTarget = refused('a target runs tasks or a job');

const common: Topic = {
  CreateScheduleInput: {
    name: exact(SCHEDULE_RATE),
    groupName: refused('a namespace stands for the group'),
    scheduleExpression: exact(SCHEDULE_AT, SCHEDULE_RATE),
    startDate: exact(SCHEDULE_RATE),
    endDate: exact(SCHEDULE_ENDS),
    description: ignored('it is for readers of the object'),
    scheduleExpressionTimezone: exact(SCHEDULE_ZONE),
    state: exact(SCHEDULE_STATE),
    kmsKeyArn: refused('the API server keeps the object as it keeps all others'),
    target: BY_ITS_FIELDS,
    flexibleTimeWindow: BY_ITS_FIELDS,
    clientToken: refused('the name of the object is the token'),
    actionAfterCompletion: refused('the object would take the tasks that it runs with it'),
  },
  FlexibleTimeWindow: {
    mode: conditional(
      {
        'it is OFF': exact(SCHEDULE_RATE),
        'it is FLEXIBLE': approximated('every run of one schedule is equally late within the window'),
      },
      ({ mode }: { mode?: string }) => (mode === 'FLEXIBLE' ? 'it is FLEXIBLE' : 'it is OFF'),
    ),
    maximumWindowInMinutes: approximated('every run of one schedule is equally late within the window'),
  },
  Target: {
    arn: byAction,
    roleArn: refused('Longshore needs no role to make a Task or a BatchJob'),
    deadLetterConfig: refused('a run that cannot start is tried again, and said in status and events'),
    retryPolicy: refused('a run that cannot start is tried again until startingDeadlineSeconds or the next run'),
    input: byAction,
    ecsParameters: byAction,
    eventBridgeParameters: otherTarget,
    eventBridgePutEventsV2Parameters: otherTarget,
    eventBridgePutRawEventsParameters: otherTarget,
    kinesisParameters: otherTarget,
    sageMakerPipelineParameters: otherTarget,
    sqsParameters: otherTarget,
  },
};

export const schedule: Topic = combine(
  common,
  whole(SCHEDULER, notYet, 'DeadLetterConfig', 'RetryPolicy'),
  whole(
    SCHEDULER,
    byAction,
    'EcsParameters',
    'NetworkConfiguration',
    'AwsVpcConfiguration',
    'CapacityProviderStrategyItem',
    'PlacementConstraint',
    'PlacementStrategy',
  ),
  whole(
    SCHEDULER,
    otherTarget,
    'EventBridgeParameters',
    'EventBridgePutEventsV2Parameters',
    'EventBridgePutRawEventsParameters',
    'KinesisParameters',
    'SageMakerPipelineParameters',
    'SageMakerPipelineParameter',
    'SqsParameters',
  ),
);
