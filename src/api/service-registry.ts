/** Under which Cloud Map name the tasks of a service are found (`ecs-semantics` §3.1). */
import { z } from 'zod';
import { awsName, integer, list, type Parsed, withRules } from './schema.ts';

const port = () => integer(1, 65535);

const serviceRegistrySchema = withRules(
  z.strictObject({
    registryArn: z
      .string()
      .min(1)
      .max(2048)
      .describe(
        "ARN of the Cloud Map service, or its name. Here a headless core Service of that name answers to it: an ARN has no name in it, so that the Cluster's mappings.serviceRegistries give one.",
      ),
    port: port()
      .optional()
      .describe('Port of the SRV records, 1 to 65535, instead of containerName and containerPort. Only with awsvpc.'),
    containerName: awsName().optional().describe('Container of the task definition that the SRV records lead to.'),
    containerPort: port()
      .optional()
      .describe('Port of it, 1 to 65535: one of its port mappings. Required for networkMode bridge and host.'),
  }),
  {
    // Text: AWS (trussworks/terraform-aws-ecs-service#344).
    message: "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, but not both",
    holds: (given) => given.port === undefined || (given.containerName ?? given.containerPort) === undefined,
    cel: '!has(self.port) || !(has(self.containerName) || has(self.containerPort))',
    field: 'port',
  },
  {
    message: 'containerName and containerPort must be given together',
    holds: ({ containerName, containerPort }) => (containerName === undefined) === (containerPort === undefined),
    cel: 'has(self.containerName) == has(self.containerPort)',
  },
).describe('A Cloud Map service that finds the tasks. AWS: ServiceRegistry.');

/** `serviceRegistries` of a Service; AWS takes one. */
export const serviceRegistriesSchema = () =>
  list(serviceRegistrySchema, 1).describe(
    'Name under which DNS finds the addresses of the tasks that run, at most 1. A change starts a deployment.',
  );

export type ServiceRegistry = Parsed<typeof serviceRegistrySchema>;
