import { z } from 'zod';
import { integer, type Parsed } from './schema.ts';

/** first-last; that the first is less than the last is a rule of the container. */
export const PORT_RANGE = /^([1-9][0-9]{0,4})-([1-9][0-9]{0,4})$/;

/** A port, or a range of ports, that a container listens on (`ecs-semantics` §1.7). */
export const portMappingSchema = z
  .strictObject({
    containerPort: integer(1, 65535)
      .optional()
      .describe('Port that the container listens on, 1 to 65535. Required unless containerPortRange is given.'),
    containerPortRange: z
      .string()
      .max(11)
      .regex(PORT_RANGE)
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

/** First and last port of a mapping, both included. */
export interface Ports {
  readonly first: number;
  readonly last: number;
}

/** The ports of a mapping; undefined where it names none, which the rules of its container refuse. */
export function portsOf({ containerPort, containerPortRange }: PortMapping): Ports | undefined {
  const range = PORT_RANGE.exec(containerPortRange ?? '');
  if (range !== null) return { first: Number(range[1]), last: Number(range[2]) };
  return containerPort === undefined ? undefined : { first: containerPort, last: containerPort };
}

export const overlap = (one: Ports, other: Ports): boolean => one.first <= other.last && other.first <= one.last;
