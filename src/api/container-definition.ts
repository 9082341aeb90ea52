import { z } from 'zod';
import { environmentFileSchema, environmentSchema, secretsSchema } from './container-environment.ts';
import { containerRules } from './container-rules.ts';
import { linuxParametersSchema, systemControlSchema, ulimitSchema } from './linux-parameters.ts';
import { firelensConfigurationSchema, logConfigurationSchema } from './log-configuration.ts';
import { portMappingSchema } from './port-mapping.ts';
import { resourceRequirementSchema } from './resource-requirement.ts';
import { awsName, flag, integer, list, type Parsed, textMap, withRules } from './schema.ts';
import { mountPointSchema, volumeFromSchema } from './volume.ts';

/** AWS: "letters, digits, hyphens, underscores, colons, periods, forward slashes, and number signs"; the 255 are those before the @. */
const IMAGE = '^[A-Za-z0-9][A-Za-z0-9_.:/#-]{0,254}(@sha256:[A-Fa-f0-9]{64})?$';

const imageSchema = () =>
  withRules(
    z.string().max(512),
    // Texts: AWS (ecs-semantics §1.3).
    {
      message: 'Container.image should not be null or empty.',
      holds: (image) => image !== '',
      cel: "self != ''",
    },
    {
      message: 'Container.image contains invalid characters.',
      holds: (image) => image === '' || new RegExp(IMAGE).test(image),
      cel: `self == '' || self.matches('${IMAGE}')`,
    },
  ).describe(
    'Image to run: repository[:tag] of at most 255 letters, digits and - _ : . / #, or repository@sha256:digest.',
  );

const restartPolicySchema = z
  .strictObject({
    enabled: z.boolean().describe('Whether the container is restarted when it ends while the task runs.'),
    ignoredExitCodes: list(integer(), 50).describe('Exit codes after which it is not restarted, at most 50.'),
    restartAttemptPeriod: integer(60, 1800)
      .default(300)
      .describe(
        'Seconds that the container must have run to be restarted, 60 to 1800; it is restarted at most once in this time. Default: 300.',
      ),
  })
  .describe('When the container is restarted in place, without a new task. AWS: ContainerRestartPolicy.');

const extraHostSchema = z
  .strictObject({
    hostname: z.string().min(1).max(255).describe('Host name for the entry in /etc/hosts.'),
    ipAddress: z.string().min(1).max(255).describe('IPv4 or IPv6 address for the entry.'),
  })
  .describe('An entry in /etc/hosts. AWS: HostEntry.');

export const repositoryCredentialsSchema = z
  .strictObject({
    credentialsParameter: z
      .string()
      .min(1)
      .max(2048)
      .describe('ARN or name of the Secrets Manager secret that has username and password.'),
  })
  .describe('Credentials for a private registry. AWS: RepositoryCredentials.');

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

/** The fields, before the rules over several of them. */
export const containerFields = z.strictObject({
  name: awsName().describe('Name of the container, unique in the task: at most 255 letters, digits, - and _.'),
  image: imageSchema(),
  repositoryCredentials: repositoryCredentialsSchema.optional(),
  cpu: integer(0).default(0).describe('CPU units reserved; 1024 are one vCPU. A share, not a limit. Default: 0.'),
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
  restartPolicy: restartPolicySchema.optional(),
  entryPoint: list(z.string().max(65536), 1000).describe(
    "Takes the place of the image's ENTRYPOINT, and discards its CMD. Absent or empty: the image's.",
  ),
  command: list(z.string().max(65536), 1000).describe(
    "Takes the place of the image's CMD. Absent or empty: the image's.",
  ),
  environment: environmentSchema(),
  environmentFiles: list(environmentFileSchema, 10).describe(
    'Files with variables, at most 10; of one variable the value in environment wins, then that of the first file. AWS: EnvironmentFile[].',
  ),
  secrets: secretsSchema(),
  mountPoints: list(mountPointSchema, 30).describe('Volumes mounted into the container, at most 30.'),
  volumesFrom: list(volumeFromSchema, 10).describe(
    'Containers whose mounts this one takes over at the same paths, at most 10. AWS: VolumeFrom[].',
  ),
  dependsOn: list(dependencySchema, 10).describe('What this container waits for before it starts, at most 10 entries.'),
  startTimeout: integer(1, 86400)
    .optional()
    .describe(
      'Seconds that containers wait for this one to reach COMPLETE, SUCCESS or HEALTHY before they give up, from 1 (Fargate: 2 to 120). Absent: without end.',
    ),
  stopTimeout: integer(1, 86400)
    .default(30)
    .describe('Seconds between SIGTERM and SIGKILL, from 1 (Fargate: 2 to 120). Default: 30.'),
  healthCheck: healthCheckSchema.optional(),
  dockerLabels: textMap(100).describe('Docker labels, at most 100; kept as annotations of the pod.'),
  logConfiguration: logConfigurationSchema.optional(),
  ulimits: list(ulimitSchema, 20).describe('Resource limits of the processes, at most 20. AWS: Ulimit[].'),
  systemControls: list(systemControlSchema, 50).describe(
    'Kernel parameters of the namespaces of the container, at most 50. AWS: SystemControl[].',
  ),
  resourceRequirements: list(resourceRequirementSchema, 10).describe(
    'Accelerators that the container needs, at most 10. AWS: ResourceRequirement[].',
  ),
  linuxParameters: linuxParametersSchema.optional(),
  firelensConfiguration: firelensConfigurationSchema.optional(),
  credentialSpecs: list(
    z
      .string()
      .max(2048)
      .regex(/^credentialspec(domainless)?:./),
    1,
  ).describe('Credential spec for Active Directory, at most 1: credentialspec:ARN or credentialspecdomainless:ARN.'),
  dockerSecurityOptions: list(
    z
      .string()
      .max(4096)
      .regex(/^(no-new-privileges|apparmor:.+|label:.+|credentialspec:.+)$/),
    20,
  ).describe(
    'Security options: no-new-privileges, apparmor:PROFILE, label:VALUE or credentialspec:FILE, at most 20. Not on Fargate.',
  ),
  dnsServers: list(z.string().min(1).max(255), 20).describe(
    'IP addresses of DNS servers, at most 20. Not with networkMode awsvpc.',
  ),
  dnsSearchDomains: list(z.string().min(1).max(253), 32).describe(
    'Domains in which short names are looked up, at most 32. Not with networkMode awsvpc.',
  ),
  extraHosts: list(extraHostSchema, 100).describe(
    'Entries added to /etc/hosts, at most 100. Not with networkMode awsvpc. AWS: HostEntry[].',
  ),
  disableNetworking: flag().describe('Whether the container has no network. Default: false.'),
  versionConsistency: z
    .enum(['enabled', 'disabled'])
    .optional()
    .describe(
      'Whether the tag of the image is resolved once a deployment, so that all its tasks run the same image: enabled (as when absent) or disabled.',
    ),
  hostname: z.string().min(1).max(255).optional().describe('Host name of the container. Not with networkMode awsvpc.'),
  user: z
    .string()
    .max(255)
    .regex(/^[^:\s]+(:[^:\s]+)?$/)
    .optional()
    .describe("User to run as: user, user:group, uid, uid:gid, user:gid or uid:group. Default: the image's."),
  workingDirectory: z.string().min(1).max(4096).optional().describe("Directory to run in. Default: the image's."),
  readonlyRootFilesystem: flag().describe('Whether the root file system is read-only. Default: false.'),
  privileged: flag().describe('Whether the container has all rights on the node. Not on Fargate. Default: false.'),
  interactive: flag().describe('Whether standard input stays open (docker run -i). Default: false.'),
  pseudoTerminal: flag().describe('Whether a terminal is allocated (docker run -t). Default: false.'),
});

/** One container of a task. AWS: ContainerDefinition (`ecs-semantics` §1.3). */
export const containerDefinitionSchema = withRules(containerFields, ...containerRules).describe(
  'One container of the task. AWS: ContainerDefinition.',
);

/** A container, whether or not it follows the rules. */
export type ContainerFields = Parsed<typeof containerFields>;
export type ContainerDefinition = ContainerFields;
export type ContainerDependency = Parsed<typeof dependencySchema>;
export type HealthCheck = Parsed<typeof healthCheckSchema>;
export type RestartPolicy = Parsed<typeof restartPolicySchema>;
export type RepositoryCredentials = Parsed<typeof repositoryCredentialsSchema>;
export type ExtraHost = Parsed<typeof extraHostSchema>;
