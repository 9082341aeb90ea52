/** A queue that isolates its jobs, with room for all of them. */
import type { TestContext } from 'vitest';
import { pathOf } from './kube-api.ts';
import type { Manifest, Suite, TestNamespace } from './suite.ts';

export const needs = (memory = '16', vcpus = '0.25') => [
  { type: 'VCPU', value: vcpus },
  { type: 'MEMORY', value: memory },
];

export const containerProperties = (fields: object = {}) => ({
  image: 'busybox:1.37',
  command: ['sh', '-c', 'exit 0'],
  resourceRequirements: needs(),
  ...fields,
});

/** A job of the queue {@link isolatedQueue} makes. */
export const job = (name: string, fields: object = {}, spec: object = {}): Manifest => ({
  kind: 'BatchJob',
  name,
  spec: { jobQueue: 'graders', containerProperties: containerProperties(fields), ...spec },
});

/** Makes the queue `graders`; the compute environment goes with the test. */
export async function isolatedQueue(
  suite: Suite,
  ns: TestNamespace,
  { onTestFinished }: TestContext,
  isolation: object = {},
): Promise<void> {
  await ns.create({
    kind: 'ComputeEnvironment',
    name: ns.name,
    spec: { type: 'MANAGED', computeResources: { type: 'EC2', maxvCpus: 64 } },
  });
  onTestFinished(async () => {
    await suite.api.call('DELETE', pathOf('computeenvironments', undefined, ns.name));
  });
  await ns.create({
    kind: 'JobQueue',
    name: 'graders',
    spec: {
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: ns.name }],
      kubernetes: { isolation },
    },
  });
}
