/** The process that `cache.ts` measures: everything the operator loads, and its cache of pods. */
import { setTimeout as delay } from 'node:timers/promises';
import { LABELS, MANAGED_BY } from '../../src/api/meta.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadConnection } from '../../src/kube/connection.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import { pods } from '../../src/kube/resource.ts';
import { Store } from '../../src/kube/store.ts';
import { type ObservedTask, observePod, type PodJson } from '../../src/pod/observe.ts';
import '../../src/run.ts';

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
const rss = (): number => mib(process.memoryUsage.rss());

const before = rss();
const client = new KubeClient(await loadConnection({ kubeconfig: process.argv[2] ?? '' }));
const store = new Store<ObservedTask>({ owner: ({ owner }) => [owner] });
const stop = new AbortController();
const started = performance.now();
const reflector = new Reflector<ObservedTask, PodJson>({
  client,
  resource: pods,
  labelSelector: `${LABELS.managedBy}=${MANAGED_BY}`,
  project: observePod,
  store,
  onChange: () => {},
  logger: silentLogger,
});
const running = reflector.run(stop.signal);
await reflector.synced;
const seconds = (performance.now() - started) / 1000;
const synced = rss();
const cpu = process.cpuUsage();
await delay(5_000);
console.log({
  pods: store.size,
  seconds: Number(seconds.toFixed(2)),
  cpuSeconds: Number(((cpu.user + cpu.system) / 1e6).toFixed(2)),
  rssMiB: { before, synced, fiveSecondsLater: rss(), peak: Math.round(process.resourceUsage().maxRSS / 1024) },
  heapMiB: mib(process.memoryUsage().heapUsed),
});
stop.abort();
await running;
await client.close();
