import { z } from 'zod';
import { celText, flag, integer, list, type Parsed, withRules } from './schema.ts';

const path = () => z.string().min(1).max(4096);

const CAPABILITIES = [
  'ALL',
  'AUDIT_CONTROL',
  'AUDIT_WRITE',
  'BLOCK_SUSPEND',
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'IPC_LOCK',
  'IPC_OWNER',
  'KILL',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'MKNOD',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_CHROOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'SYSLOG',
  'WAKE_ALARM',
] as const;

const capabilitiesSchema = z
  .strictObject({
    add: list(z.enum(CAPABILITIES), CAPABILITIES.length).describe(
      'Capabilities added to those that the container runtime gives, such as SYS_PTRACE or ALL; on Fargate only SYS_PTRACE.',
    ),
    drop: list(z.enum(CAPABILITIES), CAPABILITIES.length).describe('Capabilities taken away, such as NET_RAW or ALL.'),
  })
  .describe('Linux capabilities added and dropped. AWS: KernelCapabilities.');

export const deviceSchema = z
  .strictObject({
    hostPath: path().describe('Path of the device on the node.'),
    containerPath: path().optional().describe('Path of the device in the container. Default: hostPath.'),
    permissions: list(z.enum(['read', 'write', 'mknod']), 3).describe(
      'What the container may do with the device: read, write, mknod. Default: all of them.',
    ),
  })
  .describe('A device of the node. AWS: Device.');

const MOUNT_OPTIONS =
  /^(defaults|ro|rw|(no)?(suid|dev|exec|mand|atime|diratime)|relatime|norelatime|strictatime|nostrictatime|sync|async|dirsync|remount|r?bind|r?unbindable|r?private|r?shared|r?slave|(mode|uid|gid|nr_inodes|nr_blocks|mpol)(=[^,=]+)?)$/;

const tmpfsSchema = z
  .strictObject({
    containerPath: path().describe('Path in the container where the tmpfs is mounted.'),
    size: integer(1).describe('Largest size in MiB, from 1.'),
    mountOptions: list(z.string().min(1).max(255).regex(MOUNT_OPTIONS), 50).describe(
      'Mount options, such as ro, noexec or mode=1777, at most 50.',
    ),
  })
  .describe('A file system in memory. AWS: Tmpfs.');

/** What AWS Batch has as well; it knows no capabilities. */
export const commonLinuxParameters = {
  devices: list(deviceSchema, 100).describe(
    'Devices of the node that the container gets, at most 100. Not on Fargate. AWS: Device[].',
  ),
  initProcessEnabled: flag().describe(
    'Whether an init process runs in the container that forwards signals and reaps processes. Default: false.',
  ),
  sharedMemorySize: integer(1).optional().describe('Size of /dev/shm in MiB, from 1. Not on Fargate.'),
  tmpfs: list(tmpfsSchema, 30).describe('File systems in memory, at most 30. AWS: Tmpfs[].'),
  maxSwap: integer(0)
    .optional()
    .describe('Swap that the container may use, in MiB; 0: none. Absent: as the node is configured. Not on Fargate.'),
  swappiness: integer(0, 100)
    .optional()
    .describe('How readily memory is swapped out, 0 to 100; only with maxSwap. Default: 60. Not on Fargate.'),
};

/** Options of Linux containers (`ecs-semantics` §1.10). */
export const linuxParametersSchema = z
  .strictObject({ capabilities: capabilitiesSchema.optional(), ...commonLinuxParameters })
  .describe('Options of Linux containers. AWS: LinuxParameters.');

export type LinuxParameters = Parsed<typeof linuxParametersSchema>;
export type Capability = (typeof CAPABILITIES)[number];
export type Device = Parsed<typeof deviceSchema>;
export type Tmpfs = Parsed<typeof tmpfsSchema>;

// Text: AWS (measured 2026-09).
const softOverHard = (name: string) => `Soft limit exceeds hard limit for ulimit ${name}`;

export const ulimitSchema = withRules(
  z.strictObject({
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
  }),
  {
    refuses: ({ name, softLimit, hardLimit }) =>
      hardLimit !== -1 && (softLimit === -1 || softLimit > hardLimit) ? softOverHard(name) : undefined,
    cel: 'self.hardLimit == -1 || (self.softLimit != -1 && self.softLimit <= self.hardLimit)',
    celMessage: celText(softOverHard, 'self.name'),
    field: 'softLimit',
  },
).describe('A resource limit of the processes of the container. AWS: Ulimit.');

export type Ulimit = Parsed<typeof ulimitSchema>;

export const systemControlSchema = z
  .strictObject({
    namespace: z
      .string()
      .min(1)
      .max(255)
      .regex(
        /^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\.[A-Za-z0-9_.-]+|net\.[A-Za-z0-9_./-]+)$/,
      )
      .describe(
        'Kernel parameter: kernel.{msgmax,msgmnb,msgmni,sem,shmall,shmmax,shmmni,shm_rmid_forced}, fs.mqueue.* or net.*.',
      ),
    value: z.string().min(1).max(1024).describe('Value of the parameter.'),
  })
  .describe('A kernel parameter of the namespaces of the container. AWS: SystemControl.');

export type SystemControl = Parsed<typeof systemControlSchema>;
