/** One cluster for all files of a suite: the first that needs it starts it, and it goes down after the last. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { down } from '../../dev/cluster/index.ts';
import { auditedRights, report } from './audited-rights.ts';
import { OPERATOR_USER, POD_USER } from './operator-rights.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly clusterDir: string;
  }
}

const main = join(import.meta.dirname, '..', '..', 'dev', 'cluster', 'main.ts');

export default function setup(project: TestProject): () => Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
  project.provide('clusterDir', dir);
  // Vitest that is interrupted exits at once: the cluster is taken down behind it.
  const takeDown = (): void => {
    const args = ['--disable-warning=ExperimentalWarning', main, 'down', '--dir', dir];
    spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref();
  };
  process.once('SIGINT', takeDown).once('SIGTERM', takeDown);
  return async () => {
    await down(dir);
    const rights = await auditedRights(dir, [OPERATOR_USER, POD_USER]);
    report(rights);
    rmSync(dir, { recursive: true, force: true });
    if (rights.denied.length > 0)
      throw new Error(`the operator asked for what its role does not allow:\n${rights.denied.join('\n')}`);
  };
}
