import { defineConfig } from 'vitest/config';

const suite = (name: string, timeouts: { test: number; hook: number }, files = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeouts.test,
    hookTimeout: timeouts.hook,
    pool: 'forks' as const,
    setupFiles: 'test/support/fast-check-seed.ts',
    ...files,
  },
});

const sharedCluster = { fileParallelism: false, globalSetup: 'test/support/shared-cluster.ts' };

/** One project a suite: `npx vitest run --project unit`. The suites that start a cluster run one file at a time. */
export default defineConfig({
  test: {
    projects: [
      suite('unit', { test: 20_000, hook: 20_000 }),
      suite('conformance', { test: 20_000, hook: 20_000 }),
      suite('chaos', { test: 60_000, hook: 60_000 }),
      suite('cluster', { test: 180_000, hook: 900_000 }, sharedCluster),
      suite('node', { test: 240_000, hook: 900_000 }, sharedCluster),
    ],
  },
});
