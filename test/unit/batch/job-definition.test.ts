import { describe, expect, it } from 'vitest';
import { parseBatchJob } from '../../../src/api/batch-job.ts';
import { InvalidSpecError } from '../../../src/api/parse.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { jobDefinition, substitute } from '../../../src/batch/job-definition.ts';
import { jobTagAnnotation } from '../../../src/pod/tags.ts';

const requirements = (vcpus: string, memory: string) => [
  { type: 'VCPU', value: vcpus },
  { type: 'MEMORY', value: memory },
];

const properties = (fields: object = {}) => ({
  containerProperties: { image: 'busybox', resourceRequirements: requirements('1', '2048'), ...fields },
});

const several = (fields: object = {}) => ({
  ecsProperties: {
    taskProperties: [
      {
        containers: [
          { name: 'helper', image: 'helper', essential: false, command: ['Ref::word'] },
          {
            name: 'main',
            image: 'busybox',
            command: ['echo', 'Ref::word'],
            resourceRequirements: requirements('1', '64'),
          },
        ],
        ...fields,
      },
    ],
  },
});

const definitionOf = (spec: object, definition?: object) =>
  jobDefinition(parseBatchJob(spec), definition === undefined ? undefined : parseTaskDefinition(definition));

/** The containers as the job runs them, by name. */
const containersOf = (spec: object, definition?: object) =>
  Object.fromEntries(
    definitionOf(spec, definition).containerDefinitions.map((container) => [container.name, container]),
  );

describe('a job definition as a task definition', () => {
  it('of one container has it under the name default, with an address of its own', () => {
    expect(definitionOf(properties({ jobRoleArn: 'app', user: '1000' }))).toMatchObject({
      networkMode: 'awsvpc',
      taskRoleArn: 'app',
      containerDefinitions: [{ name: 'default', essential: true, cpu: 1024, memory: 2048, user: '1000' }],
    });
  });

  it('has no size of its own, but on Fargate that of its containers, overrides included', () => {
    const sizeOf = ({ cpu, memory }: { cpu?: string | undefined; memory?: string | undefined }) => [cpu, memory];
    expect(sizeOf(definitionOf(properties()))).toEqual([undefined, undefined]);
    const fargate = { platformCapabilities: ['FARGATE'], ...properties() };
    expect(sizeOf(definitionOf(fargate))).toEqual(['1024', '2048']);
    const containerOverrides = { resourceRequirements: [{ type: 'MEMORY', value: '4096' }] };
    expect(sizeOf(definitionOf({ ...fargate, containerOverrides }))).toEqual(['1024', '4096']);
  });

  it('of several containers has each, in their order, and what the task has', () => {
    const task = { volumes: [{ name: 'data' }], pidMode: 'task', networkMode: 'host', taskRoleArn: 'app' };
    const { containerDefinitions, ...definition } = definitionOf(several(task));
    expect(definition).toMatchObject({ ...task, volumes: [{ name: 'data', configuredAtLaunch: false }] });
    expect(containerDefinitions).toMatchObject([
      { name: 'helper', essential: false, cpu: 0, stopTimeout: 30 },
      { name: 'main', essential: true, cpu: 1024, memory: 64 },
    ]);
    expect(containerDefinitions[0]?.memory).toBeUndefined();
  });

  it('writes the permissions of devices as ECS does', () => {
    const linuxParameters = { devices: [{ hostPath: '/dev/fuse', permissions: ['READ', 'MKNOD'] }] };
    expect(containersOf(properties({ linuxParameters })).default?.linuxParameters?.devices).toEqual([
      { hostPath: '/dev/fuse', permissions: ['read', 'mknod'] },
    ]);
  });
});

describe('parameters (AWS: job definition parameters, Parameters)', () => {
  it('stand in the command of every container, and nowhere else', () => {
    const { helper, main } = containersOf({ ...several(), parameters: { word: 'hello' } });
    expect([helper?.command, main?.command]).toEqual([['hello'], ['echo', 'hello']]);
    const environment = [{ name: 'A', value: 'Ref::word' }];
    const { default: one } = containersOf({ ...properties({ environment }), parameters: { word: 'hello' } });
    expect(one?.environment).toEqual(environment);
  });

  it('stand in the commands of overrides and task definitions as well', () => {
    const parameters = { word: 'hello' };
    const containerOverrides = { command: ['say-Ref::word!'] };
    expect(containersOf({ ...properties(), parameters, containerOverrides }).default?.command).toEqual(['say-hello!']);
    const definition = { containerDefinitions: [{ name: 'a', image: 'a', memory: 4, command: ['Ref::word'] }] };
    expect(containersOf({ taskDefinition: 'a', parameters }, definition).a?.command).toEqual(['hello']);
  });

  it('that were not given stay as they were written, whatever an object has by itself', () => {
    expect(substitute(['Ref::constructor', 'Ref::a Ref::b', 'Ref::'], { a: '' })).toEqual([
      'Ref::constructor',
      ' Ref::b',
      'Ref::',
    ]);
  });
});

describe('overrides (AWS: SubmitJob, ContainerOverrides)', () => {
  it.each<[string, object, object, object]>([
    [
      'vcpus and memory change their like',
      { vcpus: 1, memory: 64, resourceRequirements: [] },
      { vcpus: 2, memory: 128 },
      { cpu: 2048, memory: 128 },
    ],
    ['vcpus and memory change no resourceRequirements', {}, { vcpus: 2, memory: 128 }, { cpu: 1024, memory: 2048 }],
    [
      'resourceRequirements change vcpus and memory',
      { vcpus: 1, memory: 64, resourceRequirements: [] },
      { resourceRequirements: requirements('4', '256'), vcpus: 2 },
      { cpu: 4096, memory: 256 },
    ],
  ])('%s', (_, definition, containerOverrides, outcome) => {
    expect(containersOf({ ...properties(definition), containerOverrides }).default).toMatchObject(outcome);
  });

  it('by name change the containers that they name, and no others', () => {
    const ecsPropertiesOverride = {
      taskProperties: [
        { containers: [{ name: 'helper', command: ['x'], resourceRequirements: [{ type: 'MEMORY', value: '32' }] }] },
      ],
    };
    const { helper, main } = containersOf({ ...several(), ecsPropertiesOverride });
    expect(helper).toMatchObject({ command: ['x'], memory: 32 });
    expect(main).toEqual(containersOf(several()).main);
  });

  it('of a task definition change its first essential container, and others by name', () => {
    const container = (name: string, fields: object = {}) => ({ name, image: 'a', memory: 64, ...fields });
    const definition = {
      containerDefinitions: [
        container('sidecar', { essential: false }),
        container('main', { memoryReservation: 32, environment: [{ name: 'A', value: 'a' }] }),
        container('other'),
      ],
    };
    const changed = containersOf(
      {
        taskDefinition: 'web',
        containerOverrides: { memory: 16, environment: [{ name: 'B', value: 'b' }] },
        ecsPropertiesOverride: { taskProperties: [{ containers: [{ name: 'sidecar', command: ['x'] }] }] },
      },
      definition,
    );
    expect(changed.main).toMatchObject({
      memory: 16,
      environment: [
        { name: 'A', value: 'a' },
        { name: 'B', value: 'b' },
      ],
    });
    expect(changed.main?.memoryReservation).toBeUndefined();
    expect(changed.sidecar?.command).toEqual(['x']);
    expect(changed.other).toEqual(containersOf({ taskDefinition: 'web' }, definition).other);
  });

  it('of a container that the task definition has not are refused', () => {
    const ecsPropertiesOverride = { taskProperties: [{ containers: [{ name: 'none' }] }] };
    const definition = { containerDefinitions: [{ name: 'a', image: 'a', memory: 4 }] };
    expect(() => containersOf({ taskDefinition: 'a', ecsPropertiesOverride }, definition)).toThrow(
      new InvalidSpecError([
        {
          path: 'spec.ecsPropertiesOverride.taskProperties[0].containers[0].name',
          message: 'the task definition has no container named none; it has: a',
        },
      ]),
    );
  });
});

describe('what only the controller can find of a job', () => {
  const problem = (spec: object): string => {
    try {
      parseBatchJob(spec);
    } catch (error) {
      if (error instanceof InvalidSpecError) return error.message;
      throw error;
    }
    return '';
  };
  const words = (count: number) => Array.from({ length: count }, () => 'x'.repeat(8000));

  it('are overrides of more than 8192 characters, and a definition of more than 24 KiB', () => {
    expect(problem({ ...properties(), containerOverrides: { command: words(1) } })).toBe('');
    // Text: AWS (ecs-semantics §5.14).
    expect(problem({ ...properties(), containerOverrides: { command: words(2) } })).toBe(
      'spec.containerOverrides: Container Overrides length must be at most 8192',
    );
    const containers = [{ name: 'main', command: words(2) }];
    expect(problem({ ...several(), ecsPropertiesOverride: { taskProperties: [{ containers }] } })).toBe(
      'spec.ecsPropertiesOverride: Container Overrides length must be at most 8192',
    );
    expect(problem(properties({ command: words(3) }))).toBe('');
    expect(problem(properties({ command: words(4) }))).toMatch(
      /^spec.containerProperties: has 32\d{3} bytes as JSON; AWS takes a job definition of at most 24576$/,
    );
  });

  it('are containers that wait for each other', () => {
    const waits = (name: string, containerName: string) => ({
      name,
      image: 'a',
      dependsOn: [{ containerName, condition: 'START' }],
    });
    const taskProperties = [{ containers: [waits('a', 'b'), waits('b', 'a')] }];
    expect(problem({ ecsProperties: { taskProperties } })).toBe(
      'spec.ecsProperties.taskProperties[0].containers: containers wait for each other in a cycle: a → b → a',
    );
  });
});

it('the tags of a job are on its tasks where it propagates them, and win over those of the task definition', () => {
  const ofDefinition = [
    { key: 'team', value: 'web' },
    { key: 'stage', value: 'prod' },
  ];
  const tags = { team: 'data' };
  expect(jobTagAnnotation({ tags, propagateTags: false }, ofDefinition)).toEqual({});
  expect(jobTagAnnotation({ tags, propagateTags: true }, ofDefinition)).toEqual({
    'longshore.dev/tags': '{"team":"data","stage":"prod"}',
  });
});
