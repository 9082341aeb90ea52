/** Specs of services that are found by name: what is taken, what is refused, and what breaks one rule each. */
import type { BrokenRule } from './broken-rules.ts';
import { type Sample, service } from './samples.ts';

type Fields = Record<string, unknown>;

const registryArn = 'arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-utcrh6wavdkggqtk';
const registry = (fields: Fields): Fields => service({ serviceRegistries: [{ registryArn, ...fields }] });

const alias = (port: number, dnsName?: string): Fields => ({ port, ...(dnsName !== undefined && { dnsName }) });
const connected = (...services: Fields[]): Fields =>
  service({ serviceConnectConfiguration: { enabled: true, services } });

const everything = {
  enabled: true,
  namespace: 'arn:aws:servicediscovery:eu-west-1:111122223333:namespace/ns-1234567890abcdef',
  services: [
    {
      portName: 'http',
      discoveryName: 'api',
      clientAliases: [
        {
          port: 80,
          dnsName: 'api.internal',
          testTrafficRules: { header: { name: 'x-test', value: { exact: 'yes' } } },
        },
      ],
      ingressPortOverride: 15000,
      timeout: { idleTimeoutSeconds: 300, perRequestTimeoutSeconds: 0 },
      tls: {
        issuerCertificateAuthority: {
          awsPcaAuthorityArn: 'arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/a',
        },
        kmsKey: 'key',
        roleArn: 'role',
      },
    },
    { portName: 'admin_port', clientAliases: [alias(8080)], discoveryName: null },
  ],
  logConfiguration: { logDriver: 'awslogs', options: { 'awslogs-group': '/ecs/proxy' } },
  accessLogConfiguration: { format: 'JSON', includeQueryParameters: 'ENABLED' },
  containerConfigurations: [{ logLevel: 'debug' }],
};

export const serviceDiscoverySamples: readonly Sample[] = [
  { title: 'a registry by ARN', kind: 'Service', spec: registry({}) },
  { title: 'a registry by name, and null', kind: 'Service', spec: registry({ registryArn: 'api', port: null }) },
  { title: 'a registry with a port', kind: 'Service', spec: registry({ port: 8080 }) },
  {
    title: 'a registry with a port of a container',
    kind: 'Service',
    spec: registry({ containerName: 'web', containerPort: 80 }),
  },
  { title: 'no registries', kind: 'Service', spec: service({ serviceRegistries: [] }) },
  {
    title: 'two registries',
    kind: 'Service',
    spec: service({ serviceRegistries: [{ registryArn: 'a' }, { registryArn: 'b' }] }),
    refused: ['spec.serviceRegistries', '1'],
  },
  {
    title: 'a registry without its ARN',
    kind: 'Service',
    spec: service({ serviceRegistries: [{ port: 80 }] }),
    refused: ['spec.serviceRegistries[0].registryArn', 'Required value'],
  },
  {
    title: 'a registry with port 0',
    kind: 'Service',
    spec: registry({ port: 0 }),
    refused: ['serviceRegistries[0].port', '1'],
  },
  {
    title: 'Service Connect with everything',
    kind: 'Service',
    spec: service({ serviceConnectConfiguration: everything }),
  },
  { title: 'Service Connect for a client', kind: 'Service', spec: connected() },
  {
    title: 'Service Connect switched off',
    kind: 'Service',
    spec: service({ serviceConnectConfiguration: { enabled: false } }),
  },
  {
    title: 'one name with two ports',
    kind: 'Service',
    spec: connected(
      { portName: 'http', clientAliases: [alias(80, 'api')] },
      { portName: 'grpc', clientAliases: [alias(81, 'api')] },
    ),
  },
  {
    title: 'Service Connect that does not say whether it is on',
    kind: 'Service',
    spec: service({ serviceConnectConfiguration: { services: [] } }),
    refused: ['spec.serviceConnectConfiguration.enabled', 'Required value'],
  },
  {
    title: 'an alias without a port',
    kind: 'Service',
    spec: connected({ portName: 'http', clientAliases: [{ dnsName: 'api' }] }),
    refused: ['spec.serviceConnectConfiguration.services[0].clientAliases[0].port', 'Required value'],
  },
  {
    title: 'an alias in upper case',
    kind: 'Service',
    spec: connected({ portName: 'http', clientAliases: [alias(80, 'API')] }),
    refused: ['spec.serviceConnectConfiguration.services[0].clientAliases[0].dnsName'],
  },
  {
    title: 'a port that starts with a hyphen',
    kind: 'Service',
    spec: connected({ portName: '-http', clientAliases: [alias(80)] }),
    refused: ['spec.serviceConnectConfiguration.services[0].portName'],
  },
  {
    title: 'a field of Service Connect that AWS has not',
    kind: 'Service',
    spec: service({ serviceConnectConfiguration: { enabled: true, proxy: 'envoy' } }),
    refused: ['proxy'],
  },
  {
    title: 'a Cloud Map service mapped to what no core Service can be named',
    kind: 'Cluster',
    spec: { mappings: { serviceRegistries: [{ registryArn, serviceName: '1-api' }] } },
    refused: ['spec.mappings.serviceRegistries[0].serviceName'],
  },
];

const ofRegistry = (path: string, message: string, fields: Fields): BrokenRule => ({
  kind: 'Service',
  path: `spec.serviceRegistries[0]${path}`,
  message,
  spec: registry(fields),
});
const ofConnect = (path: string, message: string, ...services: Fields[]): BrokenRule => ({
  kind: 'Service',
  path: `spec.serviceConnectConfiguration.services${path}`,
  message,
  spec: connected(...services),
});

const oneAlias = 'clientAliases must have 1 element.';

export const brokenServiceDiscovery: readonly BrokenRule[] = [
  ofRegistry(
    '.port',
    "Specify a value for either 'port' or the 'containerName' and 'containerPort' combination, but not both",
    { port: 80, containerName: 'web', containerPort: 80 },
  ),
  ofRegistry('', 'containerName and containerPort must be given together', { containerName: 'web' }),
  ofConnect('[0].clientAliases', oneAlias, { portName: 'http' }),
  ofConnect('[0].clientAliases', oneAlias, { portName: 'http', clientAliases: [alias(80, 'a'), alias(80, 'b')] }),
  ofConnect(
    '',
    "discoveryName 'api' is used more than once; each must be unique, and so must be the portName that it defaults to",
    { portName: 'http', discoveryName: 'api', clientAliases: [alias(80)] },
    { portName: 'api', clientAliases: [alias(81)] },
  ),
];
