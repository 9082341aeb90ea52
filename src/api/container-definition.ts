import { z } from 'zod';
import { awsName, flag, integer, list, type Parsed, textMap, withRules } from './schema.ts';

const environmentVariableSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(4096)
    .regex(/^[ -<>-~]+$/)
    .describe('Name of the variable: printable ASCII without `=`.'),
  value: z.string().max(65536).default('').describe('Value of the variable. Default: empty.'),
});

/** `[{name, value}]` as ECS and Batch take it. */
export const environmentSchema = (item = environmentVariableSchema) =>
  list(item, 1000).describe(
    'Variables passed to the container, at most 1000; of two with one name the last counts. Never put credentials here. AWS: KeyValuePair[].',
  );
export { environmentVariableSchema };

export const mountPointSchema = z
  .strictObject({
    sourceVolume: awsName().describe('Name of a volume of the same definition.'),
    containerPath: z.string().min(1).max(4096).describe('Path in the container where the volume is mounted.'),
    readOnly: flag().describe('Whether the container may only read the volume. Default: false.'),
  })
  .describe('A volume mounted into the container. AWS: MountPoint.');

const portMappingSchema = z
  .strictObject({
    containerPort: integer(1, 65535).describe('Port that the container listens on, 1 to 65535.'),
    hostPort: integer(0, 65535)
      .optional()
      .describe(
        'Port on the node. With networkMode awsvpc or host: absent or equal to containerPort. With bridge: a fixed port, or 0 or absent for a port chosen at run time.',
      ),
    protocol: z.enum(['tcp', 'udp']).default('tcp').describe('tcp (default) or udp.'),
    name: z
      .string()
      .min(1)
      .max(64)
      .regex(/^[a-z0-9_][a-z0-9_-]*$/)
      .optional()
      .describe('Name of the mapping: at most 64 of a-z, 0-9, _ and -, not starting with -.'),
  })
  .describe('A port that the container listens on. AWS: PortMapping.');

const dependencySchema = z
  .strictObject({
    containerName: awsName().describe('Name of the container that this one waits for.'),
    condition: z
      .enum(['START', 'COMPLETE', 'SUCCESS', 'HEALTHY'])
      .describe(
        'START: it has started. COMPLETE: it has ended, with any code. SUCCESS: it has ended with 0. HEALTHY: its healthCheck has passed.',
      ),
  })
  .describe(
    'A container that must reach a condition before this one starts; it is also stopped after this one. AWS: ContainerDependency.',
  );

const healthCheckSchema = withRules(
  z.strictObject({
    command: z
      .array(z.string().max(65536))
      .min(1)
      .max(100)
      .describe(
        'What is run in the container; exit code 0 is healthy. First element CMD (the rest is the program and its arguments) or CMD-SHELL (the rest is one shell command).',
      ),
    interval: integer(5, 300).default(30).describe('Seconds between two checks, 5 to 300. Default: 30.'),
    timeout: integer(2, 60).default(5).describe('Seconds after which a check counts as failed, 2 to 60. Default: 5.'),
    retries: integer(1, 10)
      .default(3)
      .describe('Failures in a row that make the container UNHEALTHY, 1 to 10. Default: 3.'),
    startPeriod: integer(0, 300)
      .default(0)
      .describe('Seconds after the start in which failures do not count, 0 to 300. Default: 0.'),
  }),
  {
    message:
      'the first element of a health check command must be CMD or CMD-SHELL, and something to run must follow it',
    holds: ({ command }) => (command[0] === 'CMD' || command[0] === 'CMD-SHELL') && command.length > 1,
    cel: "self.command[0] in ['CMD', 'CMD-SHELL'] && size(self.command) > 1",
    field: 'command',
  },
).describe(
  'How the health of the container is found out. The HEALTHCHECK of the image is ignored, as in ECS. AWS: HealthCheck.',
);

const ulimitSchema = z
  .strictObject({
    name: z
      .enum([
        'core',
        'cpu',
        'data',
        'fsize',
        'locks',
        'memlock',
        'msgqueue',
        'nice',
        'nofile',
        'nproc',
        'rss',
        'rtprio',
        'rttime',
        'sigpending',
        'stack',
      ])
      .describe('Which limit, as in setrlimit(2).'),
    softLimit: integer(-1).describe('Limit that applies until the process raises it. -1: none.'),
    hardLimit: integer(-1).describe('Limit up to which the process may raise the soft limit. -1: none.'),
  })
  .describe('A resource limit of the processes of the container. AWS: Ulimit.');

const logConfigurationSchema = z
  .strictObject({
    logDriver: z
      .enum(['json-file', 'syslog', 'journald', 'gelf', 'fluentd', 'awslogs', 'splunk', 'awsfirelens'])
      .describe('Log driver. On Kubernetes the node keeps what the container writes; kubectl logs shows it.'),
    options: textMap(100).describe('Options of the log driver, at most 100.'),
    secretOptions: list(
      z.strictObject({
        name: z.string().min(1).max(512).describe('Name of the option.'),
        valueFrom: z.string().min(1).max(2048).describe('ARN of the secret that has the value.'),
      }),
      100,
    ).describe('Options whose values come from secrets, at most 100.'),
  })
  .describe('Where the output of the container goes. AWS: LogConfiguration.');

/** One container of a task. AWS: ContainerDefinition (`ecs-semantics` §1.3). */
export const containerDefinitionSchema = withRules(
  z.strictObject({
    name: awsName().describe('Name of the container, unique in the task: at most 255 letters, digits, - and _.'),
    image: z
      .string()
      .min(1)
      .max(512)
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.:/#@-]*$/)
      .describe('Image to run: repository[:tag] or repository@digest.'),
    cpu: integer(0, 196608)
      .default(0)
      .describe('CPU units reserved; 1024 are one vCPU. A share, not a limit. Default: 0.'),
    memory: integer(4)
      .optional()
      .describe(
        'Hard memory limit in MiB, at least 4: beyond it the container is killed. Required here or as memoryReservation when the task has no memory.',
      ),
    memoryReservation: integer(4).optional().describe('Memory reserved in MiB, at least 4. Not more than memory.'),
    links: list(
      z
        .string()
        .min(1)
        .max(512)
        .regex(/^[A-Za-z0-9_-]+(:[A-Za-z0-9_.-]+)?$/),
      10,
    ).describe(
      'Containers of the task that this one reaches by name, as name or name:alias, at most 10. Only with networkMode bridge; they start before this one.',
    ),
    portMappings: list(portMappingSchema, 100).describe('Ports that the container listens on, at most 100.'),
    essential: z
      .boolean()
      .default(true)
      .describe(
        'Whether the end of this container ends the task. Default: true. At least one container must be essential.',
      ),
    entryPoint: list(z.string().max(65536), 1000).describe(
      "Takes the place of the image's ENTRYPOINT, and discards its CMD. Absent or empty: the image's.",
    ),
    command: list(z.string().max(65536), 1000).describe(
      "Takes the place of the image's CMD. Absent or empty: the image's.",
    ),
    environment: environmentSchema(),
    mountPoints: list(mountPointSchema, 30).describe('Volumes mounted into the container, at most 30.'),
    volumesFrom: list(
      z.strictObject({
        sourceContainer: awsName().describe('Name of the container whose mounts are taken over.'),
        readOnly: flag().describe('Whether this container may only read them. Default: false.'),
      }),
      10,
    ).describe('Containers whose mounts this one takes over at the same paths, at most 10. AWS: VolumeFrom[].'),
    dependsOn: list(dependencySchema, 10).describe(
      'What this container waits for before it starts, at most 10 entries.',
    ),
    stopTimeout: integer(1, 86400)
      .default(30)
      .describe('Seconds between SIGTERM and SIGKILL, from 1 (Fargate: 2 to 120). Default: 30.'),
    healthCheck: healthCheckSchema.optional(),
    dockerLabels: textMap(100).describe('Docker labels, at most 100; kept as annotations of the pod.'),
    logConfiguration: logConfigurationSchema.optional(),
    ulimits: list(ulimitSchema, 20).describe('Resource limits of the processes, at most 20. AWS: Ulimit[].'),
    hostname: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe('Host name of the container. Not with networkMode awsvpc.'),
    user: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe("User to run as: user, user:group, uid, uid:gid, user:gid or uid:group. Default: the image's."),
    workingDirectory: z.string().min(1).max(4096).optional().describe("Directory to run in. Default: the image's."),
    readonlyRootFilesystem: flag().describe('Whether the root file system is read-only. Default: false.'),
    privileged: flag().describe('Whether the container has all rights on the node. Not on Fargate. Default: false.'),
    interactive: flag().describe('Whether standard input stays open (docker run -i). Default: false.'),
    pseudoTerminal: flag().describe('Whether a terminal is allocated (docker run -t). Default: false.'),
  }),
  {
    message: 'memory must not be less than memoryReservation',
    holds: ({ memory, memoryReservation }) =>
      memory === undefined || memoryReservation === undefined || memory >= memoryReservation,
    cel: '!has(self.memory) || !has(self.memoryReservation) || self.memory >= self.memoryReservation',
    field: 'memory',
  },
  {
    message: 'a container cannot depend on itself',
    holds: ({ name, dependsOn }) => dependsOn.every(({ containerName }) => containerName !== name),
    cel: '!has(self.dependsOn) || self.dependsOn.all(d, d.containerName != self.name)',
    field: 'dependsOn',
  },
  {
    message: 'a container cannot link to itself',
    holds: ({ name, links }) => links.every((link) => link !== name && !link.startsWith(`${name}:`)),
    cel: "!has(self.links) || self.links.all(l, l != self.name && !l.startsWith(self.name + ':'))",
    field: 'links',
  },
  {
    message: 'a container cannot take volumes from itself',
    holds: ({ name, volumesFrom }) => volumesFrom.every(({ sourceContainer }) => sourceContainer !== name),
    cel: '!has(self.volumesFrom) || self.volumesFrom.all(v, v.sourceContainer != self.name)',
    field: 'volumesFrom',
  },
).describe('One container of the task. AWS: ContainerDefinition.');

export type ContainerDefinition = Parsed<typeof containerDefinitionSchema>;
export type ContainerDependency = Parsed<typeof dependencySchema>;
export type HealthCheck = Parsed<typeof healthCheckSchema>;
export type PortMapping = Parsed<typeof portMappingSchema>;
export type MountPoint = Parsed<typeof mountPointSchema>;
export type Ulimit = Parsed<typeof ulimitSchema>;
export type LogConfiguration = Parsed<typeof logConfigurationSchema>;
export type EnvironmentVariable = Parsed<typeof environmentVariableSchema>;
