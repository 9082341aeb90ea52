/** `kubernetes.isolation` of a JobQueue: its jobs run code that nobody trusts. */
import { z } from 'zod';
import { objectName } from './kubernetes-options.ts';
import { integer, type Parsed } from './schema.ts';

export const isolationSchema = z
  .strictObject({
    runtimeClassName: objectName()
      .optional()
      .describe(
        'RuntimeClass of the pods, such as one of gVisor or Kata Containers. Default: the runtime of the node. A job cannot name another.',
      ),
    maxVcpus: integer(1, 1024)
      .default(1)
      .describe('vCPUs that an attempt may use, all its containers together, 1 to 1024. Default: 1.'),
    maxMemoryMiB: integer(4, 16777216)
      .default(2048)
      .describe('Memory in MiB that an attempt may use, all its containers together, 4 to 16777216. Default: 2048.'),
    maxEphemeralStorageMiB: integer(1, 16777216)
      .default(1024)
      .describe(
        'MiB that an attempt may fill of the node: /tmp, empty volumes and logs together, 1 to 16777216. Beyond it the node evicts the pod. Default: 1024.',
      ),
    maxDurationSeconds: integer(10, 2592000)
      .default(3600)
      .describe(
        'Seconds that an attempt may take from the time its node has it, image pull included, 10 to 2592000 (30 days). Then the node ends it, whether or not Longshore runs, and it is not tried again. Default: 3600.',
      ),
  })
  .describe(
    'Runs the jobs of the queue as code that nobody trusts: as no root user, without capabilities, ServiceAccount token and network, on a read-only root file system, within these ceilings. A job that asks for more never starts. `{}` takes the defaults. Absent: jobs run as they ask to.',
  );

export type Isolation = Parsed<typeof isolationSchema>;
