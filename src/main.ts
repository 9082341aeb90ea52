import { CacheSyncError } from './kube/catch-up.ts';
import { LeadershipLostError } from './kube/leader-election.ts';
import { parseOptions } from './options.ts';
import { runOperator } from './run.ts';
import { StartError } from './start-error.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

try {
  await runOperator(parseOptions(process.argv), stop.signal);
} catch (error) {
  const expected = [StartError, LeadershipLostError, CacheSyncError].some((kind) => error instanceof kind);
  if (!(expected && error instanceof Error)) throw error;
  console.error(`longshore: ${error.message}`);
  process.exitCode = 1;
}
