/** The operator's image without an engine: made from the Dockerfile, and given to the local cluster. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Blob, imageOf, layerOf } from '../cluster/images.ts';
import { mustRun } from '../cluster/run.ts';
import { readState } from '../cluster/state.ts';
import { tar } from '../cluster/tar.ts';
import { assemble } from './assemble.ts';

const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '..', '..', 'package.json'), 'utf8'));

/** As deploy/ names it. */
export const IMAGE = `longshore.dev/longshore:${version}`;

const file = (path: string, bytes: Buffer) => ({ path, mode: 0o644, type: 'file', bytes }) as const;
const folder = (path: string) => ({ path, mode: 0o755, type: 'directory' }) as const;

/** One archive as the OCI image layout has it: `ctr images import`, `docker load` and `skopeo copy oci-archive:` take it. */
function archive({ manifest, blobs }: { readonly manifest: Blob; readonly blobs: readonly Blob[] }): Buffer {
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: manifest.mediaType,
        digest: manifest.digest,
        size: manifest.bytes.length,
        annotations: { 'io.containerd.image.name': IMAGE, 'org.opencontainers.image.ref.name': version },
      },
    ],
  };
  return tar([
    file('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')),
    file('index.json', Buffer.from(JSON.stringify(index))),
    folder('blobs'),
    folder('blobs/sha256'),
    ...[manifest, ...blobs].map(({ digest, bytes }) => file(`blobs/${digest.replace(':', '/')}`, bytes)),
  ]);
}

/**
 * Writes the image's archive. The same sources, on the same machine, always make the same.
 * @returns the digest of its manifest.
 */
export async function makeImage(path: string): Promise<string> {
  const { layers, config } = await assemble();
  const blobs = layers.map((entries) => layerOf(tar(entries)));
  const image = imageOf(
    blobs.map(({ digest, bytes }) => ({ digest, size: bytes.length })),
    config,
  );
  writeFileSync(path, archive({ manifest: image.manifest, blobs: [...image.blobs, ...blobs] }));
  return image.manifest.digest;
}

/**
 * Imports an archive on the real nodes of a cluster.
 * @returns their names.
 */
export async function importImage(clusterDir: string, path: string): Promise<string[]> {
  const nodes = readState(clusterDir)?.real?.nodes ?? [];
  for (const { socket } of nodes) {
    const args = [`--address=${socket}`, '--namespace=k8s.io', 'images', 'import', resolve(path)];
    await mustRun('ctr', args, { timeout: 300_000 });
  }
  return nodes.map(({ name }) => name);
}
