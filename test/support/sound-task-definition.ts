/** Task definitions of every shape that the schema allows, and that keep to its rules. */
import fc, { type Arbitrary } from 'fast-check';
import type { z } from 'zod';
import { structuralSchema } from '../../dev/generate/structural-schema.ts';
import { taskDefinitionFields } from '../../src/api/task-definition-fields.ts';
import { FARGATE_SIZES } from '../../src/api/task-size.ts';
import { arbitraryOf, type Instead } from './arbitrary-of-schema.ts';

type Definition = z.input<typeof taskDefinitionFields>;
type Container = Definition['containerDefinitions'][number];
type Volume = NonNullable<Definition['volumes']>[number];
type PortMapping = NonNullable<Container['portMappings']>[number];

/** What decides which fields go together. */
interface Setting {
  readonly networkMode: NonNullable<Definition['networkMode']>;
  readonly fargate: boolean;
  readonly size: number;
  readonly router: boolean;
}

const setting: Arbitrary<Setting> = fc
  .record({
    networkMode: fc.constantFrom('bridge', 'host', 'awsvpc', 'none'),
    fargate: fc.boolean(),
    size: fc.nat(),
    router: fc.boolean(),
  })
  .map((given) => ({ ...given, fargate: given.fargate && given.networkMode === 'awsvpc' }));

const token = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);

/** Texts whose form is the concern of a rule, not of the schema. */
const INSTEAD: Instead = {
  family: token,
  'tags[].key': token.map((text) => `k${text}`),
  'tags[].value': token.map((text) => `v${text}`),
  'kubernetes.podLabels[*]': token,
  'containerDefinitions[].name': token,
  'containerDefinitions[].image': fc.stringMatching(/^[a-z][a-z0-9/.-]{0,20}(:[a-z0-9.]{1,8}|@sha256:[a-f0-9]{64})?$/),
  'containerDefinitions[].cpu': fc.nat(25),
  'containerDefinitions[].memory': fc.integer({ min: 4, max: 512 }),
  'containerDefinitions[].memoryReservation': fc.integer({ min: 4, max: 50 }),
  'containerDefinitions[].healthCheck.command': fc
    .tuple(fc.constantFrom('CMD', 'CMD-SHELL'), fc.string())
    .map((command) => [...command]),
  'containerDefinitions[].environmentFiles[].value': token.map((text) => `arn:aws:s3:::bucket/${text}.env`),
  'containerDefinitions[].firelensConfiguration.options': fc.constantFrom(
    { 'config-file-type': 'file', 'config-file-value': '/x' },
    { 'enable-ecs-log-metadata': 'true' },
  ),
};

const schema = structuralSchema(taskDefinitionFields, 'spec', { nullMeansAbsent: false });

export const soundTaskDefinition: Arbitrary<object> = fc
  .tuple(arbitraryOf(schema, INSTEAD), setting)
  // The arbitrary was made from the very schema that this is the type of.
  .map(([given, chosen]) => sound(given as Definition, chosen))
  .map((definition) => JSON.parse(JSON.stringify(definition)) as object);

function sound(given: Definition, chosen: Setting): Definition {
  const { networkMode, fargate } = chosen;
  const volumes = (given.volumes ?? []).map((volume, index) => soundVolume(volume, `volume-${index}`, index, chosen));
  const containerDefinitions = given.containerDefinitions.map((container, at, all) =>
    soundContainer(container, at, all, volumes, chosen),
  );
  const [cpu = 256, memories = [512]] = [...FARGATE_SIZES][chosen.size % FARGATE_SIZES.size] ?? [];
  const [launched] = volumes.filter(({ configuredAtLaunch }) => configuredAtLaunch);
  return {
    ...given,
    networkMode,
    containerDefinitions: containerDefinitions.map((container, at) =>
      at === 0 && launched !== undefined
        ? { ...container, mountPoints: [{ sourceVolume: launched.name, containerPath: '/launched' }] }
        : container,
    ),
    volumes: volumes.map((volume) => ({ ...volume, configuredAtLaunch: volume === launched })),
    tags: (given.tags ?? []).map((tag, index) => ({ ...tag, key: `${tag.key}-${index}` })),
    cpu: fargate ? String(cpu) : given.cpu === undefined ? undefined : '.5 vCPU',
    memory: fargate ? String(memories[chosen.size % memories.length]) : given.memory === undefined ? undefined : '1 GB',
    requiresCompatibilities: fargate ? ['FARGATE'] : ['EC2'],
    inferenceAccelerators: [],
    ephemeralStorage: fargate ? given.ephemeralStorage : undefined,
    runtimePlatform: fargate ? undefined : given.runtimePlatform,
    ipcMode: fargate ? undefined : given.ipcMode,
    pidMode: fargate ? 'task' : given.pidMode,
    placementConstraints: fargate
      ? []
      : (given.placementConstraints ?? []).map(() => ({ type: 'memberOf' as const, expression: 'attribute:a == b' })),
    proxyConfiguration:
      networkMode === 'awsvpc' && given.proxyConfiguration !== undefined
        ? {
            ...given.proxyConfiguration,
            containerName: 'c0',
            properties: (['IgnoredGID', 'AppPorts', 'ProxyIngressPort', 'ProxyEgressPort'] as const).map((name) => ({
              name,
              value: '1',
            })),
          }
        : undefined,
    trustedExecutionConfiguration: given.trustedExecutionConfiguration && {
      attestationPolicy: 'x',
      ...given.trustedExecutionConfiguration,
    },
    kubernetes: given.kubernetes,
  };
}

const SHARED = { nvidiaMps: { memory: 512, maxComputePercent: 50 } };
const EFS = { transitEncryption: 'ENABLED', rootDirectory: '/' } as const;

/** One kind of those that it has; an empty directory without any. */
function soundVolume(volume: Volume, name: string, at: number, { fargate, size }: Setting): Volume {
  const {
    host,
    dockerVolumeConfiguration: docker,
    efsVolumeConfiguration: efs,
    s3filesVolumeConfiguration: s3,
    fsxWindowsFileServerVolumeConfiguration: fsx,
    configuredAtLaunch,
  } = volume;
  const kinds: Omit<Volume, 'name'>[] = [
    ...(host === undefined ? [] : [{ host: fargate ? {} : host }]),
    ...(docker === undefined || fargate ? [] : [{ dockerVolumeConfiguration: { ...docker, autoprovision: true } }]),
    ...(efs === undefined ? [] : [{ efsVolumeConfiguration: { ...efs, ...EFS } }]),
    ...(s3 === undefined ? [] : [{ s3filesVolumeConfiguration: { ...s3, rootDirectory: '/' } }]),
    ...(fsx === undefined ? [] : [{ fsxWindowsFileServerVolumeConfiguration: fsx }]),
    ...(configuredAtLaunch === true ? [{ configuredAtLaunch }] : []),
  ];
  return { name, ...kinds[(size + at) % Math.max(kinds.length, 1)] };
}

/** Each may refer only to those before it, so that there is no cycle. */
function soundContainer(
  given: Container,
  at: number,
  all: readonly Container[],
  volumes: readonly Volume[],
  { networkMode, fargate, router, size }: Setting,
): Container {
  const before = all.slice(0, at);
  const target = (index: number) => `c${index % before.length}`;
  const references = <Item>(items: readonly Item[] | undefined, make: (item: Item, name: string) => Item): Item[] =>
    before.length === 0 ? [] : (items ?? []).map((item, index) => make(item, target(index)));
  const isRouter = router && at === 0;
  const { hostname, extraHosts, dnsServers, dnsSearchDomains, disableNetworking, memory, memoryReservation } = given;
  return {
    ...given,
    ...(networkMode === 'awsvpc'
      ? { hostname: undefined, extraHosts: [], dnsServers: [], dnsSearchDomains: [], disableNetworking: false }
      : { hostname, extraHosts, dnsServers, dnsSearchDomains, disableNetworking }),
    name: `c${at}`,
    essential: at % 2 === 0,
    memory: memory === undefined ? undefined : Math.max(memory, memoryReservation ?? 0),
    memoryReservation: memory === undefined ? (memoryReservation ?? 4) : memoryReservation,
    dependsOn: references(given.dependsOn, (dependency, name) => ({
      containerName: name,
      condition: dependency.condition === 'HEALTHY' || Number(name.slice(1)) % 2 === 0 ? 'START' : dependency.condition,
    })),
    links: networkMode === 'bridge' ? references(given.links, (_, name) => name) : [],
    volumesFrom: references(given.volumesFrom, (from, name) => ({ ...from, sourceContainer: name })),
    mountPoints:
      volumes.length === 0
        ? []
        : (given.mountPoints ?? []).map((mount, index) => ({
            ...mount,
            sourceVolume: volumes[index % volumes.length]?.name ?? '',
          })),
    portMappings: networkMode === 'none' ? [] : soundPorts(given.portMappings ?? [], at, networkMode),
    secrets: (given.secrets ?? []).map((secret, index) => ({ ...secret, name: `SECRET_${index}` })),
    environment: (given.environment ?? []).map((variable) => ({ ...variable, name: `V_${variable.name}` })),
    firelensConfiguration: isRouter ? (given.firelensConfiguration ?? { type: 'fluentd' }) : undefined,
    logConfiguration: isRouter
      ? { logDriver: 'awsfirelens' }
      : given.logConfiguration && {
          ...given.logConfiguration,
          logDriver: 'awslogs',
          options: { 'awslogs-group': 'g', 'awslogs-region': 'r', 'awslogs-stream-prefix': 'p' },
        },
    ulimits: (given.ulimits ?? []).map((ulimit) => ({ ...ulimit, hardLimit: -1 })),
    resourceRequirements:
      fargate || given.resourceRequirements === undefined
        ? []
        : [{ type: 'GPU', ...(size % 2 === 0 ? { value: 'ALL' } : { sharingStrategy: SHARED }) }],
    ...(fargate && {
      privileged: false,
      dockerSecurityOptions: [],
      startTimeout: 2,
      stopTimeout: 120,
      linuxParameters: {
        capabilities: { ...given.linuxParameters?.capabilities, add: ['SYS_PTRACE'] },
        initProcessEnabled: given.linuxParameters?.initProcessEnabled,
        tmpfs: given.linuxParameters?.tmpfs,
      },
    }),
  };
}

function soundPorts(mappings: readonly PortMapping[], at: number, networkMode: Setting['networkMode']): PortMapping[] {
  return mappings.map(({ protocol, appProtocol, name, hostPort, containerPortRange }, index) => {
    const port = 1000 * (at + 1) + 100 * index;
    const common = { protocol, appProtocol, name: name && `${name.slice(0, 50)}-${port}` };
    if (containerPortRange !== undefined && networkMode !== 'host') {
      return { ...common, containerPortRange: `${port}-${port + 99}` };
    }
    return { ...common, containerPort: port, hostPort: hostPort === undefined ? undefined : port };
  });
}
