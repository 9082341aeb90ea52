import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/api/cluster.ts';
import { parseService } from '../../../src/api/service.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { compileTemplate } from '../../../src/pod/compile.ts';
import { type Discovery, discoveryOf } from '../../../src/traffic/discovery.ts';

const registryArn = 'arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-a';

const containers = [
  {
    name: 'App',
    image: 'app',
    memory: 64,
    portMappings: [
      { containerPort: 8080, name: 'http', appProtocol: 'http' },
      { containerPort: 9090, name: 'api_grpc', appProtocol: 'grpc' },
    ],
  },
  { name: 'side', image: 'side', memory: 64, essential: false, portMappings: [{ containerPort: 53, protocol: 'udp' }] },
];

interface Given {
  readonly service: object;
  readonly task?: object;
  readonly cluster?: object;
}

function discovery({ service, task = {}, cluster = {} }: Given): Discovery {
  const spec = parseService({ taskDefinition: 'app', desiredCount: 1, ...service });
  const definition = parseTaskDefinition({ networkMode: 'awsvpc', containerDefinitions: containers, ...task });
  return discoveryOf({ ...spec, definition, cluster: parseCluster(cluster), namespace: 'shop' });
}

const registry = (fields: object, task?: object, cluster?: object): Discovery =>
  discovery({
    service: { serviceRegistries: [{ registryArn: 'api', ...fields }] },
    ...(task !== undefined && { task }),
    ...(cluster !== undefined && { cluster }),
  });

/** `name headless: port name/number/protocol → port of the pod`. */
const shown = ({ names }: Discovery): string[] =>
  names.map(({ name, headless, ports }) =>
    [
      `${name}${headless ? ' headless' : ''}:`,
      ...ports.map(
        ({ name: port, port: number, protocol, portName, containerPort }) =>
          `${port}/${number}/${protocol} → ${portName ?? containerPort}`,
      ),
    ].join(' '),
  );
const messages = ({ problems }: Discovery): string[] => problems.map(({ message }) => message);

describe('a registry is a headless core Service', () => {
  it.each<[of: string, fields: object, expected: string]>([
    [
      'with all mapped ports where it names none',
      {},
      'api headless: http/8080/tcp → http api-gr-7f9c85d1/9090/tcp → api-gr-7f9c85d1 udp-53/53/udp → udp-53',
    ],
    [
      'with the port of the container',
      { containerName: 'App', containerPort: 8080 },
      'api headless: http/8080/tcp → http',
    ],
    ['with the port it names', { port: 8080 }, 'api headless: http/8080/tcp → http'],
    ['with a port that nothing maps', { port: 7000 }, 'api headless: tcp-7000/7000/tcp → 7000'],
  ])('%s: %j', (_, fields, expected) => {
    const found = registry(fields);
    expect(shown(found)).toEqual([expected]);
    expect(found.problems).toEqual([]);
  });

  it('without ports of a task definition that maps none: its name gives the addresses', () => {
    const found = registry({}, { containerDefinitions: [{ name: 'App', image: 'app', memory: 64 }] });
    expect(found).toEqual({ registrations: [], names: [{ name: 'api', headless: true, ports: [] }], problems: [] });
  });

  it('that the Cluster names where it is an ARN', () => {
    const mappings = { serviceRegistries: [{ registryArn, serviceName: 'orders' }] };
    expect(registry({ registryArn }, {}, { mappings }).names.map(({ name }) => name)).toEqual(['orders']);
  });

  it.each<[fields: object, task: object, message: string]>([
    [
      { registryArn },
      {},
      `spec.serviceRegistries[0].registryArn: "${registryArn}" has no mapping: add {registryArn, serviceName} to spec.mappings.serviceRegistries of the namespace's Cluster`,
    ],
    [
      { registryArn: 'my_api' },
      {},
      'spec.serviceRegistries[0].registryArn: "my_api" is no ARN, and cannot be the name of a core Service (at most 63 of a-z, 0-9 and -, starting with a letter): add {registryArn, serviceName} to spec.mappings.serviceRegistries of the namespace\'s Cluster',
    ],
    [
      { containerName: 'app', containerPort: 8080 },
      {},
      'spec.serviceRegistries[0].containerName: The container app does not exist in the task definition.',
    ],
    [
      { containerName: 'App', containerPort: 80 },
      {},
      'spec.serviceRegistries[0].containerPort: The container App did not have a container port 80 defined.',
    ],
    [
      {},
      { networkMode: 'bridge' },
      'spec.serviceRegistries[0]: with networkMode=bridge you must specify containerName and containerPort',
    ],
    [
      { port: 8080 },
      { networkMode: 'host' },
      'spec.serviceRegistries[0]: with networkMode=host you must specify containerName and containerPort',
    ],
  ])('or a problem that blocks: %j with %j', (fields, task, message) => {
    const found = registry(fields, task);
    expect(found.names).toEqual([]);
    expect(found.problems).toMatchObject([{ message, blocks: true }]);
  });

  it('in bridge as well, with containerName and containerPort', () => {
    const found = registry({ containerName: 'App', containerPort: 8080 }, { networkMode: 'bridge' });
    expect(shown(found)).toEqual(['api headless: http/8080/tcp → http']);
  });
});

interface Alias {
  readonly portName?: string;
  readonly discoveryName?: string;
  readonly port?: number;
  readonly dnsName?: string;
}

const connected = (
  aliases: readonly Alias[],
  { cloudMap, ...more }: { cloudMap?: string; [field: string]: unknown } = {},
) =>
  discovery({
    service: {
      serviceConnectConfiguration: {
        enabled: true,
        ...(cloudMap !== undefined && { namespace: cloudMap }),
        services: aliases.map(({ portName = 'http', discoveryName, port = 80, dnsName }) => ({
          portName,
          ...(discoveryName !== undefined && { discoveryName }),
          clientAliases: [{ port, ...(dnsName !== undefined && { dnsName }) }],
        })),
      },
      ...more,
    },
  });

describe('a client alias is a core Service', () => {
  it.each<[alias: Alias, expected: string]>([
    [{ dnsName: 'api' }, 'api: http/80/tcp → http'],
    [{ dnsName: 'api.shop' }, 'api: http/80/tcp → http'],
    [{ dnsName: 'api.shop.svc.cluster.local' }, 'api: http/80/tcp → http'],
    [{ dnsName: 'api', discoveryName: 'other_one' }, 'api: http/80/tcp → http'],
    [{ discoveryName: 'orders', port: 8080 }, 'orders: http/8080/tcp → http'],
    [{}, 'http: http/80/tcp → http'],
    [{ dnsName: 'api', portName: 'api_grpc', port: 81 }, 'api: api-gr-7f9c85d1/81/tcp → api-gr-7f9c85d1'],
  ])('%j', (alias, expected) => {
    const found = connected([alias]);
    expect(shown(found)).toEqual([expected]);
    expect(found.problems).toEqual([]);
  });

  it('says which protocol its port speaks, in words that data planes know', () => {
    const found = connected([{ dnsName: 'a' }, { portName: 'api_grpc', dnsName: 'b' }]);
    expect(found.names.map(({ ports }) => ports[0]?.appProtocol)).toEqual(['http', 'kubernetes.io/h2c']);
  });

  it('whose tasks go on for a while when they stop: nobody tries another where one has gone', () => {
    const serviceRegistries = [{ registryArn: 'tasks', port: 8080 }];
    const found = connected([{ dnsName: 'api' }], { serviceRegistries });
    const pauses = found.registrations.map(({ service, pauseSeconds }) => [service, pauseSeconds]);
    expect(pauses).toEqual([
      ['tasks', undefined],
      ['api', 5],
    ]);
    const pod = (registrations: Discovery['registrations']) =>
      compileTemplate({
        definition: parseTaskDefinition({ networkMode: 'awsvpc', containerDefinitions: containers }),
        family: 'app',
        traffic: { ...found, registrations },
      }).spec;
    expect(pod(found.registrations)).toMatchObject({
      terminationGracePeriodSeconds: 35,
      containers: [{ lifecycle: { preStop: { sleep: { seconds: 5 } } } }, {}],
    });
    expect(pod(found.registrations.slice(0, 1)).terminationGracePeriodSeconds).toBe(30);
  });

  it('that several ports share where they have one name', () => {
    const found = connected([{ dnsName: 'api' }, { portName: 'api_grpc', dnsName: 'api', port: 81 }]);
    expect(shown(found)).toEqual(['api: http/80/tcp → http api-gr-7f9c85d1/81/tcp → api-gr-7f9c85d1']);
  });

  it('with an address of its own where a registry has the same name', () => {
    const serviceRegistries = [{ registryArn: 'api', containerName: 'App', containerPort: 8080 }];
    const found = connected([{ dnsName: 'api' }], { serviceRegistries });
    expect(shown(found)).toEqual(['api: http/8080/tcp → http http-80/80/tcp → http']);
    expect(found.problems).toEqual([]);
  });

  it('of none where Service Connect is off, or the service is only a client', () => {
    const off = {
      serviceConnectConfiguration: { enabled: false, services: [{ portName: 'x', clientAliases: [{ port: 1 }] }] },
    };
    expect(discovery({ service: off })).toEqual({ registrations: [], names: [], problems: [] });
    expect(connected([])).toEqual({ registrations: [], names: [], problems: [] });
  });

  it.each<[alias: Alias, cloudMap: string | undefined, message: string]>([
    [
      { portName: 'web' },
      undefined,
      'services[0].portName: "web" must match the name of one of the portMappings of the task definition: there are http, api_grpc',
    ],
    [
      { dnsName: 'api.example.com' },
      undefined,
      'services[0].clientAliases[0].dnsName: "api.example.com" does not resolve in this cluster; allowed: a name (at most 63 of a-z, 0-9 and -, starting with a letter), or one followed by .shop',
    ],
    [
      { dnsName: 'my_api' },
      undefined,
      'services[0].clientAliases[0].dnsName: "my_api" does not resolve in this cluster; allowed: a name (at most 63 of a-z, 0-9 and -, starting with a letter), or one followed by .shop',
    ],
    [
      { portName: 'api_grpc' },
      undefined,
      'services[0].portName: "api_grpc" does not resolve in this cluster; allowed: a name (at most 63 of a-z, 0-9 and -, starting with a letter), or one followed by .shop',
    ],
  ])('or a problem that blocks: %j in %s', (alias, cloudMap, message) => {
    const found = connected([alias], cloudMap === undefined ? {} : { cloudMap });
    expect(found.names).toEqual([]);
    expect(found.problems).toMatchObject([{ message: `spec.serviceConnectConfiguration.${message}`, blocks: true }]);
  });

  const says = (given: string) =>
    `"${given}" does not resolve in this cluster, "api" and "api.shop" do: give clients one of them, or run the services in a namespace called as that of Cloud Map`;

  it.each<[alias: Alias, cloudMap: string, message: string | undefined]>([
    [{ discoveryName: 'api' }, 'shop', undefined],
    [{ discoveryName: 'api' }, 'arn:aws:servicediscovery:eu-west-1:111122223333:namespace/ns-a', undefined],
    [{ discoveryName: 'api' }, 'shop.local', `services[0].discoveryName: ${says('api.shop.local')}`],
    [{ dnsName: 'api.shop.local' }, 'shop.local', `services[0].clientAliases[0].dnsName: ${says('api.shop.local')}`],
    [{ dnsName: 'api' }, 'shop.local', undefined],
  ])('with a word about a Cloud Map namespace that DNS does not know here: %j in %s', (alias, cloudMap, message) => {
    for (const found of [
      connected([alias], { cloudMap }),
      discovery({
        service: {
          serviceConnectConfiguration: {
            enabled: true,
            services: [
              {
                portName: 'http',
                ...(alias.discoveryName !== undefined && { discoveryName: alias.discoveryName }),
                clientAliases: [{ port: 80, ...(alias.dnsName !== undefined && { dnsName: alias.dnsName }) }],
              },
            ],
          },
        },
        cluster: { serviceConnectDefaults: { namespace: cloudMap } },
      }),
    ]) {
      expect(shown(found)).toEqual(['api: http/80/tcp → http']);
      expect(messages(found)).toEqual(message === undefined ? [] : [`spec.serviceConnectConfiguration.${message}`]);
      expect(found.problems.some(({ blocks }) => blocks)).toBe(false);
    }
  });

  it('once: a name that two ways of saying it give is told apart by its port', () => {
    const found = connected([{ discoveryName: 'api' }, { portName: 'api_grpc', dnsName: 'api' }]);
    expect(shown(found)).toEqual(['api: http/80/tcp → http']);
    expect(messages(found)).toEqual([
      'spec.serviceConnectConfiguration.services[1]: "api:80" leads to port "http" already; each name:port must be unique',
    ]);
  });

  it('for no range of ports', () => {
    const portMappings = [{ containerPortRange: '80-90', name: 'http' }];
    const containerDefinitions = [{ name: 'App', image: 'app', memory: 64, portMappings }];
    const service = {
      serviceConnectConfiguration: { enabled: true, services: [{ portName: 'http', clientAliases: [{ port: 80 }] }] },
    };
    expect(messages(discovery({ service, task: { containerDefinitions } }))).toEqual([
      'spec.serviceConnectConfiguration.services[0].portName: "http" must match the name of one of the portMappings of the task definition: this one is a range of ports',
    ]);
  });
});
