/** `npm run demo`: examples/ on a local cluster, each outcome checked. */
import { join, resolve } from 'node:path';
import { loadConnection } from '../../src/kube/connection.ts';
import { installKinds } from '../cluster/kinds.ts';
import { closeCluster, type Environment, kubectl, openEnvironment } from './environment.ts';
import { Examples } from './examples.ts';
import { type OperatorProcess, startOperator } from './operator.ts';
import { parseDemoOptions } from './options.ts';
import { type Scene, type Stage, scenes } from './scenes.ts';
import { Screen } from './screen.ts';
import { Watcher } from './watcher.ts';

const root = resolve(import.meta.dirname, '..', '..');
const examples = join(root, 'examples');
const options = parseDemoOptions(process.argv);
const screen = new Screen();
const { say } = screen;

let startedCluster = false;
let opening: Promise<Environment> | undefined;
let environment: Environment | undefined;
let operator: OperatorProcess | undefined;
let watcher: Watcher | undefined;

const interrupted = Promise.withResolvers<never>();
interrupted.promise.catch(() => {}); // raced with below
let signalled = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    signalled = true;
    interrupted.reject(new Error(`${signal}: stopping`));
  });
}

let passed = false;
try {
  passed = await Promise.race([demo(), interrupted.promise]);
} catch (error) {
  say(`✗ ${error instanceof Error ? error.message : String(error)}`);
}
screen.close();
const kept = options.keep && !signalled && environment !== undefined;
if (!kept) await takeDown();
say(passed ? 'all of it happened' : 'not all of it happened');
sayWhatNext(kept);
process.exit(passed ? 0 : 1);

async function demo(): Promise<boolean> {
  opening = openEnvironment(options, say, () => {
    startedCluster = true;
  });
  environment = await opening;
  const { cluster } = environment;
  const [connection] = await Promise.all([loadConnection({ kubeconfig: cluster.kubeconfig }), installKinds(cluster)]);
  if (!startedCluster) await removeExamples(environment);
  operator = await startOperator(environment, root, say);
  say(`operator started (pid ${operator.pid}): ${operator.log}`);
  const catalogue = new Examples(environment, examples, say);
  [watcher] = await Promise.all([
    Watcher.start(connection),
    catalogue.apply('wordpress.yaml', 'web.yaml', 'essential.yaml', 'array.yaml'),
  ]);
  screen.follow(watcher);

  const stage = { environment, watcher, say, examples: catalogue };
  const results = await Promise.race([Promise.all(scenes.map((scene) => play(scene, stage))), operator.ended]);
  return results.every(Boolean);
}

async function play({ title, play: act }: Scene, stage: Stage): Promise<boolean> {
  try {
    say(`✓ ${title}: ${await act(stage)}`);
    return true;
  } catch (error) {
    if (!signalled) say(`✗ ${title} (${error instanceof Error ? error.message : String(error)})`);
    return false;
  }
}

/** Where the cluster is not the demo's own: so that this run begins where a first one does, and leaves nothing. */
async function removeExamples({ cluster }: Environment): Promise<void> {
  await kubectl(cluster, ['delete', '-f', examples, '--ignore-not-found', '--cascade=foreground', '--timeout=120s']);
}

async function takeDown(): Promise<void> {
  await watcher?.stop();
  if (operator !== undefined) say('stopping the operator');
  await operator?.stop();
  if (startedCluster) {
    say('taking down the cluster');
    await closeCluster(options, opening);
  } else if (environment !== undefined) {
    say('deleting the examples');
    await removeExamples(environment).catch((error: Error) => say(error.message));
  }
}

function sayWhatNext(running: boolean): void {
  if (environment === undefined) return;
  const { cluster, real } = environment;
  const lines = running
    ? [
        'Cluster and operator go on. Try:',
        '',
        `  export KUBECONFIG=${cluster.kubeconfig}`,
        `  export PATH=${cluster.kubectlPath.replace(/\/kubectl$/, '')}:$PATH`,
        '  kubectl get longshore',
        '  kubectl describe services.longshore.dev web',
        '  kubectl scale services.longshore.dev web --replicas 3',
        ...(real ? ['  kubectl logs -l longshore.dev/batch-job=squares --prefix'] : []),
        '',
        `Stop the operator: kill ${operator?.pid}`,
        'Stop the cluster:  npm run cluster -- down',
      ]
    : [
        `Next: npm run demo -- --keep leaves cluster and operator running, with its kubeconfig at ${cluster.kubeconfig}`,
        'and says what to try; README.md goes on with a task definition of your own.',
      ];
  console.log(`\n${lines.join('\n')}`);
}
