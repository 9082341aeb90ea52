import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { duplicates, rerunsAfterSuccess } from '../support/invariants.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a BatchJob on a real kubelet' : `a BatchJob on a real kubelet (skipped: ${why})`;

const containerProperties = (script: string) => ({
  image: 'busybox:1.37',
  command: ['sh', '-c', script],
  resourceRequirements: [
    { type: 'VCPU', value: '0.25' },
    { type: 'MEMORY', value: '16' },
  ],
});

const untilEnded = (ns: TestNamespace, name: string) =>
  ns.until(`job ${name} to end`, () => {
    const status = ns.history.get('batchjobs', name)?.status;
    return status?.status === 'SUCCEEDED' || status?.status === 'FAILED' ? status : undefined;
  });

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  it('as an array of 5 runs each child with its own index', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create({
      kind: 'BatchJob',
      name: 'squares',
      spec: {
        arrayProperties: { size: 5 },
        parameters: { word: 'child' },
        containerProperties: containerProperties('n=$AWS_BATCH_JOB_ARRAY_INDEX; echo Ref::word $n: $((n * n))'),
      },
    });
    expect(await untilEnded(ns, 'squares')).toMatchObject({
      status: 'SUCCEEDED',
      succeededIndexes: '0-4',
      arrayProperties: { statusSummary: { SUCCEEDED: 5, FAILED: 0 } },
    });
    const logs = await ns.kubectl(['logs', '--selector=longshore.dev/batch-job=squares', '--max-log-requests=5']);
    expect(logs.trim().split('\n').sort()).toEqual([0, 1, 2, 3, 4].map((n) => `child ${n}: ${n * n}`));
    expect(duplicates(ns.history)).toEqual([]);
    expect(rerunsAfterSuccess(ns.history)).toEqual([]);
  });

  it('that exits with 7 is tried as often as it may be, and its logs stay', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create({
      kind: 'BatchJob',
      name: 'bad',
      spec: {
        retryStrategy: { attempts: 2 },
        containerProperties: containerProperties('echo attempt $AWS_BATCH_JOB_ATTEMPT; exit 7'),
      },
    });
    const status = await untilEnded(ns, 'bad');
    expect(status).toMatchObject({ status: 'FAILED', statusReason: 'Essential container in task exited' });
    expect(status.attempts).toMatchObject([1, 2].map((attempt) => ({ attempt, exitCode: 7 })));
    for (const attempt of [1, 2]) {
      const logs = await ns.kubectl(['logs', `--selector=longshore.dev/attempt=${attempt}`]);
      expect(logs).toBe(`attempt ${attempt}\n`);
    }
  });

  it('whose image cannot be pulled uses up its attempts', async (context) => {
    const ns = await suite().namespace(context);
    const container = { ...containerProperties('exit 0'), image: 'nosuch/image:1' };
    await ns.create({ kind: 'BatchJob', name: 'missing', spec: { containerProperties: container } });
    const status = await untilEnded(ns, 'missing');
    expect(status.status).toBe('FAILED');
    expect(status.attempts).toMatchObject([
      { attempt: 1, reason: expect.stringMatching(/^CannotPullContainerError: /) },
    ]);
    expect(status.attempts?.[0]?.exitCode).toBeUndefined();
  });
});
