/**
 * How long the kubelet takes from a request to end a pod until SIGTERM, by the way it is asked: a deadline, as the operator does
 * it, or a deletion that a finalizer makes visible. `node test/bench/stop-latency.ts [--samples 20]`, on a real node of this machine.
 * Each way once on pods where nothing happens, and once right after another container of the pod has ended.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { up } from '../../dev/cluster/index.ts';
import { KubeApi, pathOf } from '../support/kube-api.ts';
import type { Pod } from '../support/recorder.ts';

const { values } = parseArgs({ options: { samples: { type: 'string', default: '20' } } });
const samples = Number(values.samples);
const FINALIZER = 'longshore.dev/bench';

const note = (what: string): string => `read up rest < /proc/uptime; echo "$HOSTNAME ${what} $up" >> /node/log`;
const container = (name: string, script: string): object => ({
  name,
  image: 'busybox:1.37',
  command: ['sh', '-c', script],
  volumeMounts: [{ name: 'node', mountPath: '/node' }],
});

const WAYS = {
  deadline: (api: KubeApi, path: string) => api.call('PATCH', path, { spec: { activeDeadlineSeconds: 1 } }),
  deletion: (api: KubeApi, path: string) => api.call('DELETE', path),
};

const uptime = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;

function print(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    `${Math.round(sorted[Math.min(Math.floor(part * sorted.length), sorted.length - 1)] ?? Number.NaN)} ms`;
  console.log(`${what.padEnd(60)} n=${sorted.length}  p50 ${at(0.5)}  p90 ${at(0.9)}  max ${at(1)}`);
}

const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
const cluster = await up({ dir, nodes: 'real', onProgress: (line) => console.error(line) });
const api = new KubeApi(cluster.kubeconfig);
try {
  for (const [way, ask] of Object.entries(WAYS)) {
    for (const after of ['nothing', 'an exit'] as const) {
      const folder = mkdtempSync(join(dir, 'node-'));
      const file = join(folder, 'log');
      writeFileSync(file, '');
      const names = Array.from({ length: samples }, (_, index) => `${way}-${after === 'nothing' ? 'a' : 'b'}-${index}`);
      const app = `until [ -e /node/go-$HOSTNAME ]; do sleep 0.05; done; ${after === 'nothing' ? 'sleep 1000' : 'exit 3'}`;
      const log = `trap '${note('told')}; exit 5' TERM; while :; do sleep 1000 & wait $!; done`;
      for (const name of names)
        await api.call('POST', pathOf('pods', 'default'), {
          metadata: { name, ...(way === 'deletion' && { finalizers: [FINALIZER] }) },
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 30,
            containers: [container('app', app), container('log', log)],
            volumes: [{ name: 'node', hostPath: { path: folder } }],
          },
        });
      const asked = new Map<string, number>();
      const state = async (name: string): Promise<Pod> => api.call<Pod>('GET', pathOf('pods', 'default', name));
      const terminated = ({ status }: Pod, which: string) =>
        status?.containerStatuses?.find(({ name }) => name === which)?.state?.terminated;
      const sample = async (name: string, index: number): Promise<Pod> => {
        while ((await state(name)).status?.containerStatuses?.every(({ state: is }) => is?.running) !== true)
          await delay(200);
        await delay(2000 + index * 370);
        if (after === 'an exit') {
          writeFileSync(join(folder, `go-${name}`), '');
          while (terminated(await state(name), 'app') === undefined) await delay(20);
        }
        asked.set(name, uptime());
        await ask(api, pathOf('pods', 'default', name));
        let pod = await state(name);
        for (; terminated(pod, 'log') === undefined; pod = await state(name)) await delay(200);
        return pod;
      };
      const ends = await Promise.all(names.map(sample));
      const told = new Map(
        readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => line.split(' '))
          .map(([pod = '', , at]) => [pod, Number(at) * 1000]),
      );
      print(
        `${way} after ${after}: request → SIGTERM`,
        names.map((name) => (told.get(name) ?? Number.NaN) - (asked.get(name) ?? 0)),
      );
      const codes = ends.map((pod) => `${terminated(pod, 'app')?.exitCode}/${terminated(pod, 'log')?.exitCode}`);
      console.log(`  exit codes seen afterwards: ${[...new Set(codes)].join(', ')}`);
      await delay(3000);
      const last = names.at(-1) ?? '';
      const logs = await cluster.kubectl(['logs', last, '--container=log']);
      console.log(`  logs afterwards: ${logs.code === 0 ? 'there' : logs.stderr.trim()}`);
      for (const name of names) {
        if (way === 'deletion')
          await api.call('PATCH', pathOf('pods', 'default', name), { metadata: { finalizers: null } });
        else await api.call('DELETE', pathOf('pods', 'default', name));
      }
    }
  }
} finally {
  api.close();
  await cluster.down();
  rmSync(dir, { recursive: true, force: true });
}
