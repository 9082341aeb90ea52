/** What stands in for the distroless image of Node where no registry can be reached. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ImageConfig } from '../cluster/images.ts';
import { mustRun } from '../cluster/run.ts';
import type { Entry } from '../cluster/tar.ts';

export interface Base {
  readonly entries: readonly Entry[];
  readonly config: ImageConfig;
}

const file = (path: string, bytes: Buffer | string, mode = 0o644): Entry => ({
  path,
  mode,
  type: 'file',
  bytes: Buffer.from(bytes),
});

/** The folders that files need, each once and before what is in it. */
export function withFolders(files: readonly Entry[]): Entry[] {
  const folders = new Set(files.filter(({ type }) => type === 'directory').map(({ path }) => path));
  const missing = new Set<string>();
  for (const { path } of files) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      if (!folders.has(folder)) missing.add(folder);
    }
  }
  const made = [...missing].map((path): Entry => ({ path, mode: 0o755, type: 'directory' }));
  return [...made, ...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The libraries that the loader of this machine gives a program, and the loader itself. */
async function librariesOf(program: string): Promise<string[]> {
  const found = await mustRun('ldd', [program]);
  return [...found.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

/**
 * As gcr.io/distroless/nodejs24 has it: /nodejs/bin/node, its libraries, the user nonroot, and no shell. Node is the
 * project's own and the libraries are this machine's, so that the image runs where this machine's programs do.
 * @throws Error where the machine is not Linux.
 */
export async function nodeBase(): Promise<Base> {
  if (process.platform !== 'linux') throw new Error('npm run image needs Linux; elsewhere, use docker build');
  const node = resolve(import.meta.dirname, '..', '..', 'node_modules', 'node', 'bin', 'node');
  const libraries = await librariesOf(node);
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  const entries = withFolders([
    file('nodejs/bin/node', readFileSync(node), 0o755),
    ...libraries.map((path) => file(path.slice(1), readFileSync(path), 0o755)),
    ...(existsSync(certificates) ? [file(certificates.slice(1), readFileSync(certificates))] : []),
    file(
      'etc/passwd',
      'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
    ),
    file('etc/group', 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n'),
    file('etc/nsswitch.conf', 'hosts: files dns\n'),
    { path: 'tmp', mode: 0o1777, type: 'directory' },
  ]);
  const Env = [`SSL_CERT_FILE=${certificates}`];
  return { entries, config: { Entrypoint: ['/nodejs/bin/node'], Cmd: [], User: '65532', Env } };
}

/** The files below a folder, by their paths in it, in order. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
