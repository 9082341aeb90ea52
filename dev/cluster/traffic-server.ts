/** The server of the tests that count lost requests (dev/traffic-server): built once, cached, and served as an image. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheRoot } from './cache.ts';
import { mustRun } from './run.ts';

const source = resolve(import.meta.dirname, '..', 'traffic-server');

/** Where the program is once it has been built. */
export function trafficServerPath(): string {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(source, name)));
  return join(cacheRoot(), `traffic-server-${hash.digest('hex').slice(0, 16)}`, 'traffic-server');
}

/** Builds the program where it is missing: seconds, and a module to download. From then on real nodes find its image. */
export async function ensureTrafficServer(): Promise<string> {
  const path = trafficServerPath();
  if (existsSync(path)) return path;
  const dir = resolve(path, '..');
  const half = `${dir}.half-${process.pid}`;
  mkdirSync(half, { recursive: true });
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
    const program = join(half, 'traffic-server');
    const args = ['build', '-buildvcs=false', '-trimpath', '-ldflags=-s -w', '-o', program, '.'];
    await mustRun('go', args, { cwd: source, env, timeout: 600_000 });
    renameSync(half, dir);
  } catch (error) {
    // Another that built it was quicker: the same program is there.
    if (!existsSync(path)) throw error;
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return path;
}
