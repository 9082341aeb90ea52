import { z } from 'zod';
import { list, type Parsed } from './schema.ts';

/** The account and the region are given in full: `*` may stand for an end of the name only. */
const TARGET_GROUPS =
  /^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup\/([A-Za-z0-9-]{0,32}\*|[A-Za-z0-9-]{1,32}\/([0-9a-f]{0,17}\*|[0-9a-f]{1,17}))$/;

const allowed = (text: string) => z.boolean().default(true).describe(`${text} Default: true.`);
const hostAccess = (text: string) =>
  z
    .boolean()
    .optional()
    .describe(`${text} Default: as the operator's --default-policy has it: true (Permissive) or false (Restricted).`);

/** What task definitions of this namespace may ask for. */
export const clusterPolicySchema = z
  .strictObject({
    allowPrivileged: hostAccess('Whether containers may be privileged.'),
    allowHostPaths: hostAccess('Whether volumes may be paths of the node.'),
    hostPathPrefixes: list(z.string().min(1).max(4096).regex(/^\//), 50).describe(
      'Paths of the node that volumes may have, with all below them, at most 50. Absent or empty: all.',
    ),
    allowHostNetwork: hostAccess('Whether tasks may use the network of the node (networkMode host).'),
    allowHostPorts: hostAccess('Whether containers may ask for a fixed hostPort with networkMode bridge.'),
    allowHostNamespaces: hostAccess('Whether pidMode and ipcMode may be host.'),
    allowAddedCapabilities: hostAccess('Whether linuxParameters may add capabilities.'),
    addableCapabilities: list(
      z
        .string()
        .min(1)
        .max(64)
        .regex(/^[A-Z_]+$/),
      50,
    ).describe('Capabilities that linuxParameters may add, such as SYS_PTRACE, at most 50. Absent or empty: all.'),
    allowDevices: hostAccess('Whether linuxParameters may name devices of the node.'),
    allowServiceAccountName: allowed(
      'Whether spec.kubernetes may name the ServiceAccount. Otherwise mappings.roles alone decides.',
    ),
    allowUnmappedRoles: allowed(
      'Whether tasks start although their taskRoleArn has no mapping; they then run without the role.',
    ),
    imagePrefixes: list(z.string().min(1).max(512), 200).describe(
      'Beginnings of the image names that may run, after mappings.images, at most 200. Absent or empty: all.',
    ),
    targetGroupArns: list(z.string().min(1).max(256).regex(TARGET_GROUPS), 100).describe(
      'Target groups of AWS that tasks may be registered in, by the AWS Load Balancer Controller: ARNs, whole or with an * for the end of the name, at most 100. Absent or empty: none; an ARN then means the TargetGroup of its name in the namespace.',
    ),
  })
  .describe('What is allowed in this namespace. What is not keeps tasks from starting; running ones go on.');

export type ClusterPolicy = Parsed<typeof clusterPolicySchema>;

/** What tasks may ask of their node where the Cluster of their namespace does not say. */
export const DEFAULT_POLICIES = ['Permissive', 'Restricted'] as const;
export type DefaultPolicy = (typeof DEFAULT_POLICIES)[number];

const RESTRICTED = {
  allowPrivileged: false,
  allowHostPaths: false,
  allowHostNetwork: false,
  allowHostPorts: false,
  allowHostNamespaces: false,
  allowAddedCapabilities: false,
  allowDevices: false,
} as const satisfies Partial<ClusterPolicy>;

/** The policy with what it leaves open. */
export const completePolicy = (policy: ClusterPolicy, otherwise: DefaultPolicy): ClusterPolicy =>
  otherwise === 'Restricted' ? { ...RESTRICTED, ...policy } : policy;
