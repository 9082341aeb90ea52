/** SubmitJob, and what a job definition (RegisterJobDefinition) has. */
import { BATCH } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, combine, exact, refused, type Topic, whole } from './entry.ts';
import { jobContainer, ofSeveralNodes } from './job-container.ts';
import {
  ARRAY,
  JOB_DEPENDENCY,
  JOB_N_TO_N,
  JOB_RETRY_HOST,
  JOB_RETRY_RULES,
  JOB_SEQUENTIAL,
  JOB_STATUS,
  JOB_TAGS,
  JOB_TIMEOUT,
  QUEUE_FAIR,
  QUEUE_NAME,
  QUEUE_RANK,
  QUEUE_ROOM,
  RETRY,
} from './proofs.ts';

const share = approximated(
  'AWS does not say how it averages what a share has used; a job without one in a queue of fair shares, or with one in another, is not refused, but waits and says so',
  QUEUE_FAIR,
);
const ofEks = refused(
  'it describes a pod of EKS: write the job with containerProperties, ecsProperties or a taskDefinition',
);
const consumables = refused('nothing here counts consumable resources');
const tags = approximated(
  'tags stay on the object; tasks of a job with propagateTags have them as JSON in the annotation longshore.dev/tags',
  JOB_TAGS,
);
const oneObject = refused(
  'a BatchJob has the job definition in itself: containerProperties, ecsProperties, or a taskDefinition',
);

const common: Topic = {
  SubmitJobRequest: {
    jobName: exact(JOB_STATUS),
    jobQueue: approximated(
      'in a namespace without JobQueues the job starts at once, whatever it names; one that names a queue which is not there is not refused, but waits and says so',
      QUEUE_ROOM,
      QUEUE_NAME,
    ),
    jobDefinition: oneObject,
    parameters: exact(ARRAY),
    containerOverrides: BY_ITS_FIELDS,
    arrayProperties: BY_ITS_FIELDS,
    retryStrategy: BY_ITS_FIELDS,
    timeout: BY_ITS_FIELDS,
    dependsOn: BY_ITS_FIELDS,
    shareIdentifier: share,
    schedulingPriorityOverride: exact(QUEUE_RANK),
    nodeOverrides: ofSeveralNodes,
    propagateTags: tags,
    tags,
    eksPropertiesOverride: ofEks,
    ecsPropertiesOverride: BY_ITS_FIELDS,
    consumableResourcePropertiesOverride: consumables,
  },
  RegisterJobDefinitionRequest: {
    jobDefinitionName: oneObject,
    type: oneObject,
    parameters: exact(ARRAY),
    containerProperties: BY_ITS_FIELDS,
    retryStrategy: BY_ITS_FIELDS,
    timeout: BY_ITS_FIELDS,
    schedulingPriority: exact(QUEUE_RANK),
    nodeProperties: ofSeveralNodes,
    propagateTags: tags,
    tags,
    platformCapabilities: approximated(
      "the definition has to keep to the rules of what is named, Fargate's sizes included; the nodes of this cluster then run it, whatever is named",
    ),
    eksProperties: ofEks,
    ecsProperties: BY_ITS_FIELDS,
    consumableResourceProperties: consumables,
  },
  ArrayProperties: { size: exact(ARRAY) },
  RetryStrategy: { attempts: exact(RETRY), evaluateOnExit: BY_ITS_FIELDS },
  EvaluateOnExit: {
    action: exact(JOB_RETRY_RULES),
    onExitCode: exact(JOB_RETRY_RULES),
    onReason: exact(JOB_RETRY_RULES, JOB_RETRY_HOST),
    onStatusReason: exact(JOB_RETRY_HOST, JOB_RETRY_RULES),
  },
  JobDependency: { jobId: exact(JOB_DEPENDENCY), type: exact(JOB_N_TO_N, JOB_SEQUENTIAL) },
  JobTimeout: { attemptDurationSeconds: exact(JOB_TIMEOUT) },
};

const never: Topic = {
  ...whole(BATCH, ofSeveralNodes, 'NodeProperties', 'NodeRangeProperty', 'NodeOverrides', 'NodePropertyOverride'),
  ...whole(
    BATCH,
    ofEks,
    'EksProperties',
    'EksPodProperties',
    'ImagePullSecret',
    'EksContainer',
    'EksContainerEnvironmentVariable',
    'EksContainerResourceRequirements',
    'EksContainerVolumeMount',
    'EksContainerSecurityContext',
    'EksContainerLinuxCapabilities',
    'EksSeccompProfile',
    'EksVolume',
    'EksHostPath',
    'EksEmptyDir',
    'EksSecret',
    'EksPersistentVolumeClaim',
    'EksMetadata',
    'EksPodSecurityContext',
    'EksPropertiesOverride',
    'EksPodPropertiesOverride',
    'EksContainerOverride',
  ),
  ...whole(BATCH, consumables, 'ConsumableResourceProperties', 'ConsumableResourceRequirement'),
};

export const job: Topic = combine(common, jobContainer, never);
