import { resolve } from 'node:path';
import type { LocalCluster } from './index.ts';
import { type CommandResult, until } from './run.ts';

const crds = resolve(import.meta.dirname, '..', '..', 'crds');

/**
 * Installs Longshore's own kinds and returns when the API server serves them, so that `kubectl apply` of anything with them
 * works at once. `kubectl wait` itself fails while a definition has no conditions at all, and is asked again.
 * @param folder default: the repository's crds/
 */
export async function installKinds(cluster: LocalCluster, folder = crds): Promise<void> {
  const applied = await cluster.kubectl(['apply', '-f', folder]);
  if (applied.code !== 0) throw failure('apply', applied);
  const wait = ['wait', '--for=condition=Established', '--timeout=30s', '-f', folder];
  let last = applied;
  const established = async (): Promise<boolean> => {
    last = await cluster.kubectl(wait);
    return last.code === 0;
  };
  await until('the kinds to be established', established, { timeout: 90_000, interval: 250 }).catch(() => {
    throw failure('wait', last);
  });
}

const failure = (verb: string, { stderr, stdout }: CommandResult): Error =>
  new Error(`kubectl ${verb} of Longshore's kinds failed: ${(stderr || stdout).trim()}`);
