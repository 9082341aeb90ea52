/** Task definitions of every shape that AWS takes, with names and values that Kubernetes does not take as they are. */
import fc, { type Arbitrary } from 'fast-check';

/** Each of the fields may be absent. */
const some = (fields: Record<string, Arbitrary<unknown>>): Arbitrary<Record<string, unknown>> =>
  fc.record(fields, { requiredKeys: [] });
const few = <T>(item: Arbitrary<T>, maxLength = 3): Arbitrary<T[]> => fc.array(item, { maxLength });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const token = fc.stringMatching(/^[a-z0-9_.-]{1,20}$/);
const path = fc.stringMatching(/^(\/[a-z0-9_.-]{1,8}){1,3}$/).filter((given) => !given.includes('..'));
const oneOf = fc.constantFrom;
const map = (maxKeys = 4) =>
  fc.dictionary(
    fc.oneof(
      token,
      text.filter((key) => key !== ''),
    ),
    text,
    { maxKeys },
  );
const host = fc.oneof(token, oneOf('Legacy', 'a_b', 'x.example', 'x.', '-x'));
const address = fc.oneof(fc.ipV4(), fc.ipV6(), oneOf('host-gateway', '010.1.1.1'));

const awsName = fc.oneof(
  oneOf('app', 'App', 'a_b', 'a-b', '_', '-', `${'n'.repeat(255)}`, '1'),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,255}$/),
);

const healthCheck = fc.record(
  {
    command: fc.tuple(oneOf('CMD', 'CMD-SHELL'), text).map((parts) => [...parts]),
    interval: fc.integer({ min: 5, max: 300 }),
    timeout: fc.integer({ min: 2, max: 60 }),
    retries: fc.integer({ min: 1, max: 10 }),
    startPeriod: fc.integer({ min: 0, max: 300 }),
  },
  { requiredKeys: ['command'] },
);

const linuxParameters = some({
  capabilities: some({ add: few(oneOf('ALL', 'SYS_ADMIN', 'NET_RAW')), drop: few(oneOf('ALL', 'CHOWN')) }),
  devices: few(fc.record({ hostPath: oneOf('/dev/fuse', '/dev/kvm') })),
  initProcessEnabled: fc.boolean(),
  sharedMemorySize: fc.integer({ min: 1, max: 1024 }),
  tmpfs: few(
    fc.record({
      containerPath: oneOf('/run', '/tmp', '/dev/shm', '/data'),
      size: fc.integer({ min: 1, max: 512 }),
      mountOptions: few(oneOf('ro', 'rw', 'noexec', 'mode=1777')),
    }),
  ),
  maxSwap: fc.integer({ min: 0, max: 100 }),
  swappiness: fc.integer({ min: 0, max: 100 }),
});

const securityOption = oneOf(
  'no-new-privileges',
  'apparmor:web',
  'apparmor:unconfined',
  'label:user:u',
  'label:level:s0:c1,c2',
  'label:disable',
  'label:what',
  'credentialspec:file://x',
);

const control = fc.record({
  namespace: oneOf('net.core.somaxconn', 'net.ipv4.tcp_syncookies', 'kernel.shmmax', 'fs.mqueue.msg_max', 'net.X/Y.z'),
  value: oneOf('1', '1 2', 'x'),
});

/** No two of a task's containers map one port of the node. */
const portMappings = (at: number) =>
  fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }).chain((ports) =>
    fc.tuple(
      ...ports.map((port) =>
        fc.oneof(
          some({
            hostPort: oneOf(...(at === 0 ? [0] : []), 8000 + 10 * at + port),
            protocol: oneOf('tcp', 'udp'),
            name: oneOf(`http-${at}-${port}`, `a_b-${at}-${port}`),
          }).map((fields) => ({ ...fields, containerPort: 8000 + 10 * at + port })),
          fc.constant({ containerPortRange: `${10_000 + 3000 * at + 200 * port}-${10_100 + 3000 * at + 200 * port}` }),
        ),
      ),
    ),
  );

/** The options that awslogs must have; they do no harm to others. */
const withAwslogs = (options: object) => ({ ...options, 'awslogs-group': 'g', 'awslogs-region': 'r' });

const container = (name: string, at: number) =>
  some({
    cpu: fc.integer({ min: 0, max: 250 }),
    memory: fc.integer({ min: 64, max: 512 }),
    memoryReservation: fc.integer({ min: 4, max: 64 }),
    portMappings: portMappings(at),
    essential: oneOf(true, true, true, false),
    restartPolicy: fc.record(
      {
        enabled: fc.boolean(),
        ignoredExitCodes: few(fc.integer({ min: 0, max: 255 }), 5),
        restartAttemptPeriod: fc.integer({ min: 60, max: 1800 }),
      },
      { requiredKeys: ['enabled'] },
    ),
    entryPoint: few(text),
    command: few(text),
    environment: few(fc.record({ name: fc.stringMatching(/^[ -<>-~]{1,30}$/), value: text })),
    mountPoints: few(fc.record({ sourceVolume: oneOf('Data_1', 'host'), containerPath: path, readOnly: fc.boolean() })),
    stopTimeout: fc.integer({ min: 1, max: 120 }),
    healthCheck,
    dockerLabels: map(),
    logConfiguration: fc.record({ logDriver: oneOf('awslogs', 'json-file'), options: map(2).map(withAwslogs) }),
    ulimits: few(fc.record({ name: oneOf('nofile', 'core'), softLimit: fc.constant(1), hardLimit: fc.constant(2) })),
    systemControls: few(control),
    resourceRequirements: few(fc.record({ type: fc.constant('GPU'), value: oneOf('1', 'ALL') }), 1),
    linuxParameters,
    dockerSecurityOptions: few(securityOption),
    dnsServers: few(address, 5),
    dnsSearchDomains: few(host, 5),
    extraHosts: few(fc.record({ hostname: host, ipAddress: address })),
    disableNetworking: fc.boolean(),
    hostname: fc.oneof(host, oneOf('Web.Example', 'h'.repeat(255))),
    user: oneOf('app', 'root', '1000', '1000:app', 'app:1000', '4294967295', '0:root'),
    workingDirectory: path,
    readonlyRootFilesystem: fc.boolean(),
    privileged: fc.boolean(),
    interactive: fc.boolean(),
    pseudoTerminal: fc.boolean(),
  }).map((fields): Record<string, unknown> => ({ memory: 64, ...fields, name, image: 'busybox' }));

/** Without what AWS does not take beside the network mode. */
function fitting(given: Record<string, unknown>, at: number, networkMode: string): object {
  const { portMappings: ports, hostname, dnsServers, dnsSearchDomains, extraHosts, ...rest } = given;
  const { disableNetworking: _, ...networked } = rest;
  const names = { hostname, dnsServers, dnsSearchDomains, extraHosts };
  switch (networkMode) {
    case 'none':
      return { ...rest, ...names };
    case 'awsvpc':
      return {
        ...networked,
        portMappings: [{ containerPort: 8000 + at }, { containerPortRange: `${9000 + 100 * at}-${9050 + 100 * at}` }],
      };
    case 'host':
      return { ...rest, ...names, portMappings: [{ containerPort: 8000 + at, protocol: 'udp' }] };
    default:
      return { ...rest, ...names, portMappings: ports };
  }
}

const containers = fc
  .uniqueArray(awsName, { minLength: 1, maxLength: 4 })
  .chain((names) => fc.tuple(...names.map(container)));

/** Not all of them keep to the rules that hold between fields: parse them, and leave out what is refused. */
export const arbitraryTaskDefinition: Arbitrary<object> = fc
  .record(
    {
      containerDefinitions: containers,
      networkMode: oneOf('bridge', 'host', 'awsvpc', 'none'),
      cpu: oneOf('1000', '1024', '1 vCPU', '2.5 vcpu', '8192'),
      memory: oneOf('2048', '2GB', '4096'),
      pidMode: oneOf('host', 'task'),
      ipcMode: oneOf('host', 'task', 'none'),
      ephemeralStorage: fc.record({ sizeInGiB: fc.integer({ min: 21, max: 200 }) }),
      runtimePlatform: some({
        cpuArchitecture: oneOf('X86_64', 'ARM64'),
        operatingSystemFamily: oneOf('LINUX', 'WINDOWS_SERVER_2022_CORE'),
      }),
      tags: few(fc.record({ key: token.filter((key) => !key.startsWith('aws')), value: token })),
    },
    { requiredKeys: ['containerDefinitions'] },
  )
  .map(({ containerDefinitions, ...task }) => ({
    ...task,
    containerDefinitions: containerDefinitions.map((given, at) => fitting(given, at, task.networkMode ?? 'bridge')),
    volumes: [{ name: 'Data_1' }, { name: 'host', host: { sourcePath: '/srv' } }],
  }));
