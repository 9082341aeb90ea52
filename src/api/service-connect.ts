/** Under which names and ports services find each other: Service Connect (`ecs-semantics` §3.1). */
import { z } from 'zod';
import { logConfigurationSchema } from './log-configuration.ts';
import { celText, integer, list, type Parsed, type Rule, withRules } from './schema.ts';

/** Names that Cloud Map takes, and names of port mappings. */
const discoveryName = () =>
  z
    .string()
    .min(1)
    .max(64)
    .regex(/^[a-z0-9_][a-z0-9_-]*$/);

const seconds = () => integer(0).optional();

const clientAliasSchema = z
  .strictObject({
    port: integer(1, 65535).describe('Port that clients connect to, 1 to 65535.'),
    dnsName: z
      .string()
      .min(1)
      .max(127)
      .regex(/^[a-z0-9_][a-z0-9_.-]*$/)
      .optional()
      .describe(
        'Name that clients connect to: at most 127 of a-z, 0-9, _, - and dots, not starting with -. Here that of a core Service: one label, or label.namespace. Default: discoveryName.namespace.',
      ),
    testTrafficRules: z
      .strictObject({
        header: z
          .strictObject({
            name: z.string().min(1).max(256).describe('Name of the header.'),
            value: z
              .strictObject({ exact: z.string().max(4096).describe('Value of the header.') })
              .optional()
              .describe('AWS: ServiceConnectTestTrafficHeaderMatchRules.'),
          })
          .describe('Header of test traffic. AWS: ServiceConnectTestTrafficHeaderRules.'),
      })
      .optional()
      .describe('What test traffic of a blue/green deployment is. AWS: ServiceConnectTestTrafficRules.'),
  })
  .describe('Name and port that clients connect to. AWS: ServiceConnectClientAlias.');

const serviceSchema = withRules(
  z.strictObject({
    portName: discoveryName().describe('Name of one of the port mappings of the task definition.'),
    discoveryName: discoveryName()
      .optional()
      .describe(
        'Name of the Cloud Map service: at most 64 of a-z, 0-9, _ and -, not starting with -. Default: portName.',
      ),
    clientAliases: list(clientAliasSchema, 10).describe('Name and port that clients connect to: exactly one.'),
    ingressPortOverride: integer(0, 65535).optional().describe('Port of the Service Connect proxy on AWS, 0 to 65535.'),
    timeout: z
      .strictObject({
        idleTimeoutSeconds: seconds().describe('Seconds that a connection may be idle, from 0; 0: no limit.'),
        perRequestTimeoutSeconds: seconds().describe('Seconds that a request may take, from 0; 0: no limit.'),
      })
      .optional()
      .describe('AWS: TimeoutConfiguration.'),
    tls: z
      .strictObject({
        issuerCertificateAuthority: z
          .strictObject({
            awsPcaAuthorityArn: z.string().min(1).max(2048).optional().describe('ARN of the private CA.'),
          })
          .describe('AWS: ServiceConnectTlsCertificateAuthority.'),
        kmsKey: z.string().min(1).max(2048).optional().describe('KMS key of the private key.'),
        roleArn: z.string().min(1).max(2048).optional().describe('Role that issues certificates.'),
      })
      .optional()
      .describe('TLS between the proxies on AWS. AWS: ServiceConnectTlsConfiguration.'),
  }),
  {
    // Text: AWS (hashicorp/terraform-provider-aws#44027).
    message: 'clientAliases must have 1 element.',
    holds: ({ clientAliases }) => clientAliases.length === 1,
    cel: 'has(self.clientAliases) && size(self.clientAliases) == 1',
    field: 'clientAliases',
  },
).describe('A port of the tasks that clients can connect to. AWS: ServiceConnectService.');

export type ServiceConnectService = Parsed<typeof serviceSchema>;

interface Services {
  readonly services: readonly ServiceConnectService[];
}

const twice = (names: readonly string[]): string | undefined =>
  names.find((name) => names.filter((other) => other === name).length > 1);

// AWS: "This must be unique within the Cloud Map namespace."
const discoveryNameTwice = (name: string): string =>
  `discoveryName '${name}' is used more than once; each must be unique, and so must be the portName that it defaults to`;
const celDiscoveryNames = 'self.services.map(s, has(s.discoveryName) ? s.discoveryName : s.portName)';
const celTwice = (names: string): string => `${names}.filter(n, ${names}.filter(m, m == n).size() > 1)`;

const discoveryNamesOnce: Rule<Services> = {
  refuses: ({ services }) => {
    const name = twice(services.map((service) => service.discoveryName ?? service.portName));
    return name === undefined ? undefined : discoveryNameTwice(name);
  },
  cel: `!has(self.services) || ${celTwice(celDiscoveryNames)}.size() == 0`,
  celMessage: celText(discoveryNameTwice, `${celTwice(celDiscoveryNames)}[0]`),
  field: 'services',
};

/** `serviceConnectConfiguration` of a Service. */
export const serviceConnectConfigurationSchema = withRules(
  z.strictObject({
    enabled: z.boolean().describe('Whether clients can connect to the services by name. Required, as for AWS.'),
    namespace: z
      .string()
      .min(1)
      .max(2048)
      .optional()
      .describe(
        "Name or ARN of the Cloud Map namespace, for which the namespace of the object stands. Default: the Cluster's serviceConnectDefaults.",
      ),
    services: list(serviceSchema, 20).describe(
      'Ports of the tasks that clients can connect to, at most 20; none for a service that is only a client.',
    ),
    logConfiguration: logConfigurationSchema.optional(),
    accessLogConfiguration: z
      .strictObject({
        format: z.enum(['TEXT', 'JSON']).describe('TEXT or JSON.'),
        includeQueryParameters: z
          .enum(['DISABLED', 'ENABLED'])
          .default('DISABLED')
          .describe('Whether queries are logged: DISABLED (default) or ENABLED.'),
      })
      .optional()
      .describe('What the proxy logs on AWS. AWS: ServiceConnectAccessLogConfiguration.'),
    containerConfigurations: list(
      z.strictObject({
        logLevel: z.enum(['debug', 'info']).optional().describe('debug or info.'),
      }),
      10,
    ).describe('How the proxy runs on AWS, at most 10. AWS: ServiceConnectContainerConfiguration[].'),
  }),
  discoveryNamesOnce,
).describe(
  'Names and ports under which services find each other: Service Connect. A change starts a deployment. AWS: ServiceConnectConfiguration.',
);

export type ServiceConnectConfiguration = Parsed<typeof serviceConnectConfigurationSchema>;
