/** The same random history of a real API server, seen by our reflector, by client-node's informer and by a fresh list. */
import { setTimeout as delay } from 'node:timers/promises';
import { CoreV1Api, KubeConfig, makeInformer, type V1ConfigMap } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { catchUp } from '../../src/kube/catch-up.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { loadConnection } from '../../src/kube/connection.ts';
import { isAlreadyExists, isNotFound } from '../../src/kube/errors.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { Reflector } from '../../src/kube/reflector.ts';
import type { KubeObject, Resource } from '../../src/kube/resource.ts';
import { Store, type Stored } from '../../src/kube/store.ts';
import { randomFrom } from '../support/random.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const configMaps: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const NAMES = 20;
const STEPS = 800;
const WRITERS = 4;
const labelSelector = 'watched=yes';

interface Item extends Stored {
  readonly colour: string;
}

/** What all three are compared by. */
const view = (items: Iterable<{ uid?: string; name?: string; resourceVersion?: string; colour?: string }>): string[] =>
  [...items].map(({ name, uid, resourceVersion, colour }) => `${name} ${uid} ${resourceVersion} ${colour}`).sort();

test('after a random history with watches ended often, the store is what a fresh list and client-node say', async (context) => {
  const seed = Number(process.env.LONGSHORE_SEED ?? Date.now() % 1_000_000);
  console.info(`history of seed ${seed}; LONGSHORE_SEED=${seed} repeats it`);
  const random = randomFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const { name: namespace } = await suite().namespace(context);
  const { kubeconfig } = suite().cluster;
  const client = new KubeClient(await loadConnection({ kubeconfig }));
  const stop = new AbortController();

  const store = new Store<Item>({ colour: ({ colour }) => [colour] });
  /** What who follows the changes alone would have. */
  const followed = new Map<string, Item>();
  const reflector = new Reflector<Item>({
    client,
    resource: configMaps,
    namespace,
    labelSelector,
    project: ({ metadata: { uid, name, resourceVersion, labels } }: KubeObject) => ({
      uid,
      namespace,
      name,
      resourceVersion,
      colour: labels?.colour ?? '',
    }),
    store,
    onChange: ({ type, object }) => {
      if (type === 'deleted') followed.delete(object.name);
      else followed.set(object.name, object);
    },
    logger: silentLogger,
    timings: { watchSeconds: { min: 1, max: 2 }, healthyMs: 0, backoff: { initialMs: 10, maxMs: 50 } },
  });
  const running = reflector.run(stop.signal);

  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const listed = () => api.listNamespacedConfigMap({ namespace, labelSelector });
  const informer = makeInformer<V1ConfigMap>(config, path, listed, labelSelector);
  informer.on('error', () => setTimeout(() => void informer.start(), 100));
  await informer.start();

  const write = async (): Promise<void> => {
    const at = { namespace, name: `item-${Math.floor(random() * NAMES)}` };
    const labels = { watched: pick(['yes', 'yes', 'yes', 'no']), colour: pick(['red', 'green', 'blue']) };
    const what = pick(['create', 'create', 'label', 'label', 'delete'] as const);
    try {
      if (what === 'create') await client.create(configMaps, { namespace }, { metadata: { name: at.name, labels } });
      else if (what === 'label') await client.patch(configMaps, at, { metadata: { labels } });
      else await client.delete(configMaps, at);
    } catch (error) {
      if (!isNotFound(error) && !isAlreadyExists(error)) throw error;
    }
  };
  let steps = 0;
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (steps < STEPS) {
        steps += 1;
        if (steps % 40 === 0) reflector.relist();
        else if (steps % 15 === 0) reflector.resumeBriefly();
        await write();
      }
    }),
  );

  await catchUp([reflector], { logger: silentLogger, signal: stop.signal, timeoutMs: 60_000 });
  const fresh = await client.list<KubeObject>(configMaps, { namespace }, { labelSelector });
  const truth = view(fresh.items.map(({ metadata }) => ({ ...metadata, colour: metadata.labels?.colour ?? '' })));
  expect(truth.length).toBeGreaterThan(2);
  expect(view(store.values())).toEqual(truth);
  expect(view(followed.values())).toEqual(truth);
  expect(view(['red', 'green', 'blue'].flatMap((colour) => store.by('colour', colour)))).toEqual(truth);
  expect(reflector.lists).toBeGreaterThan(3);

  const informed = (): string[] =>
    view(informer.list().map(({ metadata = {} }) => ({ ...metadata, colour: metadata.labels?.colour ?? '' })));
  for (let waited = 0; waited < 50 && informed().join() !== truth.join(); waited += 1) await delay(100);
  expect(informed()).toEqual(truth);

  await informer.stop();
  stop.abort();
  await running;
  await client.close();
}, 60_000);
