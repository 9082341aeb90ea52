import { describe, expect, it } from 'vitest';
import type { BatchJobStatus } from '../../src/api/batch-job.ts';
import { duplicates, isEnded, rerunsAfterSuccess, taskIdOf } from '../support/invariants.ts';
import { kwok, taskDefinition, version } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { conditionOf, readyCondition } from '../support/services.ts';
import { type Manifest, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const containerProperties = {
  image: 'busybox:1.36',
  command: ['sh', '-c', 'exit 0'],
  resourceRequirements: [
    { type: 'VCPU', value: '0.25' },
    { type: 'MEMORY', value: '16' },
  ],
};

const job = (name: string, spec: object = {}): Manifest => ({
  kind: 'BatchJob',
  name,
  spec: { containerProperties, ...spec },
});

/** Containers end when the test says so, instead of after a second. */
const held = { kubernetes: { podAnnotations: kwok({ exitAfter: '1h' }) } };

const end = (ns: TestNamespace, pod: Pod, exitCode: number) =>
  ns.patch('pods', pod.metadata.name, { metadata: { annotations: kwok({ exitAfter: '1ms', exitCode }) } });

const attemptOf = ({ metadata }: Pod): number => Number(metadata.labels?.['longshore.dev/attempt']);
const indexOf = ({ metadata }: Pod): number => Number(metadata.labels?.['longshore.dev/array-index']);

const untilStatus = (ns: TestNamespace, name: string, status: BatchJobStatus['status']): Promise<BatchJobStatus> =>
  ns.until(`job ${name} to be ${status}`, () => {
    const now = ns.history.get('batchjobs', name)?.status;
    return now?.status === status ? now : undefined;
  });

const untilPod = (ns: TestNamespace, what: string, is: (pod: Pod) => boolean): Promise<Pod> =>
  ns.until(what, () =>
    ns.history.all('pods').find((pod) => !isEnded(pod) && pod.status?.phase === 'Running' && is(pod)),
  );

/** Variables of the pod's container that Batch sets. */
const batchVariables = ({ spec }: Pod): Record<string, string | undefined> =>
  Object.fromEntries(
    (spec.containers[0]?.env ?? [])
      .filter(({ name }) => name.startsWith('AWS_BATCH'))
      .map(({ name, value }) => [name, value]),
  );

/** The distinct values that the job's status went through. */
const statesOf = (ns: TestNamespace, name: string): (string | undefined)[] => {
  const all = ns.history.statesOf('batchjobs', name).map(({ status }) => status?.status);
  return all.filter((status, index) => status !== undefined && status !== all[index - 1]);
};

describe.concurrent('a BatchJob', () => {
  it('that exits with 0 is SUCCEEDED and Complete, with its one attempt', async (context) => {
    const ns = await suite().namespace(context);
    const [made] = await ns.create(job('one', { jobName: 'One_Job', jobQueue: 'high' }));
    const pod = await ns.until('its pod', () => ns.history.all('pods')[0]);
    expect(batchVariables(pod)).toEqual({
      AWS_BATCH_JOB_ID: made?.metadata.uid,
      AWS_BATCH_JOB_ATTEMPT: '1',
      AWS_BATCH_JQ_NAME: 'high',
      AWS_BATCH_CE_NAME: ns.name,
    });
    await ns.kubectl(['wait', 'ebj/one', '--for=condition=Complete', '--timeout=60s']);
    const status = await untilStatus(ns, 'one', 'SUCCEEDED');
    expect(status.statusReason).toBe('Essential container in task exited');
    expect(status.attempts).toMatchObject([{ attempt: 1, task: taskIdOf(pod), exitCode: 0 }]);
    const [attempt] = status.attempts ?? [];
    expect(Date.parse(attempt?.stoppedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(attempt?.startedAt ?? ''));
    expect(status.stoppedAt).toBe(attempt?.stoppedAt);
    expect(status.arrayProperties).toEqual({ size: 1, statusSummary: { SUCCEEDED: 1 } });
    const states = statesOf(ns, 'one');
    expect(states.at(0)).toBe('RUNNABLE');
    expect(['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED'].filter((state) => states.includes(state))).toEqual(states);
    expect(conditionOf(ns.history.get('batchjobs', 'one'), 'Failed')).toBe('False');
  });

  it('that exits with another code is FAILED with the code', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('one', { kubernetes: { podAnnotations: kwok({ exitAfter: '100ms', exitCode: 5 }) } }));
    const status = await untilStatus(ns, 'one', 'FAILED');
    expect(status).toMatchObject({
      statusReason: 'Essential container in task exited',
      attempts: [{ attempt: 1, exitCode: 5, statusReason: 'Essential container in task exited' }],
    });
    const failed = ns.history.get('batchjobs', 'one');
    expect(['Failed', 'Complete', 'Stalled'].map((type) => conditionOf(failed, type))).toEqual([
      'True',
      'False',
      'True',
    ]);
    await ns.kubectl(['wait', 'ebj/one', '--for=condition=Failed', '--timeout=60s']);
    expect(ns.history.all('pods')).toHaveLength(1);
  });

  it('takes the GPUs that it needs, no node without them', async (context) => {
    const ns = await suite().namespace(context);
    // What a device plugin would say of its node.
    const [node = ''] = (await ns.kubectl(['get', 'nodes', '--output=name'])).split('\n');
    const gpus = { 'nvidia.com/gpu': '2' };
    const patch = `--patch=${JSON.stringify({ status: { capacity: gpus, allocatable: gpus } })}`;
    await ns.kubectl(['patch', node, '--subresource=status', '--type=merge', patch]);
    const needs = (value: string) => ({ resourceRequirements: [{ type: 'GPU', value }] });
    const { resourceRequirements } = containerProperties;
    const one = {
      ...containerProperties,
      resourceRequirements: [...resourceRequirements, ...needs('1').resourceRequirements],
    };
    await ns.create(
      job('one', { containerProperties: one }),
      job('two', { containerProperties: one, containerOverrides: needs('2') }),
      job('three', { containerProperties: one, containerOverrides: needs('3') }),
    );
    const podOf = (name: string) =>
      ns.history.all('pods').find(({ metadata }) => metadata.labels?.['longshore.dev/batch-job'] === name);
    for (const name of ['one', 'two']) {
      await untilStatus(ns, name, 'SUCCEEDED');
      expect(podOf(name)?.spec.nodeName).toBe(node.replace('node/', ''));
    }
    const unplaced = await ns.until('the third to find no node', () =>
      podOf('three')?.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False'),
    );
    expect(JSON.stringify(unplaced)).toContain('Insufficient nvidia.com/gpu');
  });

  it('is tried again until an attempt succeeds, and lists them all', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('flaky', { retryStrategy: { attempts: 5 }, ...held }));
    for (const [attempt, exitCode] of [7, 8, 0].map((code, index) => [index + 1, code] as const)) {
      const pod = await untilPod(ns, `attempt ${attempt}`, (candidate) => attemptOf(candidate) === attempt);
      expect(batchVariables(pod).AWS_BATCH_JOB_ATTEMPT).toBe(`${attempt}`);
      await end(ns, pod, exitCode);
    }
    const status = await untilStatus(ns, 'flaky', 'SUCCEEDED');
    expect(status.attempts?.map(({ attempt, exitCode }) => [attempt, exitCode])).toEqual([
      [1, 7],
      [2, 8],
      [3, 0],
    ]);
    expect(ns.history.all('pods')).toHaveLength(3);
    expect(statesOf(ns, 'flaky')).toContain('RUNNABLE');
  });

  it('is FAILED when its attempts are used up', async (context) => {
    const ns = await suite().namespace(context);
    const kubernetes = { podAnnotations: kwok({ exitAfter: '100ms', exitCode: 9 }) };
    await ns.create(job('bad', { retryStrategy: { attempts: 3 }, kubernetes }));
    const status = await untilStatus(ns, 'bad', 'FAILED');
    expect(status.attempts?.map(({ attempt, exitCode }) => [attempt, exitCode])).toEqual([
      [1, 9],
      [2, 9],
      [3, 9],
    ]);
    expect(status.attempts?.map(({ task }) => task).sort()).toEqual(ns.history.all('pods').map(taskIdOf).sort());
    expect(duplicates(ns.history)).toEqual([]);
  });

  it('runs the task definition it names, waits for one that is missing, and keeps to its first revision', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      job('uses', { containerProperties: undefined, taskDefinition: 'tool', retryStrategy: { attempts: 2 }, ...held }),
    );
    const waiting = await ns.until('the job to say what it waits for', () =>
      readyCondition(ns.history.get('batchjobs', 'uses')),
    );
    expect(waiting).toMatchObject({
      status: 'False',
      message: expect.stringContaining('no TaskDefinition of family "tool"'),
    });
    const container = { name: 'tool', image: 'busybox', memory: 16 };
    await ns.create(taskDefinition('tool', {}, [{ ...container, ...version('a') }]));
    const first = await untilPod(ns, 'the first attempt', (pod) => attemptOf(pod) === 1);
    await ns.patch('taskdefinitions', 'tool', { spec: { containerDefinitions: [{ ...container, ...version('b') }] } });
    await ns.until('tool:2', () => ns.history.get('taskdefinitions', 'tool')?.status?.latestRevision === 2);
    await end(ns, first, 1);
    const second = await untilPod(ns, 'the second attempt', (pod) => attemptOf(pod) === 2);
    expect(second.metadata.labels).toMatchObject({ 'longshore.dev/revision': '1' });
    await end(ns, second, 0);
    await untilStatus(ns, 'uses', 'SUCCEEDED');
  });

  it('as an array of 20 runs each index once, from 0', async (context) => {
    const ns = await suite().namespace(context);
    const [made] = await ns.create(job('array', { arrayProperties: { size: 20 } }));
    await ns.kubectl(['wait', 'ebj/array', '--for=condition=Complete', '--timeout=60s']);
    const status = await untilStatus(ns, 'array', 'SUCCEEDED');
    expect(status).toMatchObject({
      arrayProperties: { size: 20, statusSummary: { SUCCEEDED: 20, FAILED: 0, RUNNABLE: 0, RUNNING: 0 } },
      succeededIndexes: '0-19',
      failedIndexes: '',
    });
    const pods = ns.history.all('pods');
    const indexes = Array.from({ length: 20 }, (_, index) => index);
    expect(pods.map(indexOf).sort((a, b) => a - b)).toEqual(indexes);
    for (const pod of pods) {
      expect(batchVariables(pod)).toEqual({
        AWS_BATCH_JOB_ID: `${made?.metadata.uid}:${indexOf(pod)}`,
        AWS_BATCH_JOB_ATTEMPT: '1',
        AWS_BATCH_JOB_ARRAY_INDEX: `${indexOf(pod)}`,
        AWS_BATCH_CE_NAME: ns.name,
      });
    }
    expect(statesOf(ns, 'array')).toEqual(['PENDING', 'SUCCEEDED']);
    const summaries = ns.history.statesOf('batchjobs', 'array').flatMap((object) => {
      const summary = object.status?.arrayProperties?.statusSummary;
      return summary === undefined ? [] : [Object.values(summary).reduce((sum, count) => sum + count, 0)];
    });
    expect(new Set(summaries)).toEqual(new Set([20]));
    const [header = '', row = ''] = (await ns.kubectl(['get', 'ebj'])).split('\n');
    expect(header.split(/\s+/).slice(0, 5)).toEqual(['NAME', 'STATUS', 'SUCCEEDED', 'FAILED', 'TOTAL']);
    expect(row.split(/\s+/).slice(0, 5)).toEqual(['array', 'SUCCEEDED', '20', '0', '20']);
  });

  it('as an array with a failing child is FAILED, names the index, and runs the others to their end', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('array', { arrayProperties: { size: 4 }, retryStrategy: { attempts: 2 }, ...held }));
    for (const attempt of [1, 2]) {
      const bad = await untilPod(
        ns,
        `attempt ${attempt} of child 2`,
        (pod) => indexOf(pod) === 2 && attemptOf(pod) === attempt,
      );
      await end(ns, bad, 5);
    }
    await ns.until('the failed child', () => ns.history.get('batchjobs', 'array')?.status?.failedIndexes === '2');
    expect(ns.history.get('batchjobs', 'array')?.status).toMatchObject({
      status: 'PENDING',
      arrayProperties: { statusSummary: { FAILED: 1, RUNNING: 3 } },
    });
    for (const index of [0, 1, 3])
      await end(ns, await untilPod(ns, `child ${index}`, (pod) => indexOf(pod) === index), 0);
    const status = await untilStatus(ns, 'array', 'FAILED');
    expect(status).toMatchObject({
      statusReason: 'Array Child Job failed',
      arrayProperties: { statusSummary: { SUCCEEDED: 3, FAILED: 1 } },
      succeededIndexes: '0-1,3',
      failedIndexes: '2',
    });
    expect(readyCondition(ns.history.get('batchjobs', 'array'))?.message).toBe('Array Child Job failed');
    expect(ns.history.all('pods')).toHaveLength(5);
    expect(rerunsAfterSuccess(ns.history)).toEqual([]);
    expect(duplicates(ns.history)).toEqual([]);
  });

  it('says which quota refuses its pods, and goes on and sweeps as it has room', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('resourcequotas', { metadata: { name: 'two' }, spec: { hard: { pods: '2' } } });
    await ns.kubectl(['wait', 'resourcequota/two', '--for=jsonpath={.status.hard.pods}=2', '--timeout=30s']);
    const kubernetes = { retention: { stoppedTaskSeconds: 0 } };
    await ns.create(job('array', { arrayProperties: { size: 6 }, kubernetes }));
    await ns.until('the reason', () =>
      ns.history.get('batchjobs', 'array')?.status?.statusReason?.includes('exceeded quota: two'),
    );
    await untilStatus(ns, 'array', 'SUCCEEDED');
    await ns.until('all pods to be swept', () => ns.history.all('pods').length === 0);
    const { entries } = ns.history;
    const firstSwept = entries.findIndex(({ kind, type }) => kind === 'pods' && type === 'DELETED');
    const lastMade = entries.findIndex(({ kind, object }) => kind === 'pods' && object.metadata.name === 'array-5-1');
    expect(firstSwept).toBeGreaterThan(-1);
    expect(firstSwept).toBeLessThan(lastMade);
    expect(duplicates(ns.history)).toEqual([]);
  });

  it('refuses a change of its spec', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('one', held));
    const change = ns.patch('batchjobs', 'one', { spec: { retryStrategy: { attempts: 3 } } });
    await expect(change).rejects.toThrow(
      /422 .*the spec of a BatchJob cannot be changed; delete the job and make a new one/,
    );
  });

  it('takes its pods with it when it is deleted', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(job('one', held));
    await untilPod(ns, 'its pod', () => true);
    await ns.delete('batchjobs', 'one');
    await ns.until('its pod to be gone', () => ns.history.all('pods').length === 0, 120_000);
  });
});

describe('a BatchJob, while the operator is killed', () => {
  it('runs no attempt twice and loses none', async (context) => {
    const ns = await suite().namespace(context);
    const retryStrategy = { attempts: 3 };
    const failing = { podAnnotations: kwok({ exitAfter: '300ms', exitCode: 6 }) };
    await ns.create(
      job('array', { arrayProperties: { size: 12 }, retryStrategy }),
      job('failing', { arrayProperties: { size: 3 }, retryStrategy, kubernetes: failing }),
      job('single', { retryStrategy, kubernetes: failing }),
    );
    for (const events of [4, 10, 10, 10, 10]) {
      await ns.history.events(events, 2_000);
      await suite().operator.kill('SIGKILL');
      await suite().startOperator();
    }
    const array = await untilStatus(ns, 'array', 'SUCCEEDED');
    const others = await Promise.all([untilStatus(ns, 'failing', 'FAILED'), untilStatus(ns, 'single', 'FAILED')]);
    expect(array.succeededIndexes).toBe('0-11');
    expect(others[0]).toMatchObject({ failedIndexes: '0-2', statusReason: 'Array Child Job failed' });
    expect(others[1].attempts?.map(({ attempt, exitCode }) => [attempt, exitCode])).toEqual([
      [1, 6],
      [2, 6],
      [3, 6],
    ]);
    const made = (name: string): number =>
      ns.history.all('pods').filter(({ metadata }) => metadata.labels?.['longshore.dev/batch-job'] === name).length;
    expect(['array', 'failing', 'single'].map(made)).toEqual([12, 9, 3]);
    expect(duplicates(ns.history)).toEqual([]);
    expect(rerunsAfterSuccess(ns.history)).toEqual([]);
  });
});
