import { describe, expect, it } from 'vitest';
import { fixture, imported, readFixture, refused } from './imports.ts';
import { json, longshore } from './run.ts';

const arn = 'arn:aws:batch:us-east-1:012345678910:scheduling-policy/FairShare';

describe('a job queue', () => {
  it("is what create-job-queue takes, in AWS's own example", async () => {
    const { manifests } = await imported(['--namespace', 'prod', fixture('job-queue.json')]);
    expect(manifests).toEqual([
      {
        apiVersion: 'longshore.dev/v1alpha1',
        kind: 'JobQueue',
        metadata: { name: expect.stringMatching(/^highpriority-[0-9a-f]{8}$/), namespace: 'prod' },
        spec: readFixture('job-queue.json'),
      },
    ]);
  });

  it('is what describe-job-queues prints, without what AWS writes', async () => {
    const { manifests, err } = await imported([fixture('described-job-queues.json')]);
    const [{ jobQueueArn, status, statusReason, ...asked }] = readFixture('described-job-queues.json').jobQueues;
    expect(manifests.map(({ kind, spec }) => ({ kind, spec }))).toEqual([{ kind: 'JobQueue', spec: asked }]);
    expect(err).toContain('jobQueues[0].statusReason');
  });

  it('has its scheduling policy in itself, as it is created or described', async () => {
    const { name, fairsharePolicy } = readFixture('scheduling-policy.json');
    const { schedulingPolicyArn, ...own } = readFixture('fair-job-queue.json');
    const described = { schedulingPolicies: [{ name, arn, fairsharePolicy, tags: { team: 'data' } }] };
    for (const policy of [readFixture('scheduling-policy.json'), described]) {
      const { manifests, err } = await imported(['-'], json(policy) + json(readFixture('fair-job-queue.json')));
      expect(manifests).toMatchObject([
        {
          kind: 'JobQueue',
          metadata: { annotations: { 'longshore.dev/scheduling-policy': arn } },
          spec: { ...own, schedulingPolicy: { name, fairsharePolicy } },
        },
      ]);
      expect(manifests[0]?.spec).not.toHaveProperty('schedulingPolicyArn');
      expect(err).toContain('a JobQueue has its scheduling policy in itself');
      if (policy === described)
        expect(err).toContain('tags of the scheduling policy: {"team":"data"}: a scheduling policy is no object');
    }
  });

  it('is refused without the scheduling policy that it names, and so is a policy that no queue can have', async () => {
    expect(await refused([fixture('fair-job-queue.json')])).toEqual([
      expect.stringContaining(`schedulingPolicyArn: "${arn}" is not among the files`),
    ]);
    expect(await refused([fixture('scheduling-policy.json')])).toEqual([
      expect.stringContaining('is a scheduling policy, which a JobQueue has in itself'),
    ]);
  });

  it('says which scheduling policies no queue names', async () => {
    const { manifests, err } = await imported([fixture('scheduling-policy.json'), fixture('job-queue.json')]);
    expect(manifests.map(({ kind }) => kind)).toEqual(['JobQueue']);
    expect(err).toContain('{"name":"FairShare"}: no job queue among the files names this scheduling policy');
  });

  it('is refused with a policy of quota shares, where the policy has it', async () => {
    const policy = { name: 'FairShare', quotaSharePolicy: { idleResourceAssignmentStrategy: 'FIFO' } };
    expect(await refused(['-'], json(policy) + json(readFixture('fair-job-queue.json')))).toEqual([
      expect.stringMatching(/quotaSharePolicy: is a field of AWS that Longshore does not take yet/),
    ]);
  });
});

describe('a compute environment', () => {
  it("is what create-compute-environment takes, in AWS's own example, and of no namespace", async () => {
    const { manifests, err } = await imported(['--namespace', 'prod', fixture('compute-environment.json')]);
    expect(manifests).toEqual([
      {
        apiVersion: 'longshore.dev/v1alpha1',
        kind: 'ComputeEnvironment',
        metadata: { name: expect.stringMatching(/^m4spot-[0-9a-f]{8}$/) },
        spec: readFixture('compute-environment.json'),
      },
    ]);
    expect(err).toMatch(/Ignored +computeResources\.bidPercentage/);
  });

  it('is what describe-compute-environments prints, without what AWS writes', async () => {
    const { manifests } = await imported([fixture('described-compute-environments.json')]);
    const [{ computeEnvironmentArn, ecsClusterArn, status, statusReason, ...asked }] = readFixture(
      'described-compute-environments.json',
    ).computeEnvironments;
    expect(manifests.map(({ spec }) => spec)).toEqual([asked]);
  });

  it('of EKS is refused, and taken without what names its cluster where that is asked for', async () => {
    const eksConfiguration = {
      eksClusterArn: 'arn:aws:eks:us-east-1:012345678910:cluster/a',
      kubernetesNamespace: 'b',
    };
    const given = json({ ...readFixture('compute-environment.json'), eksConfiguration });
    expect(await refused(['-'], given)).toEqual([expect.stringContaining('eksConfiguration: is a field of AWS')]);
    const { manifests } = await imported(['--drop-unsupported', '-'], given);
    expect(manifests.map(({ spec }) => spec)).toEqual([readFixture('compute-environment.json')]);
  });
});

describe('a CloudFormation template of queues', () => {
  const ref = (name: string) => ({ Ref: name });
  const Resources = {
    Shared: {
      Type: 'AWS::Batch::ComputeEnvironment',
      Properties: {
        Type: 'MANAGED',
        ReplaceComputeEnvironment: false,
        ComputeResources: { Type: 'EC2', MaxvCpus: '64', InstanceTypes: ['optimal'], UpdateToLatestImageVersion: true },
      },
    },
    Fair: {
      Type: 'AWS::Batch::SchedulingPolicy',
      Properties: { Name: 'fair', FairsharePolicy: { ShareDistribution: [{ ShareIdentifier: 'a', WeightFactor: 2 }] } },
    },
    High: {
      Type: 'AWS::Batch::JobQueue',
      Properties: {
        JobQueueName: 'high',
        Priority: 10,
        SchedulingPolicyArn: { 'Fn::GetAtt': ['Fair', 'Arn'] },
        ComputeEnvironmentOrder: [{ Order: 1, ComputeEnvironment: ref('Shared') }],
        Tags: { Team: 'data' },
      },
    },
  };

  it("gives the inputs of AWS's API, in which names stand for what the template refers to", async () => {
    const { manifests } = await imported(['-'], json({ Resources }));
    expect(manifests.map(({ kind, spec }) => ({ kind, spec }))).toEqual([
      {
        kind: 'ComputeEnvironment',
        spec: {
          computeEnvironmentName: 'Shared',
          type: 'MANAGED',
          computeResources: { type: 'EC2', maxvCpus: 64, instanceTypes: ['optimal'] },
        },
      },
      {
        kind: 'JobQueue',
        spec: {
          jobQueueName: 'high',
          priority: 10,
          computeEnvironmentOrder: [{ order: 1, computeEnvironment: 'Shared' }],
          tags: { Team: 'data' },
          schedulingPolicy: {
            name: 'fair',
            fairsharePolicy: { shareDistribution: [{ shareIdentifier: 'a', weightFactor: 2 }] },
          },
        },
      },
    ]);
  });

  it('may be the properties alone', async () => {
    const order = [{ Order: 1, ComputeEnvironment: 'Shared' }];
    const queue = await imported(['-'], json({ JobQueueName: 'low', Priority: 1, ComputeEnvironmentOrder: order }));
    expect(queue.manifests.map(({ kind }) => kind)).toEqual(['JobQueue']);
    const properties = { ...Resources.Shared.Properties, ComputeEnvironmentName: 'Shared' };
    const environment = await imported(['-'], json(properties));
    expect(environment.manifests.map(({ kind }) => kind)).toEqual(['ComputeEnvironment']);
  });
});

it('export says what it needs to name the scheduling policy of a queue, and gives a shared one once', async () => {
  const queue = (name: string, annotations = {}) => ({
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'JobQueue',
    metadata: { name, annotations },
    spec: {
      priority: 1,
      computeEnvironmentOrder: [{ order: 1, computeEnvironment: 'shared' }],
      schedulingPolicy: { fairsharePolicy: { shareDecaySeconds: 60 } },
    },
  });
  const lone = await longshore(['export', '-'], json(queue('a')));
  expect([lone.code, lone.err]).toEqual([
    1,
    expect.stringContaining('give it in the annotation longshore.dev/scheduling-policy'),
  ]);
  const annotations = { 'longshore.dev/scheduling-policy': arn };
  const both = await longshore(['export', '-'], json(queue('a', annotations)) + json(queue('b', annotations)));
  expect(both.code, both.err).toBe(0);
  const inputs = both.out.split(/^(?=\{)/m).map((part): unknown => JSON.parse(part));
  expect(inputs).toMatchObject([
    { name: 'FairShare', fairsharePolicy: { shareDecaySeconds: 60 } },
    { jobQueueName: 'a', schedulingPolicyArn: arn },
    { jobQueueName: 'b', schedulingPolicyArn: arn },
  ]);
});
