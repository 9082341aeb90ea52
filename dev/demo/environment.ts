/** Where the demo runs: a cluster and the kinds installed in it. A cluster that was found is left as it was. */
import { resolve } from 'node:path';
import { down, type LocalCluster, realNodePossible, status, up } from '../cluster/index.ts';
import { readState } from '../cluster/state.ts';
import type { DemoOptions } from './options.ts';

export type Say = (line: string) => void;

export interface Environment {
  readonly cluster: LocalCluster;
  /** Containers run; on simulated nodes nothing does, so that there are no logs and nothing to enter. */
  readonly real: boolean;
  /** The demo brought the cluster up, and so takes it down. */
  readonly started: boolean;
}

/** @param onStart called before anything is started: from then on `down` is the demo's to call, also after a failure. */
export async function openEnvironment(options: DemoOptions, say: Say, onStart: () => void): Promise<Environment> {
  const dir = resolve(options.dir);
  const { state, components } = await status(dir);
  if (state === 'partial') {
    const running = components.map(({ name, running }) => `${name} ${running ? 'runs' : 'has ended'}`).join(', ');
    throw new Error(`the cluster in ${dir} is not wholly up (${running}): npm run cluster -- down`);
  }
  const found = state === 'up';
  const nodes = options.nodes ?? (found ? readState(dir)?.nodes : undefined) ?? chooseNodes(say);
  if (!found) onStart();
  const cluster = await up({ dir, nodes, onProgress: say });
  if (found) say(`using it as it is, with --nodes ${nodes}, and leaving it up`);
  return { cluster, real: nodes.includes('real'), started: !found };
}

/** @param opening may still be bringing the cluster up: it fails once its components are gone, and must not start more. */
export async function closeCluster(options: DemoOptions, opening?: Promise<Environment>): Promise<void> {
  const dir = resolve(options.dir);
  if (readState(dir) === undefined) return; // nothing runs yet; a build ends with this process
  await down(dir);
  await Promise.allSettled([opening]);
  await down(dir);
}

function chooseNodes(say: Say): string {
  const { possible, why } = realNodePossible();
  if (possible) {
    say('a real node, as this machine can run containers; --nodes kwok=3 simulates them');
    return 'real';
  }
  say(`simulated nodes (KWOK): ${why}`);
  return 'kwok=3';
}

/** @throws with kubectl's own words. */
export async function kubectl(cluster: LocalCluster, args: readonly string[], input?: string): Promise<string> {
  const result = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (result.code !== 0)
    throw new Error(`kubectl ${args.join(' ')} failed (${result.code}): ${(result.stderr || result.stdout).trim()}`);
  return result.stdout.trimEnd();
}
