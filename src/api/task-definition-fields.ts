import { z } from 'zod';
import { launchTypeSchema, tagsSchema } from './common-fields.ts';
import { containerDefinitionSchema } from './container-definition.ts';
import { kubernetesOptionsSchema } from './kubernetes-options.ts';
import { definitionConstraintSchema, MAX_CONSTRAINTS } from './placement.ts';
import { awsName, celText, flag, integer, keyedList, list, type Parsed, withRules } from './schema.ts';
import { volumeSchema } from './volume.ts';

/** AWS Batch has it as well. */
export const ephemeralStorageSchema = z
  .strictObject({
    sizeInGiB: integer(21, 200).describe('Size in GiB, 21 to 200.'),
  })
  .describe(
    'Storage that ends with the task, for image layers, writable layers and empty directories. Absent: 20 GiB on Fargate. AWS: EphemeralStorage.',
  );

export type EphemeralStorage = Parsed<typeof ephemeralStorageSchema>;

const OPERATING_SYSTEMS = [
  'LINUX',
  'WINDOWS_SERVER_2016_FULL',
  'WINDOWS_SERVER_2019_CORE',
  'WINDOWS_SERVER_2019_FULL',
  'WINDOWS_SERVER_2004_CORE',
  'WINDOWS_SERVER_20H2_CORE',
  'WINDOWS_SERVER_2022_CORE',
  'WINDOWS_SERVER_2022_FULL',
  'WINDOWS_SERVER_2025_CORE',
  'WINDOWS_SERVER_2025_FULL',
] as const;

/** AWS Batch has it as well. */
export const runtimePlatformSchema = z
  .strictObject({
    cpuArchitecture: z.enum(['X86_64', 'ARM64']).optional().describe('X86_64 or ARM64. On Fargate X86_64 by default.'),
    operatingSystemFamily: z
      .enum(OPERATING_SYSTEMS)
      .optional()
      .describe('LINUX, or a version of Windows Server. On Fargate LINUX by default.'),
  })
  .describe('Processor and operating system that the task needs. AWS: RuntimePlatform.');

export type RuntimePlatform = Parsed<typeof runtimePlatformSchema>;

const proxyPropertySchema = z
  .strictObject({
    name: z
      .enum([
        'IgnoredUID',
        'IgnoredGID',
        'AppPorts',
        'ProxyIngressPort',
        'ProxyEgressPort',
        'EgressIgnoredPorts',
        'EgressIgnoredIPs',
      ])
      .describe('Which property.'),
    value: z.string().max(4096).default('').describe('Value of the property. Default: empty.'),
  })
  .describe('A property of the proxy. AWS: KeyValuePair.');

/** What AWS calls each property that must be there; of IgnoredUID and IgnoredGID one is enough. Text: AWS (measured 2026-09, for the first). */
const PROXY_PROPERTIES = [
  ['Ingress port', 'ProxyIngressPort'],
  ['Egress port', 'ProxyEgressPort'],
  ['App ports', 'AppPorts'],
  ['Ignored UID or GID', 'IgnoredUID', 'IgnoredGID'],
] as const;
const missingProperty = (name: string) => `${name} not found`;
const celHasProperty = (names: readonly string[]) =>
  `self.properties.exists(p, p.name in [${names.map((name) => `'${name}'`).join(', ')}])`;

export const proxyConfigurationSchema = withRules(
  z.strictObject({
    type: z.literal('APPMESH').default('APPMESH').describe('APPMESH (default) is the only type.'),
    containerName: awsName().describe('Name of the container that is the proxy.'),
    properties: list(proxyPropertySchema, 20).describe(
      'IgnoredUID or IgnoredGID, AppPorts, ProxyIngressPort, ProxyEgressPort, EgressIgnoredPorts, EgressIgnoredIPs, at most 20. AWS: KeyValuePair[].',
    ),
  }),
  {
    refuses: ({ properties }) => {
      const given = properties.map(({ name }): string => name);
      const missing = PROXY_PROPERTIES.find(([, ...names]) => !names.some((name) => given.includes(name)));
      return missing && missingProperty(missing[0]);
    },
    cel: `has(self.properties) && ${PROXY_PROPERTIES.map(([, ...names]) => celHasProperty(names)).join(' && ')}`,
    celMessage: celText(
      missingProperty,
      `(!has(self.properties) ? '${PROXY_PROPERTIES[0][0]}' : ${PROXY_PROPERTIES.map(
        ([label, ...names]) => `!${celHasProperty(names)} ? '${label}' : `,
      ).join('')}'')`,
    ),
    field: 'properties',
  },
).describe('A proxy that all traffic of the task goes through. AWS: ProxyConfiguration.');

export type ProxyConfiguration = Parsed<typeof proxyConfigurationSchema>;

export const inferenceAcceleratorSchema = z
  .strictObject({
    deviceName: z.string().min(1).max(255).describe('Name that resourceRequirements refer to.'),
    deviceType: z.string().min(1).max(255).describe('Type of the accelerator.'),
  })
  .describe('An Elastic Inference accelerator, which AWS no longer offers. AWS: InferenceAccelerator.');

export const trustedExecutionConfigurationSchema = withRules(
  z.strictObject({
    isolationMode: z
      .enum(['SHARED', 'ISOLATED_SANDBOX', 'CONFIDENTIAL_SANDBOX'])
      .describe(
        'SHARED: the task shares its node with others. ISOLATED_SANDBOX: it runs in a virtual machine of its own. CONFIDENTIAL_SANDBOX: as before, and the node cannot look into it.',
      ),
    attestationPolicy: z
      .string()
      .min(1)
      .max(65536)
      .optional()
      .describe('Attestation policy, in base64. Required with CONFIDENTIAL_SANDBOX.'),
  }),
  {
    message: 'attestationPolicy is required when isolationMode is CONFIDENTIAL_SANDBOX',
    holds: ({ isolationMode, attestationPolicy }) =>
      isolationMode !== 'CONFIDENTIAL_SANDBOX' || attestationPolicy !== undefined,
    cel: "self.isolationMode != 'CONFIDENTIAL_SANDBOX' || has(self.attestationPolicy)",
    field: 'attestationPolicy',
  },
).describe('How the task is kept apart from others on its node. AWS: TrustedExecutionConfiguration.');

export type TrustedExecutionConfiguration = Parsed<typeof trustedExecutionConfigurationSchema>;

/** Containers of one task (`ecs-semantics` §1.1). */
export const MAX_CONTAINERS = 10;

/** The fields of RegisterTaskDefinition, before the rules over several of them. */
export const taskDefinitionFields = z.strictObject({
  family: awsName()
    .optional()
    .describe("Name that the revisions share: at most 255 letters, digits, - and _. Default: the object's name."),
  containerDefinitions: keyedList(containerDefinitionSchema, 'name', { min: 1, max: MAX_CONTAINERS }).describe(
    'Containers of the task, 1 to 10; at least one essential.',
  ),
  networkMode: z
    .enum(['bridge', 'host', 'awsvpc', 'none'])
    .default('bridge')
    .describe(
      'Network of the containers: bridge (default), host (the network of the node), awsvpc (an address for the task) or none. Fargate requires awsvpc.',
    ),
  cpu: z
    .string()
    .max(32)
    .regex(/^([0-9]{1,6}|([0-9]{1,3}(\.[0-9]{1,3})?|\.[0-9]{1,3}) ?[vV][cC][pP][uU])$/)
    .optional()
    .describe('Hard CPU limit of the task: units such as "1024" (1024 are one vCPU) or "1 vCPU". Fargate requires it.'),
  memory: z
    .string()
    .max(32)
    .regex(/^([0-9]{1,7}|([0-9]{1,4}(\.[0-9]{1,3})?|\.[0-9]{1,3}) ?[gG][bB])$/)
    .optional()
    .describe('Hard memory limit of the task: MiB such as "512", or "1GB". Fargate requires it.'),
  requiresCompatibilities: list(launchTypeSchema, 4).describe(
    'Launch types that the definition is checked against: EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES.',
  ),
  executionRoleArn: z.string().min(1).max(2048).optional().describe('Role of the platform: image pull, logs, secrets.'),
  taskRoleArn: z.string().min(1).max(2048).optional().describe('Role of the code in the containers.'),
  volumes: keyedList(volumeSchema, 'name', { max: 30 })
    .default([])
    .describe('Volumes that the containers share, at most 30. AWS: Volume[].'),
  placementConstraints: list(definitionConstraintSchema, MAX_CONSTRAINTS).describe(
    'Where tasks may be placed, at most 10. Not on Fargate. AWS: TaskDefinitionPlacementConstraint[].',
  ),
  pidMode: z
    .enum(['host', 'task'])
    .optional()
    .describe(
      'Processes that the containers see: host (those of the node) or task (those of the task). Absent: each container its own. On Fargate only task.',
    ),
  ipcMode: z
    .enum(['host', 'task', 'none'])
    .optional()
    .describe(
      'Shared memory, semaphores and message queues of the containers: host (those of the node), task (those of the task) or none (each container its own). Not on Fargate.',
    ),
  ephemeralStorage: ephemeralStorageSchema.optional(),
  runtimePlatform: runtimePlatformSchema.optional(),
  proxyConfiguration: proxyConfigurationSchema.optional(),
  inferenceAccelerators: list(inferenceAcceleratorSchema, 10).describe(
    'Elastic Inference accelerators, which AWS no longer offers, at most 10. AWS: InferenceAccelerator[].',
  ),
  enableFaultInjection: flag().describe(
    'Whether the containers may ask for faults (network and so on) through the task metadata endpoint. Default: false.',
  ),
  trustedExecutionConfiguration: trustedExecutionConfigurationSchema.optional(),
  tags: tagsSchema(),
  kubernetes: kubernetesOptionsSchema.optional(),
});

export type TaskDefinitionFields = Parsed<typeof taskDefinitionFields>;
