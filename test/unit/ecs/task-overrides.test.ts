import { describe, expect, it } from 'vitest';
import { parseTask } from '../../../src/api/task.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { closestMatch, placementFailure, portHolder } from '../../../src/ecs/placement-failure.ts';
import { withOverrides } from '../../../src/ecs/task-overrides.ts';

const definition = parseTaskDefinition({
  cpu: '512',
  memory: '1024',
  taskRoleArn: 'arn:aws:iam::111122223333:role/one',
  containerDefinitions: [
    {
      name: 'app',
      image: 'app',
      command: ['serve'],
      memory: 256,
      environment: [
        { name: 'KEPT', value: 'kept' },
        { name: 'MODE', value: 'definition' },
      ],
      environmentFiles: [{ value: 'arn:aws:s3:::bucket/one.env', type: 's3' }],
      resourceRequirements: [{ type: 'GPU', value: '1' }],
    },
    { name: 'log', image: 'log', memory: 64 },
  ],
});

const overridden = (overrides: object) =>
  withOverrides(definition, parseTask({ taskDefinition: 'app', overrides }).overrides);

describe('overrides (ecs-semantics §4)', () => {
  it('that say nothing change nothing', () => {
    expect(withOverrides(definition, undefined)).toEqual(definition);
    expect(overridden({})).toEqual(definition);
    expect(overridden({ containerOverrides: [{ name: 'app' }] })).toEqual(definition);
  });

  it('of a container replace its command and files, and add to its environment by name', () => {
    const app = {
      name: 'app',
      command: ['migrate', '--all'],
      environment: [
        { name: 'MODE', value: 'override' },
        { name: 'NEW', value: 'new' },
      ],
      environmentFiles: [{ value: 'arn:aws:s3:::bucket/two.env', type: 's3' }],
      cpu: 128,
      memory: 512,
      memoryReservation: 256,
      resourceRequirements: [{ type: 'GPU', value: '2' }],
    };
    const { containerDefinitions } = overridden({ containerOverrides: [app] });
    expect(containerDefinitions[0]).toEqual({
      ...definition.containerDefinitions[0],
      ...app,
      environment: [
        { name: 'KEPT', value: 'kept' },
        { name: 'MODE', value: 'override' },
        { name: 'NEW', value: 'new' },
      ],
    });
    expect(containerDefinitions[1]).toEqual(definition.containerDefinitions[1]);
  });

  it('of the task replace its size and roles', () => {
    const ofTask = { cpu: '1 vCPU', memory: '2GB', taskRoleArn: 'arn:aws:iam::111122223333:role/two' };
    expect(overridden({ ...ofTask, ephemeralStorage: { sizeInGiB: 30 } })).toEqual({
      ...definition,
      ...ofTask,
      ephemeralStorage: { sizeInGiB: 30 },
    });
  });

  it.each([
    [
      { containerOverrides: [{ name: 'log' }, { name: 'web', command: ['x'] }] },
      'spec.overrides.containerOverrides[1].name: Override for container named web is not a container in the TaskDefinition. It has: app, log',
    ],
    [
      { memory: '128' },
      "spec.overrides: the task definition with them breaks a rule: containerDefinitions: The 'memory' setting for container 'app' is greater than for the task.",
    ],
    [{ containerOverrides: [{ name: 'app', cpu: 1024 }] }, "sum of all container 'cpu' values"],
  ])('%j are refused: %s', (overrides, message) => {
    expect(() => overridden(overrides)).toThrow(message);
  });

  it('are held to the size that AWS takes, without what is not given', () => {
    const command = ['x'.repeat(8000)];
    expect(() => overridden({ containerOverrides: [{ name: 'app', command }] })).not.toThrow();
    expect(() => overridden({ containerOverrides: [{ name: 'app', command: ['x'.repeat(8192)] }] })).toThrow(
      /spec.overrides: overrides has \d+ characters as JSON; AWS takes at most 8192/,
    );
  });
});

describe('why no node takes a task', () => {
  it.each([
    ['RESOURCE:CPU', '0/3 nodes are available: 3 Insufficient cpu. preemption: none'],
    ['RESOURCE:MEMORY', '0/3 nodes are available: 3 Insufficient memory.'],
    ['RESOURCE:GPU', '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.'],
    ['RESOURCE:PORTS', "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports."],
    ['ATTRIBUTE', "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."],
    [
      'DistinctInstance placement constraint unsatisfied.',
      "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
    ],
    ['RESOURCE', 'something else'],
  ])('is %s in the words of RunTask', (reason, detail) => {
    expect(placementFailure(detail)).toBe(reason);
  });

  it('names the node of a task that has its port, one of its own service first', () => {
    const user = (node: string | undefined, owner: string, ended = false) => ({ node, owner, ended });
    expect(portHolder([user('b', 'other'), user('a', 'other')], 'web')).toBe('a');
    expect(portHolder([user('a', 'other'), user('c', 'web'), user('b', 'web')], 'web')).toBe('b');
    expect(portHolder([user('a', 'web', true), user(undefined, 'web'), user('z', 'other')], 'web')).toBe('z');
    expect(portHolder([user('a', 'web', true), user(undefined, 'other')], 'web')).toBeUndefined();
  });

  it('says so of ports only: of what else is lacking no node is known', () => {
    const lacks = 'has insufficient CPU units available.';
    const detail = "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't have free ports.";
    expect(closestMatch(detail, 'node-1')).toBe(`The closest matching container-instance ${lacks}`);
  });
});
