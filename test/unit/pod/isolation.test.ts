import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { parseCluster } from '../../../src/api/cluster.ts';
import { type Isolation, isolationSchema } from '../../../src/api/isolation.ts';
import { ANNOTATIONS, LABELS } from '../../../src/api/meta.ts';
import {
  parseTaskDefinition,
  type TaskDefinitionSpec,
  taskDefinitionSpecSchema,
} from '../../../src/api/task-definition.ts';
import { jobDefinition } from '../../../src/batch/job-definition.ts';
import { compileTemplate, type PodTemplate } from '../../../src/pod/compile.ts';
import { ISOLATED_USER, isolate } from '../../../src/pod/isolation.ts';
import { isolationRefusal } from '../../../src/pod/isolation-refusal.ts';
import { arbitraryTaskDefinition } from '../../support/arbitrary-task-definition.ts';
import { app } from '../../support/compiled.ts';
import { unrestricted } from '../../support/restricted.ts';

const isolationOf = (fields: object = {}): Isolation => isolationSchema.parse(fields);
const needs = (vcpus: string, memory: string) => [
  { type: 'VCPU', value: vcpus },
  { type: 'MEMORY', value: memory },
];
const containerProperties = (fields: object = {}) => ({
  containerProperties: { image: 'grader', resourceRequirements: needs('0.5', '512'), ...fields },
});
const ecsProperties = (containers: readonly object[], fields: object = {}) => ({
  ecsProperties: {
    taskProperties: [
      {
        containers: containers.map((container, index) => ({
          name: `c${index}`,
          image: 'grader',
          resourceRequirements: needs('0.5', '512'),
          ...container,
        })),
        ...fields,
      },
    ],
  },
});

interface Given {
  readonly isolation?: object;
  /** What `spec.taskDefinition` names. */
  readonly definition?: TaskDefinitionSpec;
  readonly cluster?: object;
}

const refusal = (job: object, { isolation, definition, cluster = {} }: Given = {}): string | undefined => {
  const spec = parseBatchJob(job);
  return isolationRefusal({
    spec,
    definition: jobDefinition(spec, definition),
    cluster: parseCluster(cluster),
    isolation: isolationOf(isolation),
    queue: 'Graders',
  });
};

const isolated = (job: object, { isolation, definition, cluster = {} }: Given = {}): PodTemplate => {
  const spec = parseBatchJob(job);
  const template = compileTemplate({
    definition: jobDefinition(spec, definition),
    family: 'job',
    cluster: parseCluster(cluster),
    ...(spec.kubernetes !== undefined && { kubernetes: spec.kubernetes }),
  });
  return isolate(template, isolationOf(isolation), 'graders');
};

/** Fields with which a definition may ask for more than it gets. */
const TEMPTING = {
  task: ['networkMode', 'pidMode', 'ipcMode', 'ephemeralStorage', 'runtimePlatform', 'volumes'],
  container: [
    'user',
    'privileged',
    'linuxParameters',
    'systemControls',
    'resourceRequirements',
    'dockerSecurityOptions',
    'portMappings',
    'mountPoints',
  ],
} as const;

/** Definitions with at most a few of them: with all, each would be refused. */
const tempting = fc
  .tuple(arbitraryTaskDefinition, fc.subarray([...TEMPTING.task, ...TEMPTING.container], { maxLength: 3 }))
  .map(([definition, kept]) => {
    const without = (fields: readonly (typeof kept)[number][], from: object): object =>
      Object.fromEntries(
        Object.entries(from).filter(([key]) => !fields.some((field) => field === key && !kept.includes(field))),
      );
    const { containerDefinitions = [], ...task } = definition as { readonly containerDefinitions?: readonly object[] };
    return {
      ...without(TEMPTING.task, task),
      containerDefinitions: containerDefinitions.map((container) => without(TEMPTING.container, container)),
    };
  });

describe('an isolated pod', () => {
  it('is restricted, and has no name of its own in the cluster', () => {
    const { spec, labels, annotations } = isolated(containerProperties());
    expect(unrestricted(spec)).toEqual([]);
    expect(labels).toMatchObject({ [LABELS.jobQueue]: 'graders' });
    expect(annotations[ANNOTATIONS.deadline]).toBe('3600');
    expect(spec).toMatchObject({
      activeDeadlineSeconds: 3600,
      serviceAccountName: 'graders-isolated',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsUser: ISOLATED_USER, runAsGroup: ISOLATED_USER },
      volumes: [{ name: 'longshore-tmp-0', emptyDir: { sizeLimit: '1024Mi' } }],
      containers: [
        {
          securityContext: { readOnlyRootFilesystem: true },
          volumeMounts: [{ name: 'longshore-tmp-0', mountPath: '/tmp' }],
          resources: {
            requests: { cpu: '500m', memory: '512Mi', 'ephemeral-storage': '0' },
            limits: { cpu: '1000m', memory: '512Mi', 'ephemeral-storage': '1024Mi' },
          },
        },
      ],
    });
    expect(spec.runtimeClassName).toBeUndefined();
  });

  it('has the RuntimeClass and the ceilings of its queue', () => {
    const isolation = {
      runtimeClassName: 'gvisor',
      maxVcpus: 2,
      maxMemoryMiB: 600,
      maxEphemeralStorageMiB: 50,
      maxDurationSeconds: 90,
    };
    const volumes = [{ name: 'work' }];
    const mountPoints = [{ sourceVolume: 'work', containerPath: '/tmp' }];
    const { spec } = isolated(containerProperties({ volumes, mountPoints }), { isolation });
    expect(spec).toMatchObject({
      runtimeClassName: 'gvisor',
      activeDeadlineSeconds: 90,
      volumes: [{ name: 'work', emptyDir: { sizeLimit: '50Mi' } }],
      containers: [
        {
          volumeMounts: [{ name: 'work', mountPath: '/tmp' }],
          resources: { limits: { cpu: '2000m', memory: '512Mi', 'ephemeral-storage': '50Mi' } },
        },
      ],
    });
  });

  it('keeps the user that its job names by number', () => {
    const [container] = isolated(containerProperties({ user: '1000:1001' })).spec.containers;
    expect(container?.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1001 });
  });

  it('divides the ceilings among containers without limits of their own', () => {
    const definition = parseTaskDefinition({
      containerDefinitions: [
        app({ name: 'a', cpu: 512, memory: 300 }),
        app({ name: 'b', cpu: 256, memory: undefined, memoryReservation: 100 }),
        app({ name: 'c', cpu: 256, memory: undefined, memoryReservation: 100 }),
      ],
    });
    const { spec } = isolated({ taskDefinition: 'web' }, { definition, isolation: { maxMemoryMiB: 1000 } });
    const limits = spec.containers.map(({ resources }) => resources?.limits);
    expect(limits).toMatchObject([
      { cpu: '500m', memory: '300Mi', 'ephemeral-storage': '1024Mi' },
      { cpu: '250m', memory: '350Mi' },
      { cpu: '250m', memory: '350Mi' },
    ]);
  });

  it('has no annotation that a runtime could take for an order', () => {
    const labels = { 'io.katacontainers.config.hypervisor.path': '/bin/sh', 'cdi.k8s.io/x': 'vendor.com/device=all' };
    const definition = parseTaskDefinition({ containerDefinitions: [app({ dockerLabels: labels })] });
    const { annotations } = isolated({ taskDefinition: 'web' }, { definition });
    expect(Object.keys(annotations).filter((key) => !key.startsWith('longshore.dev/'))).toEqual([]);
    expect(JSON.parse(annotations[ANNOTATIONS.dockerLabels] ?? '')).toEqual({ app: labels });
  });

  it('is restricted whatever its job asks for, unless the job is refused', () => {
    const isolation = { maxVcpus: 1024, maxMemoryMiB: 16777216, maxEphemeralStorageMiB: 16777216 };
    let started = 0;
    fc.assert(
      fc.property(tempting, (raw) => {
        const { data: definition } = taskDefinitionSpecSchema.safeParse(raw);
        const job = { taskDefinition: 'any' };
        if (definition === undefined || refusal(job, { definition, isolation }) !== undefined) return;
        started += 1;
        const { spec } = isolated(job, { definition, isolation });
        expect(unrestricted(spec)).toEqual([]);
        expect(spec.automountServiceAccountToken).toBe(false);
        for (const { emptyDir } of spec.volumes ?? [])
          expect(emptyDir === undefined || emptyDir.sizeLimit !== undefined).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(started).toBeGreaterThan(30);
  });
});

describe('the isolation of a queue', () => {
  it('takes a job that asks for what it allows', () => {
    expect(refusal(containerProperties())).toBeUndefined();
    expect(refusal(containerProperties({ user: '1000', readonlyRootFilesystem: true }))).toBeUndefined();
    const timeout = { attemptDurationSeconds: 3600 };
    expect(refusal({ ...containerProperties({ resourceRequirements: needs('1', '2048') }), timeout })).toBeUndefined();
    expect(refusal(ecsProperties([{}, {}]))).toBeUndefined();
    const runtimeClassName = 'gvisor';
    const kubernetes = { runtimeClassName };
    expect(refusal({ ...containerProperties(), kubernetes }, { isolation: { runtimeClassName } })).toBeUndefined();
  });

  const at = 'spec.containerProperties';
  const volume = (sourcePath: string) => ({
    volumes: [{ name: 'v', host: { sourcePath } }],
  });
  it.each<[string, object, string]>([
    ['privileges', containerProperties({ privileged: true }), `${at}.privileged: true is not allowed`],
    ['root', containerProperties({ user: 'root' }), `${at}.user: root is not allowed`],
    ['user 0', containerProperties({ user: '0' }), `${at}.user: 0 is not allowed`],
    ['group 0', containerProperties({ user: '1000:0' }), `${at}.user: 1000:0 is not allowed`],
    ['a user by name', containerProperties({ user: 'app' }), `${at}.user: app is not allowed`],
    ['a group by name', containerProperties({ user: '1000:app' }), `${at}.user: 1000:app is not allowed`],
    ['a path of the node', containerProperties(volume('/etc')), `${at}.volumes[0]: /etc is not allowed`],
    [
      'a device',
      containerProperties({ linuxParameters: { devices: [{ hostPath: '/dev/kvm' }] } }),
      `${at}.linuxParameters.devices: /dev/kvm is not allowed`,
    ],
    [
      'a GPU',
      containerProperties({ resourceRequirements: [...needs('1', '512'), { type: 'GPU', value: '1' }] }),
      `${at}.resourceRequirements: GPU 1 is not allowed`,
    ],
    ['a role', containerProperties({ jobRoleArn: 'arn:aws:iam::1:role/r' }), `${at}.jobRoleArn: arn:aws:iam::1:role/r`],
    [
      'more CPU',
      containerProperties({ resourceRequirements: needs('2', '512') }),
      `${at}: VCPU 2 is not allowed: queue "Graders" isolates its jobs, with at most 1 (kubernetes.isolation.maxVcpus)`,
    ],
    [
      'more memory',
      containerProperties({ resourceRequirements: needs('1', '2049') }),
      `${at}: MEMORY 2049 is not allowed: queue "Graders" isolates its jobs, with at most 2048`,
    ],
    [
      'more memory by an override',
      { ...containerProperties(), containerOverrides: { resourceRequirements: [{ type: 'MEMORY', value: '4096' }] } },
      `${at}: MEMORY 4096 is not allowed`,
    ],
    [
      'more memory in sum',
      ecsProperties([{}, {}, {}, {}, {}]),
      'spec.ecsProperties.taskProperties[0].containers: VCPU 2.5 is not allowed',
    ],
    [
      'privileges for its second container',
      ecsProperties([{}, { privileged: true }]),
      'spec.ecsProperties.taskProperties[0].containers[1].privileged: true is not allowed',
    ],
    [
      'the network of the node',
      ecsProperties([{}], { networkMode: 'host' }),
      'spec.ecsProperties.taskProperties[0].networkMode: host is not allowed',
    ],
    [
      'the processes of the node',
      ecsProperties([{}], { pidMode: 'host' }),
      'spec.ecsProperties.taskProperties[0].pidMode: host is not allowed',
    ],
    [
      'the shared memory of the node',
      ecsProperties([{}], { ipcMode: 'host' }),
      'spec.ecsProperties.taskProperties[0].ipcMode: host is not allowed',
    ],
    [
      'more storage',
      containerProperties({ ephemeralStorage: { sizeInGiB: 21 } }),
      `${at}.ephemeralStorage: 21504 MiB is not allowed`,
    ],
    [
      'more time',
      { ...containerProperties(), timeout: { attemptDurationSeconds: 3601 } },
      'spec.timeout.attemptDurationSeconds: 3601 is not allowed',
    ],
    [
      'a ServiceAccount',
      { ...containerProperties(), kubernetes: { serviceAccountName: 'admin' } },
      'spec.kubernetes.serviceAccountName: admin is not allowed',
    ],
    [
      'another runtime',
      { ...containerProperties(), kubernetes: { runtimeClassName: 'runc' } },
      'spec.kubernetes.runtimeClassName: runc is not allowed',
    ],
    [
      'labels that others select',
      { ...containerProperties(), kubernetes: { podLabels: { app: 'web' } } },
      'spec.kubernetes.podLabels: app is not allowed',
    ],
    [
      'annotations',
      { ...containerProperties(), kubernetes: { podAnnotations: { 'cdi.k8s.io/a': 'b' } } },
      'spec.kubernetes.podAnnotations: cdi.k8s.io/a is not allowed',
    ],
  ])('refuses %s, in one sentence', (_, job, begins) => {
    const sentence = refusal(job);
    expect(sentence?.startsWith(begins), sentence).toBe(true);
    expect(sentence).toContain('queue "Graders" isolates its jobs');
  });

  const web = (container: object = {}, task: object = {}) =>
    parseTaskDefinition({ ...task, containerDefinitions: [app({ memory: 64, ...container })] });
  const efs = { fileSystemId: 'fs-12345678' };
  it.each<[string, TaskDefinitionSpec, string]>([
    [
      'capabilities',
      web({ linuxParameters: { capabilities: { add: ['SYS_ADMIN'] } } }),
      'task definition web, containerDefinitions[0].linuxParameters.capabilities.add: SYS_ADMIN is not allowed',
    ],
    [
      'ports of the node',
      web({ portMappings: [{ containerPort: 80, hostPort: 8080 }] }),
      'task definition web, containerDefinitions[0].portMappings: hostPort 8080 is not allowed',
    ],
    [
      'kernel parameters',
      web({ systemControls: [{ namespace: 'net.core.somaxconn', value: '1' }] }),
      'task definition web, containerDefinitions[0].systemControls: net.core.somaxconn is not allowed',
    ],
    [
      'security options',
      web({ dockerSecurityOptions: ['apparmor:unconfined'] }),
      'task definition web, containerDefinitions[0].dockerSecurityOptions: apparmor:unconfined is not allowed',
    ],
    [
      'paths that Docker binds',
      web({}, { volumes: [{ name: 'v', dockerVolumeConfiguration: { driverOpts: { o: 'bind', device: '/' } } }] }),
      'volumes[0] of task definition web: / is not allowed',
    ],
    [
      'exports that the Cluster names',
      web({}, { volumes: [{ name: 'v', efsVolumeConfiguration: efs }] }),
      'volumes[0] of task definition web: nfs.example is not allowed',
    ],
    ['memory of the task', web({}, { memory: '4096' }), 'containerDefinitions of task definition web: MEMORY 4096'],
  ])('refuses %s of a task definition', (_, definition, begins) => {
    const fileSystems = [{ id: 'fs-12345678', nfs: { server: 'nfs.example', path: '/' } }];
    const sentence = refusal({ taskDefinition: 'web' }, { definition, cluster: { mappings: { fileSystems } } });
    expect(sentence?.startsWith(begins), sentence).toBe(true);
  });
});
