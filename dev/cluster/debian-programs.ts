/** One image layer with real programs of Debian, made once and cached: what the registry serves for their names. */
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { cacheRoot } from './cache.ts';
import type { ImageConfig } from './images.ts';
import { mustRun, run } from './run.ts';

interface DebianPrograms {
  readonly suite: string;
  readonly mirror: string;
  readonly packages: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  readonly images: Readonly<Record<string, ImageConfig>>;
}

export interface Layer {
  /** An uncompressed tar file. */
  readonly path: string;
  readonly digest: string;
  readonly size: number;
}

const source = join(import.meta.dirname, 'debian-programs.yaml');

export const debianImages = (): Readonly<Record<string, ImageConfig>> =>
  (parse(readFileSync(source, 'utf8')) as DebianPrograms).images;

const folder = (): string => {
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  return join(cacheRoot(), `debian-programs-${hash}`);
};

/** The layer, if it has been made. */
export function debianLayer(): Layer | undefined {
  const path = join(folder(), 'layer.tar');
  const digest = join(folder(), 'digest');
  if (!existsSync(digest)) return undefined;
  return { path, digest: readFileSync(digest, 'utf8'), size: statSync(path).size };
}

/** Makes the layer where it is missing: some minutes, and about 700 MB on disk. Needs root and Debian. */
export async function ensureDebianLayer(say: (line: string) => void): Promise<Layer> {
  const made = debianLayer();
  if (made !== undefined) return made;
  const { suite, mirror, packages, files } = parse(readFileSync(source, 'utf8')) as DebianPrograms;
  const dir = folder();
  const root = join(dir, 'root');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  if ((await run('debootstrap', ['--version'])).code !== 0) {
    say('installing debootstrap with apt-get');
    await mustRun('apt-get', ['install', '--yes', '--no-install-recommends', 'debootstrap'], { env, timeout: 600_000 });
  }
  say(`making an image layer of ${packages.join(', ')}: some minutes, once`);
  const include = `--include=${packages.join(',')}`;
  await mustRun('debootstrap', ['--variant=minbase', include, suite, root, mirror], { env, timeout: 1_800_000 });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const needless of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
    rmSync(join(root, needless), { recursive: true, force: true });
  }
  const path = join(dir, 'layer.tar');
  await mustRun(
    'tar',
    ['--create', '--numeric-owner', '--sort=name', `--file=${path}.part`, `--directory=${root}`, '.'],
    {
      timeout: 600_000,
    },
  );
  rmSync(root, { recursive: true, force: true });
  renameSync(`${path}.part`, path);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  writeFileSync(join(dir, 'digest'), `sha256:${hash.digest('hex')}`);
  return debianLayer() as Layer;
}
