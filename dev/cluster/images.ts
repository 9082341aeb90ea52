import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type Entry, tar } from './tar.ts';

/** What an OCI registry serves: bytes under their digest, and what they are. */
export interface Blob {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export type ImageKind = 'busybox' | 'httpd' | 'pause';

export interface Image {
  readonly manifest: Blob;
  /** The configuration, and the one layer where it is in memory. */
  readonly blobs: readonly Blob[];
}

// A shell is process 1: busybox httpd itself ignores SIGTERM there, as process 1 has no default actions.
const server = `#!/bin/sh
port="\${PORT:-80}"
mkdir -p /run /tmp && echo ok > /run/health
httpd -f -p "$port" -h /www &
child=$!
trap 'kill -KILL $child; exit 143' TERM
trap 'kill -KILL $child; exit 130' INT
while kill -0 $child 2>/dev/null; do wait $child; done
exit 1
`;

const entrypoint = `#!/bin/sh
if [ $# -gt 0 ] && command -v "$1" > /dev/null; then exec "$@"; fi
exec /bin/http-server
`;

// nc instead of wget: wget of busybox-static crashes in the name service switch.
const healthcheck = `#!/bin/sh
[ ! -e /tmp/unhealthy ] || exit 1
printf 'GET /health HTTP/1.0\\r\\n\\r\\n' | nc -w 2 127.0.0.1 "\${PORT:-80}" | head -n 1 | grep -q ' 200 '
`;

const wait = `#!/bin/sh
trap 'exit 143' TERM
trap 'exit 130' INT
while :; do sleep 3600 & wait $!; done
`;

const file = (path: string, text: string | Buffer, mode = 0o644): Entry => ({
  path,
  mode,
  type: 'file',
  bytes: Buffer.from(text),
});
const directory = (path: string, mode = 0o755): Entry => ({ path, mode, type: 'directory' });
const link = (path: string, target: string): Entry => ({ path, mode: 0o777, type: 'link', target });

/** The statically linked busybox of this machine, which every image is made of. */
export function busyboxPath(): string | undefined {
  // The package busybox has one at the same place that needs libraries an image does not have.
  const isStatic = (path: string) => !readFileSync(path).includes('/ld-');
  return ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path) && isStatic(path));
}

function fileSystem(): Buffer {
  const busybox = busyboxPath();
  if (busybox === undefined) throw new Error('there is no busybox on this machine: install the package busybox-static');
  const applets = spawnSync(busybox, ['--list'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((name) => name !== '');
  const folders = [
    'bin',
    'etc',
    'root',
    'run',
    'www',
    'var',
    'var/log',
    'usr',
    'usr/bin',
    'usr/local',
    'usr/local/bin',
    'usr/local/apache2',
  ];
  return tar([
    ...folders.map((path) => directory(path)),
    directory('tmp', 0o1777),
    directory('var/tmp', 0o1777),
    file('bin/busybox', readFileSync(busybox), 0o755),
    ...applets.filter((name) => name !== 'busybox').map((name) => link(`bin/${name}`, 'busybox')),
    file('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
    file('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
    file('www/index.html', '<!doctype html><title>Longshore</title><h1>It runs.</h1>\n'),
    link('www/health', '/run/health'),
    // Where the image of the Apache HTTP server keeps its pages, and what starts it: task definitions write to both.
    link('usr/local/apache2/htdocs', '/www'),
    link('bin/httpd-foreground', 'http-server'),
    file('bin/http-server', server, 0o755),
    file('bin/entrypoint', entrypoint, 0o755),
    // The entry point of Docker's official images, which task definitions name.
    link('usr/local/bin/docker-entrypoint.sh', '/bin/entrypoint'),
    file('bin/healthcheck', healthcheck, 0o755),
    file('bin/unhealthy', '#!/bin/sh\ntouch /tmp/unhealthy; rm -f /run/health\n', 0o755),
    file('bin/healthy', '#!/bin/sh\nrm -f /tmp/unhealthy; echo ok > /run/health\n', 0o755),
    file('bin/wait', wait, 0o755),
  ]);
}

/** How an image runs; `Env` comes after a PATH. */
export interface ImageConfig {
  readonly Cmd: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Env?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
}

export interface LayerReference {
  readonly digest: string;
  readonly size: number;
}

/** A manifest and its configuration for layers, the lowest first, that are served from elsewhere. */
export function imageOf(layers: readonly LayerReference[], { Env = [], ...runs }: ImageConfig): Image {
  const config = json('application/vnd.oci.image.config.v1+json', {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: [PATH, ...Env], WorkingDir: '/', ...runs },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = json(mediaType, {
    schemaVersion: 2,
    mediaType,
    config: reference(config),
    layers: layers.map(({ digest, size }) => ({ mediaType: LAYER, digest, size })),
  });
  return { manifest, blobs: [config] };
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';

const blob = (mediaType: string, bytes: Buffer): Blob => ({ digest: digestOf(bytes), mediaType, bytes });
/** A layer, from a tar file. */
export const layerOf = (bytes: Buffer): Blob => blob(LAYER, bytes);
const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const json = (mediaType: string, value: unknown) => blob(mediaType, Buffer.from(JSON.stringify(value)));
const reference = ({ mediaType, digest, bytes }: Blob) => ({ mediaType, digest, size: bytes.length });

function imageWith(layer: Blob, runs: ImageConfig): Image {
  const { manifest, blobs } = imageOf([{ digest: layer.digest, size: layer.bytes.length }], runs);
  return { manifest, blobs: [...blobs, layer] };
}

/** The three images. They share one layer; what differs is what they run. */
export function makeImages(): Readonly<Record<ImageKind, Image>> {
  const layer = layerOf(fileSystem());
  return {
    busybox: imageWith(layer, { Cmd: ['/bin/wait'] }),
    httpd: imageWith(layer, {
      Entrypoint: ['/bin/entrypoint'],
      Cmd: ['/bin/http-server'],
      ExposedPorts: { '80/tcp': {} },
    }),
    pause: imageWith(layer, { Entrypoint: ['/bin/wait'], Cmd: [] }),
  };
}

/** An image of nothing but one statically linked program. */
export function programImage(name: string, program: Buffer): Image {
  const layer = layerOf(tar([directory('tmp', 0o1777), file(name, program, 0o755)]));
  return imageWith(layer, { Cmd: [`/${name}`], ExposedPorts: { '80/tcp': {} } });
}
