import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Progress } from './progress.ts';
import { mustRun, run, sleep } from './run.ts';

/** Where go.mod is: the pinned versions of everything that is built. */
const moduleDir = import.meta.dirname;

/** The programs of a cluster, by the names they are called here. The etcd server's main package builds as `server`. */
const programs = {
  etcd: 'server',
  'kube-apiserver': 'kube-apiserver',
  'kube-controller-manager': 'kube-controller-manager',
  'kube-scheduler': 'kube-scheduler',
  'kube-proxy': 'kube-proxy',
  kubelet: 'kubelet',
  kubectl: 'kubectl',
  kwok: 'kwok',
} as const;

export type ProgramName = keyof typeof programs;
export type Toolchain = Readonly<Record<ProgramName, string>>;

const kubernetesVersion = /^\tk8s\.io\/kubernetes (v\d+\.\d+\.\d+)|^require k8s\.io\/kubernetes (v\d+\.\d+\.\d+)/m;

/** Kubernetes takes its version from the linker; without it the API server calls itself v0.0.0. */
function buildFlags(goMod: string): string[] {
  const match = kubernetesVersion.exec(goMod);
  const version = match?.[1] ?? match?.[2];
  if (version === undefined) throw new Error('dev/cluster/go.mod does not require k8s.io/kubernetes');
  const [major, minor] = version.slice(1).split('.');
  const set = (name: string, value: string) => `-X k8s.io/component-base/version.${name}=${value}`;
  const ldflags = [set('gitVersion', version), set('gitMajor', `${major}`), set('gitMinor', `${minor}`)].join(' ');
  return ['-buildvcs=false', '-trimpath', `-ldflags=${ldflags}`];
}

export function cacheRoot(): string {
  return (
    process.env.LONGSHORE_CACHE_DIR ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'longshore', 'cluster')
  );
}

/** The folder of the programs built from this go.mod, whether or not it exists yet. */
export function toolchainDir(): string {
  const goMod = readFileSync(join(moduleDir, 'go.mod'), 'utf8');
  const hash = createHash('sha256')
    .update(goMod)
    .update(readFileSync(join(moduleDir, 'go.sum')))
    .update(JSON.stringify([buildFlags(goMod), process.platform, process.arch]))
    .digest('hex');
  return join(cacheRoot(), hash.slice(0, 16));
}

const paths = (dir: string): Toolchain => {
  const entries = Object.entries(programs).map(([name, file]) => [name, join(dir, 'bin', file)]);
  return Object.fromEntries(entries) as Toolchain;
};

/** The programs of a cluster, built when they are not in the cache. A cold build takes 6 to 7 minutes on two cores. */
export async function ensureToolchain(onProgress: (line: string) => void): Promise<Toolchain> {
  const dir = toolchainDir();
  if (existsSync(dir)) return paths(dir);
  mkdirSync(cacheRoot(), { recursive: true });
  const release = await lock(`${dir}.lock`, onProgress);
  try {
    if (!existsSync(dir)) await build(dir, onProgress);
    return paths(dir);
  } finally {
    release();
  }
}

/** One builder at a time: a folder made is the lock, and a holder that died loses it. */
async function lock(path: string, onProgress: (line: string) => void): Promise<() => void> {
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
    if (!said) onProgress('waiting for another build of the cluster programs to finish');
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

async function build(dir: string, onProgress: (line: string) => void): Promise<void> {
  const go = await run('go', ['version']);
  if (go.code !== 0) {
    throw new Error(
      'the local cluster is built from Go modules, and there is no `go` on the PATH: install Go 1.26 or newer ' +
        '(https://go.dev/doc/install; any Go from 1.21 on fetches the right version by itself), then run this again',
    );
  }
  const flags = buildFlags(readFileSync(join(moduleDir, 'go.mod'), 'utf8'));
  // GOGC trades memory for a quarter of the build time. GOFLAGS of the user could change what is built.
  const env = { ...process.env, CGO_ENABLED: '0', GOGC: '400', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
  const half = `${dir}.half-${process.pid}`;
  const log = `${dir}.log`;
  removeAbandoned(`${dir}.half-`);
  mkdirSync(join(half, 'bin'), { recursive: true });
  onProgress('building etcd, Kubernetes and KWOK from their Go modules; once, about 7 minutes on 2 cores');

  const count = Object.keys(programs).length;
  const download = new Progress('downloading modules', onProgress);
  const listed = await mustRun('go', ['list', '-m', 'all'], { cwd: moduleDir, env, timeout: 10 * 60_000 });
  const modules = listed.split('\n').length;
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
    throw new Error(
      `building the cluster programs failed; the whole log is in ${log}, its end:\n${said.slice(-30).join('\n')}`,
    );
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
