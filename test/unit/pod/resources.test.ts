import { describe, expect, it } from 'vitest';
import { ALL_FEATURES } from '../../../src/pod/cluster-features.ts';
import { compile, first, one, several } from '../../support/compiled.ts';

const without = { ...ALL_FEATURES, podLevelResources: false };

describe('cpu and memory', () => {
  it('reserve what is soft, limit what is hard, and never limit CPU (ecs-semantics §1.4)', () => {
    expect(first({ cpu: 256, memory: 128, memoryReservation: 64 })?.resources).toEqual({
      requests: { cpu: '250m', memory: '64Mi' },
      limits: { memory: '128Mi' },
    });
    expect(first({ memory: 128 })?.resources).toEqual({ requests: { memory: '128Mi' }, limits: { memory: '128Mi' } });
  });

  // The kubelet: shares = millicores × 1024 / 1000, rounded down.
  it.each([1, 2, 10, 100, 128, 333, 1000, 1024, 4096])('of %i CPU units give as many shares', (cpu) => {
    const milli = Number.parseInt(first({ cpu })?.resources?.requests?.cpu ?? '', 10);
    const shares = Math.max(Math.floor((milli * 1024) / 1000), 2);
    expect(shares - Math.max(cpu, 2)).toBeOneOf([0, 1]);
  });

  it.each([
    ['512', '1024', '500m', '1024Mi'],
    ['.5 vCPU', '1GB', '500m', '1024Mi'],
    ['1 vcpu', '0.5 GB', '1000m', '512Mi'],
  ])('limit the whole task at cpu %s and memory %s', (cpu, memory, cpuLimit, memoryLimit) => {
    const amounts = { cpu: cpuLimit, memory: memoryLimit };
    expect(one({}, { cpu, memory }).spec.resources).toEqual({ requests: amounts, limits: amounts });
  });

  it('give a container without CPU units the least share of its task, not the whole', () => {
    const { containers } = compile(several([{ cpu: 256 }, {}], { cpu: '512', memory: '1024' })).spec;
    expect(containers.map(({ resources }) => resources?.requests?.cpu)).toEqual(['250m', '0m']);
    expect(first({})?.resources?.requests).not.toHaveProperty('cpu');
  });

  it('of a task are never below the sum of its containers, which rounding would make them', () => {
    const { spec } = compile(several(Array(9).fill({ cpu: 100, memory: 10 }), { cpu: '900', memory: '512' }));
    expect(spec.containers.map(({ resources }) => resources?.requests?.cpu)).toEqual(Array(9).fill('98m'));
    expect(spec.resources?.limits).toEqual({ cpu: '882m', memory: '512Mi' });
  });
});

describe('cpu and memory of a task where pods have no resources of their own', () => {
  it('are those of its only container', () => {
    const { spec } = compile(several([{ cpu: 128, memory: undefined }], { cpu: '512', memory: '1024' }), without);
    const amounts = { cpu: '500m', memory: '1024Mi' };
    expect(spec.resources).toBeUndefined();
    expect(spec.containers[0]?.resources).toEqual({ requests: amounts, limits: amounts });
  });

  it('are reserved over its containers by their shares, and each may use the whole', () => {
    const containers = [{ cpu: 256 }, { cpu: 128, memory: undefined, memoryReservation: 100 }, { memory: undefined }];
    const { spec } = compile(several(containers, { cpu: '384', memory: '1024' }), without);
    expect(spec.containers.map(({ resources }) => resources)).toEqual([
      { requests: { cpu: '248m', memory: '64Mi' }, limits: { cpu: '375m', memory: '64Mi' } },
      { requests: { cpu: '124m', memory: '530Mi' }, limits: { cpu: '375m', memory: '1024Mi' } },
      { requests: { cpu: '1m', memory: '430Mi' }, limits: { cpu: '375m', memory: '1024Mi' } },
    ]);
  });

  it('change nothing for a task that has none', () => {
    expect(compile(several([{ cpu: 128 }]), without)).toEqual(compile(several([{ cpu: 128 }])));
  });
});

describe('other resources', () => {
  it('are whole GPUs', () => {
    const resourceRequirements = [{ type: 'GPU', value: '2' }];
    expect(first({ resourceRequirements })?.resources?.limits).toEqual({ memory: '64Mi', 'nvidia.com/gpu': '2' });
    const all = [
      { type: 'GPU', value: 'ALL' },
      { type: 'NeuronDevice', value: 'ALL' },
    ];
    expect(first({ resourceRequirements: all })?.resources?.limits).toEqual({ memory: '64Mi' });
  });

  it('are ephemeral storage for the task as a whole, which one essential container has', () => {
    const { containers } = compile(
      several([{ essential: false }, {}, {}], { ephemeralStorage: { sizeInGiB: 30 } }),
    ).spec;
    const storage = containers.map(({ resources }) => resources?.limits?.['ephemeral-storage']);
    expect(storage).toEqual([undefined, '30Gi', undefined]);
    expect(containers[1]?.resources?.requests?.['ephemeral-storage']).toBe('30Gi');
  });
});
