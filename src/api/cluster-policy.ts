import { z } from 'zod';
import { list, type Parsed } from './schema.ts';

const allowed = (text: string) => z.boolean().default(true).describe(`${text} Default: true.`);

/** What task definitions of this namespace may ask for. */
export const clusterPolicySchema = z
  .strictObject({
    allowPrivileged: allowed('Whether containers may be privileged.'),
    allowHostPaths: allowed('Whether volumes may be paths of the node.'),
    hostPathPrefixes: list(z.string().min(1).max(4096).regex(/^\//), 50).describe(
      'Paths of the node that volumes may have, with all below them, at most 50. Absent or empty: all.',
    ),
    allowHostNetwork: allowed('Whether tasks may use the network of the node (networkMode host).'),
    allowHostPorts: allowed('Whether containers may ask for a fixed hostPort with networkMode bridge.'),
    allowHostNamespaces: allowed('Whether pidMode and ipcMode may be host.'),
    allowAddedCapabilities: allowed('Whether linuxParameters may add capabilities.'),
    addableCapabilities: list(
      z
        .string()
        .min(1)
        .max(64)
        .regex(/^[A-Z_]+$/),
      50,
    ).describe('Capabilities that linuxParameters may add, such as SYS_PTRACE, at most 50. Absent or empty: all.'),
    allowDevices: allowed('Whether linuxParameters may name devices of the node.'),
    allowServiceAccountName: allowed(
      'Whether spec.kubernetes may name the ServiceAccount. Otherwise mappings.roles alone decides.',
    ),
    allowUnmappedRoles: allowed(
      'Whether tasks start although their taskRoleArn has no mapping; they then run without the role.',
    ),
    imagePrefixes: list(z.string().min(1).max(512), 200).describe(
      'Beginnings of the image names that may run, after mappings.images, at most 200. Absent or empty: all.',
    ),
  })
  .describe('What is allowed in this namespace. What is not keeps tasks from starting; running ones go on.');

export type ClusterPolicy = Parsed<typeof clusterPolicySchema>;
