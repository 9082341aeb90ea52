/** Programs that the `tool` directives of a go.mod name: built once, with progress, and kept in the cache. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheRoot } from './cache.ts';
import { Progress } from './progress.ts';
import { run, sleep } from './run.ts';

export interface GoPrograms {
  /** Where go.mod and go.sum are. */
  readonly moduleDir: string;
  /** What is built, for people. */
  readonly what: string;
  /** About how long a cold build takes on two cores. */
  readonly minutes: number;
  /** Files of the module itself that the programs are made of. Default: none, they come from modules. */
  readonly sources?: readonly string[];
  /** The names that Go gives the programs. */
  readonly files: readonly string[];
  /** Besides those of every build. */
  readonly flags: readonly string[];
}

/** Go is missing, or the modules cannot be had: nothing is wrong with what would be built. */
export class GoUnavailableError extends Error {
  override readonly name = 'GoUnavailableError';
}

const flagsOf = ({ flags }: GoPrograms): string[] => ['-buildvcs=false', '-trimpath', ...flags];

/** The folder of what is built from this go.mod, whether or not it exists yet. */
function folderOf(programs: GoPrograms): string {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', ...(programs.sources ?? [])])
    hash.update(readFileSync(join(programs.moduleDir, name)));
  hash.update(JSON.stringify([flagsOf(programs), process.platform, process.arch]));
  return join(cacheRoot(), hash.digest('hex').slice(0, 16));
}

/** The folder of the programs, whether or not it exists yet. */
export const goProgramsFolder = (programs: GoPrograms): string => join(folderOf(programs), 'bin');

/**
 * The folder that has the programs, built when they are not in the cache.
 * @throws GoUnavailableError
 */
export async function ensureGoPrograms(programs: GoPrograms, onProgress: (line: string) => void): Promise<string> {
  const dir = folderOf(programs);
  const bin = goProgramsFolder(programs);
  if (existsSync(dir)) return bin;
  mkdirSync(cacheRoot(), { recursive: true });
  const release = await lock(`${dir}.lock`, programs.what, onProgress);
  try {
    if (!existsSync(dir)) await build(programs, dir, onProgress);
    return bin;
  } finally {
    release();
  }
}

/** One builder at a time: a folder made is the lock, and a holder that died loses it. */
async function lock(path: string, what: string, onProgress: (line: string) => void): Promise<() => void> {
  let said = false;
  for (const end = Date.now() + 40 * 60_000; Date.now() < end; await sleep(500)) {
    try {
      mkdirSync(path);
      writeFileSync(join(path, 'pid'), `${process.pid}`);
      return () => rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (holderIsGone(path)) {
      rmSync(path, { recursive: true, force: true });
      continue;
    }
    if (!said) onProgress(`waiting for another build of ${what} to finish`);
    said = true;
  }
  throw new Error(`another build has held ${path} for 40 minutes; remove that folder if no build is running`);
}

function holderIsGone(path: string): boolean {
  const file = join(path, 'pid');
  if (existsSync(file)) return !isAlive(Number(readFileSync(file, 'utf8')));
  // No pid yet: the holder is between its two calls, or died there.
  const made = statSync(path, { throwIfNoEntry: false });
  return made !== undefined && Date.now() - made.mtimeMs > 10_000;
}

/** Removes what builds that were stopped left. */
function removeAbandoned(prefix: string): void {
  for (const name of readdirSync(dirname(prefix))) {
    const path = join(dirname(prefix), name);
    if (path.startsWith(prefix) && !isAlive(Number(path.slice(prefix.length))))
      rmSync(path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function build(programs: GoPrograms, dir: string, onProgress: (line: string) => void): Promise<void> {
  const { moduleDir, what, minutes, files } = programs;
  const go = await run('go', ['version']);
  if (go.code !== 0) {
    throw new GoUnavailableError(
      `building ${what} from Go modules takes a \`go\` on the PATH, and there is none: install Go 1.26 or newer ` +
        '(https://go.dev/doc/install; any Go from 1.21 on fetches the right version by itself), then run this again',
    );
  }
  const flags = flagsOf(programs);
  // GOGC trades memory for a quarter of the build time. GOFLAGS of the user could change what is built.
  const env = { ...process.env, CGO_ENABLED: '0', GOGC: '400', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
  const half = `${dir}.half-${process.pid}`;
  const log = `${dir}.log`;
  removeAbandoned(`${dir}.half-`);
  mkdirSync(join(half, 'bin'), { recursive: true });
  onProgress(`building ${what} from Go modules; once, about ${minutes} minutes on 2 cores`);

  const count = files.length;
  const download = new Progress('downloading modules', onProgress);
  const listed = await run('go', ['list', '-m', 'all'], { cwd: moduleDir, env, timeout: 10 * 60_000 });
  const modules = listed.stdout.split('\n').length;
  let downloaded = 0;
  const stale = await run('go', ['list', '-deps', '-f', '{{if .Stale}}{{.ImportPath}}{{end}}', ...flags, 'tool'], {
    cwd: moduleDir,
    env,
    timeout: 15 * 60_000,
    onErrorLine: (line) => {
      if (!line.startsWith('go: downloading ')) return;
      downloaded += 1;
      download.show(downloaded, modules, line.slice('go: downloading '.length));
    },
  });
  download.end();
  if (stale.code !== 0) {
    rmSync(half, { recursive: true, force: true });
    const said = stale.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('go: downloading '));
    throw new GoUnavailableError(`the Go modules of ${what} cannot be had:\n${said.slice(-10).join('\n')}`);
  }

  // What has to be built: the packages that Go's own cache does not hold, and the programs to link.
  const total = stale.stdout.split('\n').filter((line) => line !== '').length + count;
  const compile = new Progress('building', onProgress);
  let packages = 0;
  let last = '';
  const show = () => {
    const linked = readdirSync(join(half, 'bin')).length;
    compile.show(packages + linked, total, linked > 0 ? `${linked} of ${count} programs linked` : last);
  };
  const linked = setInterval(show, 1_000);
  const result = await run('go', ['build', '-v', ...flags, '-o', `${join(half, 'bin')}/`, 'tool'], {
    cwd: moduleDir,
    env,
    timeout: 60 * 60_000,
    onErrorLine: (line) => {
      if (!/^\S+$/.test(line)) return; // an error; the others name a package each
      packages += 1;
      last = line;
      show();
    },
  });
  clearInterval(linked);
  compile.end();
  writeFileSync(log, stale.stderr + result.stderr);
  if (result.code !== 0) {
    rmSync(half, { recursive: true, force: true });
    const said = result.stderr.split('\n').filter((line) => !/^\S+$/.test(line));
    throw new Error(`building ${what} failed; the whole log is in ${log}, its end:\n${said.slice(-30).join('\n')}`);
  }
  try {
    renameSync(half, dir);
  } catch (error) {
    // Another builder that had taken this one for dead was quicker: the same programs are there.
    if (!existsSync(dir)) throw error;
    rmSync(half, { recursive: true, force: true });
  }
  onProgress(`built ${count} programs into ${dir}`);
}
