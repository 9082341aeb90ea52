import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { miscounted, releasedUnrecorded, resultsOf, seatOf } from '../support/batch-results.ts';
import { areShares, CGROUP } from '../support/containers.ts';
import { duplicates, rerunsAfterSuccess } from '../support/invariants.ts';
import { pathOf } from '../support/kube-api.ts';
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

const untilEnded = (ns: TestNamespace, name: string, timeoutMs?: number) =>
  ns.until(
    `job ${name} to end`,
    () => {
      const status = ns.history.get('batchjobs', name)?.status;
      return status?.status === 'SUCCEEDED' || status?.status === 'FAILED' ? status : undefined;
    },
    timeoutMs,
  );

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
    // They ended by themselves: nobody asked for their stop.
    const children = ns.history.all('pods');
    expect(children.map(({ spec }) => spec.activeDeadlineSeconds)).toEqual(children.map(() => undefined));
    await ns.until('every phase', () => ns.history.all('pods').every(({ status }) => status?.phase === 'Succeeded'));
    // The runtime may write a log after the node has said that the container ended.
    const logs = () => ns.kubectl(['logs', '--selector=longshore.dev/batch-job=squares', '--max-log-requests=5']);
    const lines = async () => (await logs()).trim().split('\n').sort();
    const expected = [0, 1, 2, 3, 4].map((n) => `child ${n}: ${n * n}`);
    await vi.waitFor(async () => expect(await lines()).toEqual(expected), { timeout: 60_000, interval: 500 });
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
      {
        attempt: 1,
        reason: expect.stringMatching(/^CannotPullContainerError: /),
        statusReason: 'Task failed to start',
      },
    ]);
    expect(status.attempts?.[0]?.exitCode).toBeUndefined();
  });

  it('runs its container with the properties and overrides given', async (context) => {
    const ns = await suite().namespace(context);
    const folder = mkdtempSync(join(tmpdir(), 'longshore-job-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'greeting'), 'hello from the node');
    const script = [
      'echo "$0 user $(id -u):$(id -g) $KEPT $REPLACED"',
      'cat /data/greeting 2> /dev/null && echo',
      'touch /data/x 2> /dev/null || echo the volume is read-only',
      'touch /x 2> /dev/null || echo the root is read-only',
      CGROUP.cpuShares,
      CGROUP.memoryLimit,
      'grep CapEff /proc/self/status',
    ].join('\n');
    const variable = (name: string, value: string) => ({ name, value });
    const properties = {
      image: 'busybox:1.37',
      command: ['sh', '-c', script, 'definition'],
      vcpus: 1,
      memory: 64,
      environment: [variable('KEPT', 'kept'), variable('REPLACED', 'definition')],
    };
    await ns.create(
      {
        kind: 'BatchJob',
        name: 'given',
        spec: {
          containerProperties: {
            ...properties,
            user: '1234:2345',
            readonlyRootFilesystem: true,
            volumes: [{ name: 'data', host: { sourcePath: folder } }],
            mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: true }],
          },
        },
      },
      {
        kind: 'BatchJob',
        name: 'overridden',
        spec: {
          containerProperties: { ...properties, privileged: true },
          containerOverrides: {
            command: ['sh', '-c', script, 'override'],
            environment: [variable('REPLACED', 'override')],
            resourceRequirements: [
              { type: 'VCPU', value: '0.25' },
              { type: 'MEMORY', value: '32' },
            ],
          },
        },
      },
    );
    const printed = async (name: string): Promise<string[]> => {
      expect((await untilEnded(ns, name)).status).toBe('SUCCEEDED');
      return (await ns.kubectl(['logs', `--selector=longshore.dev/batch-job=${name}`, '--tail=-1'])).trim().split('\n');
    };
    const given = await printed('given');
    expect(given.slice(0, 4)).toEqual([
      'definition user 1234:2345 kept definition',
      'hello from the node',
      'the volume is read-only',
      'the root is read-only',
    ]);
    expect(areShares(given[4] ?? '', 1024), given[4]).toBe(true);
    expect(given[5]).toBe(String(64 * 1024 * 1024));
    expect(given[6]).toMatch(/0000000000000000$/);
    const overridden = await printed('overridden');
    expect(overridden[0]).toBe('override user 0:0 kept override');
    const [shares = '', memory, rights] = overridden.slice(-3);
    expect(areShares(shares, 256), shares).toBe(true);
    expect(memory).toBe(String(32 * 1024 * 1024));
    expect(rights).toBe(readFileSync('/proc/self/status', 'utf8').match(/^CapEff.*$/m)?.[0]);
  });

  it('with Strict accounting has the exit code of an attempt that is deleted by force, or evicted', async (context) => {
    const ns = await suite().namespace(context);
    const [made] = await ns.create({
      kind: 'BatchJob',
      name: 'strict',
      spec: {
        arrayProperties: { size: 2 },
        containerProperties: containerProperties("trap 'exit 42' TERM; touch /tmp/ready; while :; do sleep 0.1; done"),
        kubernetes: { accounting: 'Strict' },
      },
    });
    const untilTrapped = async (seat: string): Promise<string> => {
      const { metadata } = await ns.until(`${seat} to run`, () =>
        ns.history.all('pods').find((pod) => seatOf(pod) === seat && pod.status?.phase === 'Running'),
      );
      const wait = 'until test -e /tmp/ready; do sleep 0.1; done';
      await ns.kubectl(['exec', metadata.name, '--', 'sh', '-c', wait]);
      return metadata.name;
    };
    const [forced, evicted] = [await untilTrapped('0.1'), await untilTrapped('1.1')];
    await ns.kubectl(['delete', 'pod', forced, '--force', '--wait=false']);
    await suite().api.call('POST', `${pathOf('pods', ns.name, evicted)}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: evicted, namespace: ns.name },
    });
    expect(await untilEnded(ns, 'strict')).toMatchObject({ status: 'FAILED', failedIndexes: '0-1' });
    await ns.until('the pods to go', () => ns.history.all('pods').length === 0);
    const results = await resultsOf(suite().api, ns.name, made?.metadata.uid ?? '');
    expect(results.get('0.1')).toMatchObject({ exitCode: 42, statusReason: 'Task stopped by user' });
    expect(results.get('1.1')).toMatchObject({
      exitCode: 42,
      statusReason: expect.stringMatching(/^Host EC2 \(.*evicted/),
    });
    expect([...miscounted(ns.history, 'strict', results), ...releasedUnrecorded(ns.history, 'strict')]).toEqual([]);
  });

  it('is stopped when an attempt runs longer than its timeout', { timeout: 240_000 }, async (context) => {
    const ns = await suite().namespace(context);
    const spec = { timeout: { attemptDurationSeconds: 60 }, containerProperties: containerProperties('exec wait') };
    await ns.create({ kind: 'BatchJob', name: 'long', spec });
    const status = await untilEnded(ns, 'long', 180_000);
    expect(status).toMatchObject({ status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' });
    const [attempt] = status.attempts ?? [];
    const ran = Date.parse(attempt?.stoppedAt ?? '') - Date.parse(attempt?.startedAt ?? '');
    expect(ran).toBeGreaterThanOrEqual(60_000);
  });
});
