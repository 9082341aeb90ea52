/** Chunks of results against a real API server, by the function that writes them. */
import { describe, expect, it } from 'vitest';
import { parseBatchJob } from '../../src/api/batch-job.ts';
import type { ChildAttempt } from '../../src/batch/attempt.ts';
import { chunkName, writeResults } from '../../src/controllers/batch/results.ts';
import { recordOf } from '../../src/controllers/records.ts';
import type { BatchJobRecord } from '../../src/controllers/runtime.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadConnection } from '../../src/kube/connection.ts';
import { type KubeObject, pathOf } from '../support/kube-api.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

type ConfigMap = KubeObject & { readonly data: Record<string, string> };

/** An array that nobody runs. */
async function array(ns: TestNamespace, size: number, attempts: number): Promise<BatchJobRecord> {
  const resourceRequirements = [
    { type: 'VCPU', value: '0.25' },
    { type: 'MEMORY', value: '16' },
  ];
  const [made] = await ns.create({
    kind: 'BatchJob',
    name: 'grades',
    spec: {
      jobName: 'Grades_2026',
      arrayProperties: { size },
      retryStrategy: { attempts },
      containerProperties: { image: 'busybox:1.36', resourceRequirements },
    },
  });
  return recordOf(parseBatchJob)(made as never) as BatchJobRecord;
}

const attempt = (index: number, number: number, exitCode = 0): ChildAttempt => ({
  index,
  attempt: number,
  task: `${index}x${number}`.padStart(32, '0'),
  exitCode,
  statusReason: 'Essential container in task exited',
  startedAt: Date.parse('2026-11-23T10:00:00Z'),
  stoppedAt: Date.parse('2026-11-23T10:00:07Z'),
});

const keyed = (attempts: readonly ChildAttempt[]): string[] =>
  attempts.map(({ index, attempt: number }) => `${index}.${number}`).sort();

const newClient = async (): Promise<KubeClient> =>
  new KubeClient(await loadConnection({ kubeconfig: suite().cluster.kubeconfig }));

const get = (ns: TestNamespace, name: string): Promise<ConfigMap> =>
  suite().api.call<ConfigMap>('GET', pathOf('configmaps', ns.name, name));

describe.concurrent('the results of an array', () => {
  it('are in chunks of the job, which kubectl finds by the name of the job and shows by child and attempt', async (context) => {
    const ns = await suite().namespace(context);
    const client = await newClient();
    const job = await array(ns, 2500, 3);
    await writeResults({ client }, job, [attempt(0, 1, 7), attempt(332, 1), attempt(333, 1), attempt(2499, 3, 9)]);
    await writeResults({ client }, job, [attempt(0, 2)]);
    const first = await get(ns, chunkName(job, 0));
    expect(Object.keys(first.data).sort()).toEqual(['0.1', '0.2', '332.1']);
    expect(first.metadata).toMatchObject({
      name: expect.stringMatching(/^grades-[0-9a-f]{8}-results-0$/),
      labels: { 'app.kubernetes.io/managed-by': 'longshore', 'longshore.dev/batch-job': 'grades-2026' },
      annotations: { 'longshore.dev/batch-job': 'Grades_2026', 'longshore.dev/array-indexes': '0-332' },
      ownerReferences: [{ kind: 'BatchJob', uid: job.uid, blockOwnerDeletion: false }],
    });
    expect((await get(ns, chunkName(job, 7))).metadata.annotations).toMatchObject({
      'longshore.dev/array-indexes': '2331-2499',
    });
    const selector = '--selector=longshore.dev/batch-job=grades-2026';
    const shown = await ns.kubectl(['get', 'configmaps', selector, '--output=jsonpath={.items[*].data.2499\\.3}']);
    expect(JSON.parse(shown)).toMatchObject({ attempt: 3, exitCode: 9, stoppedAt: '2026-11-23T10:00:07Z' });
    await client.close();
  });

  it('are all there when writers add them at the same time, again and again', async (context) => {
    const ns = await suite().namespace(context);
    const client = await newClient();
    const job = await array(ns, 3000, 1);
    const all = Array.from({ length: 3000 }, (_, index) => attempt(index, 1, index % 3));
    const parts = [0, 1].map((part) => all.filter(({ index }) => index % 2 === part));
    await Promise.all([...parts, ...parts].map((part) => writeResults({ client }, job, part)));
    const chunks = await Promise.all([0, 1, 2].map((chunk) => get(ns, chunkName(job, chunk))));
    expect(chunks.flatMap(({ data }) => Object.keys(data)).sort()).toEqual(keyed(all));
    expect(chunks.map(({ data }) => Object.keys(data).length)).toEqual([1000, 1000, 1000]);
    await client.close();
  });

  it('fit their chunk when every reason is as long as it can be', async (context) => {
    const ns = await suite().namespace(context);
    const client = await newClient();
    const job = await array(ns, 100, 10);
    const words = { reason: '\u0001'.repeat(300), statusReason: '漢'.repeat(300) };
    const all = Array.from({ length: 1000 }, (_, at) => ({ ...attempt(at % 100, 1 + Math.floor(at / 100)), ...words }));
    await writeResults({ client }, job, all);
    expect(Object.keys((await get(ns, chunkName(job, 0))).data).sort()).toEqual(keyed(all));
    await client.close();
  });

  it('of a job that was deleted meanwhile are collected, and those in a namespace that goes are not missed', async (context) => {
    const ns = await suite().namespace(context);
    const client = await newClient();
    const job = await array(ns, 10, 1);
    await ns.delete('batchjobs', 'grades');
    await writeResults({ client }, job, [attempt(1, 1)]);
    await ns.kubectl(['wait', '--for=delete', `configmap/${chunkName(job, 0)}`, '--timeout=300s']);
    // A finalizer of somebody else keeps the namespace in its deletion.
    await ns.createRaw('configmaps', { metadata: { name: 'held', finalizers: ['example.com/held'] } });
    await suite().api.call('DELETE', `/api/v1/namespaces/${ns.name}`);
    await expect(writeResults({ client }, job, [attempt(2, 1)])).resolves.toBeUndefined();
    await ns.patch('configmaps', 'held', { metadata: { finalizers: null } });
    await client.close();
  });
});
