/** The tests that show what a field does on a real container or API server; a test checks that each of them exists. */

const nodeFields = (title: string): string => `test/node/fields.test.ts > ${title}`;
const nodeRuntime = (title: string): string => `test/node/fields-runtime.test.ts > ${title}`;
const nodeStorage = (title: string): string => `test/node/fields-storage.test.ts > ${title}`;
const nodeService = (title: string): string => `test/node/service.test.ts > ${title}`;
const nodeOrder = (title: string): string => `test/node/depends-on.test.ts > ${title}`;
const nodeJob = (title: string): string => `test/node/batch-job.test.ts > ${title}`;
const nodeJobDefinition = (title: string): string => `test/node/batch-job-definition.test.ts > ${title}`;
const clusterService = (title: string): string => `test/cluster/service.test.ts > ${title}`;
const clusterTask = (title: string): string => `test/cluster/run-task.test.ts > ${title}`;
const nodeTask = (title: string): string => `test/node/run-task.test.ts > ${title}`;
const clusterDefinition = (title: string): string => `test/cluster/task-definition.test.ts > ${title}`;
const clusterPlacement = (title: string): string => `test/cluster/placement.test.ts > ${title}`;
const clusterJob = (title: string): string => `test/cluster/batch-job.test.ts > ${title}`;

const breaker = (title: string): string => `test/cluster/circuit-breaker.test.ts > ${title}`;
export const BREAKER = breaker(
  'rolls a failing revision back, never below the lower bound, and says so until the next deployment',
);
export const BREAKER_RESET = breaker(
  'counts up to the threshold given, healthy tasks notwithstanding where they are not to reset it',
);
const alarms = (title: string): string => `test/cluster/deployment-alarms.test.ts > ${title}`;
export const ALARM_ROLLBACK = alarms(
  'rolls a revision back when a query gives a result, and starts none of it before it has asked',
);
export const ALARM_CONDITION = alarms('may be the condition of any object');
export const ALARM_BAKE_TIME = alarms('holds a deployment IN_PROGRESS through the bake time, and fails it there, too');
const images = (title: string): string => `test/cluster/image-digests.test.ts > ${title}`;
export const IMAGE_PINNED = images(
  'pins the tag of an image by its first task, until the next deployment, and at once in a rollback',
);
export const IMAGE_TAG = images('leaves a tag what it is where versionConsistency is disabled');
export const TAGS = clusterService('gives its tasks the tags that it propagates, and those that ECS manages');

/** What a container is made of. */
export const PROCESS = nodeFields('runs entry point and command by the rule of Docker');
export const DIRECTORY_AND_TERMINAL = nodeFields('starts in the directory, with the terminal and the input asked for');
export const USER = nodeFields('runs as the user and group asked for');
export const SECURITY = nodeFields('gives the rights asked for and no others');
export const ENVIRONMENT = nodeFields('passes variables as they are, and the last of a name');
export const RESOURCES = nodeFields('bounds containers and the task by their CPU and memory');
export const VOLUMES = nodeFields('mounts volumes of the node and of the task where and how they are asked for');
export const NETWORK = nodeFields('has one address, and is reached by the ports of the node that it maps');
const targets = (title: string): string => `test/cluster/load-balancers.test.ts > ${title}`;
export const TARGETS = targets('registers its tasks in every target group, and drains those that stop before they end');
export const BINDING =
  'test/cluster/target-group-binding.test.ts > waits for the controller, and has its binding before its first pod; load balancers decide what is healthy';
export const TARGET_CHECK = targets('checks its targets as each target group has it');

export const HOST_PORTS =
  'test/cluster/host-ports.test.ts > that are fixed are each on a node once, whoever asks; dynamic ones are on none';
export const HOST_NETWORK = nodeFields('is on the network of the node where it asks for it');
export const EXAMPLE = nodeService(
  'runs WordPress and MySQL of the examples: the link resolves, the host port answers',
);

export const KERNEL = nodeRuntime('has the capabilities, kernel parameters and memory file systems asked for');
export const KERNEL_REFUSED = nodeRuntime('does not start on a node that does not allow a kernel parameter');
export const NAMES_GIVEN = nodeRuntime('knows the names, servers and domains it is given');
export const NAMESPACES = nodeRuntime('sees the processes of its task, or of the node, where it asks for them');
export const INIT_PROCESS = nodeRuntime(
  'has an init process that ends with SIGTERM what does not handle it, and collects orphans',
);
export const PLACEMENT = nodeRuntime('runs only on nodes of its platform, with as many GPUs as it needs');
export const WITHOUT_POD_RESOURCES =
  'test/cluster/cluster-features.test.ts > spreads what a task may use over its containers, and says so';
export const MEMBER_OF = clusterPlacement('runs on nodes that every expression means, and waits where there is none');
export const NO_WORD = clusterPlacement('starts nothing where the scheduler has no word for what it asks, and says so');
export const DISTINCT_INSTANCE = clusterPlacement('has a node of its own for each task, and says why others wait');
export const BINPACK = clusterPlacement(
  'fills a node before it takes the next by binpack, in each of the zones where it is to be spread first',
);
export const SPREAD = clusterPlacement('is spread evenly over zones and the nodes in them');
/** Where variables and files come from. */
export const SECRETS = nodeStorage('gets secrets from Secrets: by name, by ARN, by json-key, by mapping');
export const ENVIRONMENT_FILES = nodeStorage(
  'reads environment files as ECS does, and gives their variables the place that ECS gives them',
);
export const ROLE = nodeStorage('runs as the ServiceAccount of its role, from the image that the Cluster names');
export const HOST_PATHS = nodeStorage(
  'mounts paths of the node that are there, files and sockets too, and makes those that are not',
);
export const DOCKER_VOLUMES = nodeStorage('has Docker volumes: its own, in memory, and shared ones that outlive it');
export const LAUNCH_VOLUMES = nodeStorage(
  'has the volume that its Service configures at launch, and no longer than its pod',
);
export const FILE_SYSTEMS = nodeStorage(
  'has file systems where the Cluster says they are, from the directory asked for',
);

/** How tasks live. */
export const RESTART = nodeRuntime(
  'is restarted in place by its restart policy, and ends where ECS would not restart it',
);
export const ESSENTIAL = nodeService(
  'ends a task whose essential container exits with 3: its sidecar gets SIGTERM, codes and logs stay, a new task runs',
);
export const STOP_TIMEOUT = nodeFields('is killed when it has not ended stopTimeout after SIGTERM');
export const NOT_ESSENTIAL = nodeService('changes nothing when a container that is not essential exits with 1');
export const HEALTH = nodeService(
  'counts a task as healthy when its check passes, and replaces one that turns unhealthy start first',
);
export const IMAGE = nodeService('stops a task whose image cannot be pulled, says so, and slows down');
export const ROLLOUT = nodeService(
  'rolls real containers to a new revision within the bounds, and leaves none of the old',
);

/** dependsOn. */
export const ORDER = nodeOrder(
  'SUCCESS, COMPLETE and START behind them hold back only what waits, and leave no trace in it',
);
export const ORDER_INIT = nodeOrder(
  'SUCCESS, where everything waits, is an init container, and needs no write of the operator',
);
export const ORDER_FAILED = nodeOrder(
  'SUCCESS that fails stops the task: the container that waited never ran and has 143',
);
export const ORDER_HEALTHY = nodeOrder('HEALTHY opens when the check passes, and is a gate for the start only');
export const ORDER_START_FAILED = nodeOrder(
  'START on a container that is not essential and cannot start keeps what waits from running',
);
export const START_TIMEOUT = nodeOrder(
  'HEALTHY that is not reached within startTimeout stops a task whose essential container waits',
);

/** Names, references, services. */
export const NAMES = clusterDefinition('takes the names of AWS, and gives objects and labels DNS names');
export const COMPATIBILITIES = clusterDefinition('is held to the launch types that it requires');
export const SERVICE_NAMES = clusterService('and another of the same AWS name in lower case keep to their own tasks');
export const DESIRED_COUNT = clusterService('reaches its desired count, says so, and then writes nothing more');
export const PINNED = clusterService(
  'keeps a pinned revision when the definition changes, while one that follows the family rolls',
);
export const BOUNDS = 'test/cluster/rollouts.test.ts > from 5 to 10 tasks at 50/200 keeps both bounds at every moment';
export const DAEMON =
  'test/cluster/daemon.test.ts > has one task on each node, follows nodes that come, change and go, and has no PodDisruptionBudget';
export const ZONE_REBALANCING =
  'test/cluster/zone-rebalancing.test.ts > moves to a zone that comes, start first, and says so in the words of AWS';
export const GRACE_PERIOD = nodeService('lets failed health checks be in the grace period of the service');

export const CLUSTER_NAME = 'test/cluster/cluster-kind.test.ts > is Ready, and shows what the namespace stands for';

/** Tasks that are run once. */
export const RUN_TASK_COUNT = clusterTask('runs its count of tasks once, and is Complete when all have ended with 0');
export const RUN_TASK_PINNED = clusterTask('runs the newest revision at the time it is made, and keeps to it');
export const RUN_TASK_STARTED_BY = clusterTask('shows on its tasks the group, and who started them');
export const RUN_TASK_VOLUME = clusterTask('has the volume that it configures at launch, which goes with its pod');
export const RUN_TASK_NO_ROOM = clusterTask(
  'fails with the reason where no node has room, and waits with capacityProviderStrategy or launchType FARGATE',
);
export const RUN_TASK_SPREAD = clusterTask('spreads over the nodes when nothing else is asked for');
export const RUN_TASK_DISTINCT = clusterTask(
  'gives each task a node of its own by distinctInstance, and says which finds none',
);
export const RUN_TASK_OVERRIDES = nodeTask('runs with the overrides of its containers and of the task');

/** Jobs. */
export const ARRAY = nodeJob('as an array of 5 runs each child with its own index');
export const RETRY = nodeJob('that exits with 7 is tried as often as it may be, and its logs stay');
export const JOB_IMAGE = nodeJob('whose image cannot be pulled uses up its attempts');
export const JOB_CONTAINER = nodeJob('runs its container with the properties and overrides given');
export const JOB_DEFINITION = nodeJobDefinition(
  'gives its container all that its definition says, as a task definition does',
);
export const JOB_CONTAINERS = nodeJobDefinition(
  'of several containers waits as dependsOn says, and ends as its essential container does',
);
export const JOB_TAGS = nodeJobDefinition(
  'of a task definition runs with overrides of its containers, and gives its task its tags',
);
export const JOB_GPU = clusterJob('takes the GPUs that it needs, no node without them');
const clusterDependencies = (title: string): string => `test/cluster/batch-dependencies.test.ts > ${title}`;
export const JOB_RETRY_RULES = clusterDependencies('is tried again after the exits that its rules say, and no others');
export const JOB_RETRY_HOST = clusterDependencies(
  'is tried again after the loss of its host only, as the best practices of AWS have it',
);
export const JOB_DEPENDENCY = clusterDependencies('waits for them, says for which, and starts when all have succeeded');
export const JOB_N_TO_N = clusterDependencies(
  'N_TO_N starts each child after its twin, and fails those whose twin has failed',
);
export const JOB_SEQUENTIAL = clusterDependencies(
  'SEQUENTIAL runs its children one after another, and none after one that failed',
);
export const JOB_TIMEOUT = nodeJob('is stopped when an attempt runs longer than its timeout');
export const JOB_STATUS = clusterJob('that exits with 0 is SUCCEEDED and Complete, with its one attempt');

/** Names under which services are found. */
const discovery = (title: string): string => `test/cluster/service-discovery.test.ts > ${title}`;
export const REGISTRY = discovery('is found by its registry: a headless core Service has the addresses of its tasks');
export const REGISTRY_PORT = discovery('has the port of its registry in SRV records, mapped or not');
export const ALIAS = discovery('is found by its client aliases, for as long as it has them');
export const ALIAS_PORTS = discovery('has one name for several ports, each with the name and protocol of its mapping');
export const ALIAS_DOMAIN = discovery('says which name of a Cloud Map namespace does not resolve, and what does');

const scheduledTask = (title: string): string => `test/cluster/scheduled-task.test.ts > ${title}`;

export const SCHEDULE_AT = scheduledTask('runs once at a time of its time zone, and has then no more runs');
export const SCHEDULE_RATE = scheduledTask('runs at its start date and then at its rate, whatever it is called');
export const SCHEDULE_ZONE = scheduledTask('runs once at a time of its time zone, and has then no more runs');
export const SCHEDULE_ENDS = scheduledTask('has no run from its end date on');
export const SCHEDULE_STATE = scheduledTask('makes up for nothing that was due while it was DISABLED');

const jobQueue = (title: string): string => `test/cluster/job-queue.test.ts > ${title}`;

export const QUEUE_ROOM = jobQueue(
  'starts as many children as its compute environment has room for, and the next where one ends',
);
export const QUEUE_PRIORITY = jobQueue('of the higher priority goes first where two share an environment');
export const QUEUE_FAIR = jobQueue('gives shares what their weights say');
export const QUEUE_RANK = jobQueue('takes of one share what has the highest schedulingPriority first');
export const QUEUE_LIMIT = jobQueue(
  'says what a job needs that no environment of it ever has, and cancels it when its time is over',
);
export const QUEUE_DISABLED = jobQueue('that is DISABLED takes no new jobs, and goes on with those it has');
export const QUEUE_NAME = jobQueue(
  'is found by its name or ARN; jobs wait for one that is not there, also where it has gone',
);
export const QUEUE_SPILL = jobQueue(
  'goes through its environments in their order, and gives the next what one has no room for',
);
export const QUEUE_UNMANAGED = jobQueue(
  'keeps its computeReservation free of what an UNMANAGED environment says it has',
);
