import { z } from 'zod';
import { awsName, integer, list, type Parsed } from './schema.ts';

export const placementConstraintSchema = z
  .strictObject({
    type: z.literal('memberOf').describe('memberOf is the only type that AWS allows here.'),
    expression: z.string().max(2000).default('').describe('Expression of the cluster query language.'),
  })
  .describe('Nodes that tasks may be placed on. AWS: TaskDefinitionPlacementConstraint.');

export type PlacementConstraint = Parsed<typeof placementConstraintSchema>;

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

export const proxyConfigurationSchema = z
  .strictObject({
    type: z.literal('APPMESH').default('APPMESH').describe('APPMESH (default) is the only type.'),
    containerName: awsName().describe('Name of the container that is the proxy.'),
    properties: list(proxyPropertySchema, 20).describe(
      'IgnoredUID or IgnoredGID, AppPorts, ProxyIngressPort, ProxyEgressPort, EgressIgnoredPorts, EgressIgnoredIPs, at most 20. AWS: KeyValuePair[].',
    ),
  })
  .describe('A proxy that all traffic of the task goes through. AWS: ProxyConfiguration.');

export type ProxyConfiguration = Parsed<typeof proxyConfigurationSchema>;

export const inferenceAcceleratorSchema = z
  .strictObject({
    deviceName: z.string().min(1).max(255).describe('Name that resourceRequirements refer to.'),
    deviceType: z.string().min(1).max(255).describe('Type of the accelerator.'),
  })
  .describe('An Elastic Inference accelerator, which AWS no longer offers. AWS: InferenceAccelerator.');

export const trustedExecutionConfigurationSchema = z
  .strictObject({
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
  })
  .describe('How the task is kept apart from others on its node. AWS: TrustedExecutionConfiguration.');

export type TrustedExecutionConfiguration = Parsed<typeof trustedExecutionConfigurationSchema>;
