import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Blob, type ImageKind, makeImages } from './images.ts';

/**
 * A read-only OCI registry for the containerds of the real nodes: it answers every name of images.yaml, whatever registry
 * the name belongs to, and 404 for all others, so that a wrong image name fails as it does anywhere.
 * Started as a process of its own: `registry.ts <address> <port>`.
 */
const [address, port] = process.argv.slice(2);

const kinds = parse(readFileSync(join(import.meta.dirname, 'images.yaml'), 'utf8')) as Record<string, ImageKind>;
const images = makeImages();
const byDigest = new Map<string, Blob>(
  Object.values(images).flatMap(({ manifest, blobs }) => [manifest, ...blobs].map((blob) => [blob.digest, blob])),
);

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
  const kind = kinds[shortName(registry, repository)];
  return kind === undefined || reference === 'missing' ? undefined : images[kind].manifest;
}

createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://registry');
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
