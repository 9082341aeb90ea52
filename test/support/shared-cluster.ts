/** One cluster for all files of a suite: the first that needs it starts it, and it goes down after the last. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { down } from '../../dev/cluster/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly clusterDir: string;
  }
}

export default function setup(project: TestProject): () => Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'lsh-'));
  project.provide('clusterDir', dir);
  return async () => {
    await down(dir);
    rmSync(dir, { recursive: true, force: true });
  };
}
