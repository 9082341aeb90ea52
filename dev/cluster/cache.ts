import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder of what is made once for all clusters: `LONGSHORE_CACHE_DIR`, or `longshore/cluster` in the user's cache. */
export function cacheRoot(): string {
  return (
    process.env.LONGSHORE_CACHE_DIR ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'longshore', 'cluster')
  );
}
