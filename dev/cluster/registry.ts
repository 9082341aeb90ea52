import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parse } from 'yaml';
import { debianImages, debianLayer } from './debian-programs.ts';
import { type Blob, type ImageKind, imageOf, makeImages, programImage } from './images.ts';
import { trafficServerPath } from './traffic-server.ts';

/**
 * A read-only OCI registry for the containerds of the real nodes: it answers every name of images.yaml, whatever registry
 * the name belongs to, and 404 for all others, so that a wrong image name fails as it does anywhere.
 * Started as a process of its own: `registry.ts <address> <port> [debian]`; with `debian` the names of
 * debian-programs.yaml are the real programs.
 */
const [address, port, programs] = process.argv.slice(2);

const kinds = parse(readFileSync(join(import.meta.dirname, 'images.yaml'), 'utf8')) as Record<string, ImageKind>;
const images = makeImages();
const layer = programs === 'debian' ? debianLayer() : undefined;
const real = new Map(
  layer === undefined ? [] : Object.entries(debianImages()).map(([name, runs]) => [name, imageOf([layer], runs)]),
);
const byDigest = new Map<string, Blob>(
  [...Object.values(images), ...real.values()].flatMap(({ manifest, blobs }) =>
    [manifest, ...blobs].map((blob) => [blob.digest, blob] as const),
  ),
);

/** The test that needs it has built it: maybe after this registry was started. */
function trafficServer(): Blob | undefined {
  const path = trafficServerPath();
  if (!existsSync(path)) return undefined;
  const { manifest, blobs } = programImage('traffic-server', readFileSync(path));
  for (const blob of [manifest, ...blobs]) byDigest.set(blob.digest, blob);
  return manifest;
}

/** The name as an image reference writes it: `docker.io/library/nginx` is `nginx`. */
function shortName(registry: string, repository: string): string {
  if (registry !== 'docker.io' && registry !== 'registry-1.docker.io') return `${registry}/${repository}`;
  return repository.replace(/^library\//, '');
}

function find(registry: string, path: string): Blob | undefined {
  const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
  if (match === null) return undefined;
  const [, repository = '', , reference = ''] = match;
  if (reference.startsWith('sha256:')) return byDigest.get(reference);
  const name = shortName(registry, repository);
  if (name === 'longshore.local/traffic-server') return trafficServer();
  const program = real.get(name);
  if (program !== undefined && reference !== 'missing') return program.manifest;
  const kind = kinds[name];
  return kind === undefined || reference === 'missing' ? undefined : images[kind].manifest;
}

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://registry');
  if (layer !== undefined && url.pathname.endsWith(`/blobs/${layer.digest}`)) {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': layer.size });
    if (request.method === 'HEAD') response.end();
    else createReadStream(layer.path).pipe(response);
    return;
  }
  // containerd names the registry that it asks this one for in the query.
  const found = find(url.searchParams.get('ns') ?? 'docker.io', url.pathname);
  const status = url.pathname === '/v2/' || found !== undefined ? 200 : 404;
  console.log(`${new Date().toISOString()} ${request.method} ${request.url} ${status}`);
  if (found === undefined) {
    response.writeHead(status, { 'content-type': 'application/json' });
    const error = { code: 'MANIFEST_UNKNOWN', message: 'not an image of dev/cluster/images.yaml' };
    response.end(status === 404 ? JSON.stringify({ errors: [error] }) : '{}');
    return;
  }
  response.writeHead(200, {
    'content-type': found.mediaType,
    'content-length': found.bytes.length,
    'docker-content-digest': found.digest,
  });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}).listen(Number(port), address);
