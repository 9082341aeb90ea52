import { z } from 'zod';
import { integer, type Parsed } from './schema.ts';

/** A port, or a range of ports, that a container listens on (`ecs-semantics` §1.7). */
export const portMappingSchema = z
  .strictObject({
    containerPort: integer(1, 65535)
      .optional()
      .describe('Port that the container listens on, 1 to 65535. Required unless containerPortRange is given.'),
    containerPortRange: z
      .string()
      .max(11)
      .regex(/^[1-9][0-9]{0,4}-[1-9][0-9]{0,4}$/)
      .optional()
      .describe(
        'Ports that the container listens on, as first-last, 1 to 65535, first less than last; instead of containerPort and hostPort. Only with networkMode bridge or awsvpc.',
      ),
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
    appProtocol: z
      .enum(['http', 'http2', 'grpc'])
      .optional()
      .describe('Protocol of the application, for Service Connect: http, http2 or grpc. Absent: plain TCP.'),
  })
  .describe('A port, or a range of ports, that the container listens on. AWS: PortMapping.');

export type PortMapping = Parsed<typeof portMappingSchema>;
