/**
 * How long a fresh process takes to list and index pods, and what memory it has then:
 * `node test/bench/cache.ts [--pods 10000] [--kubeconfig FILE]`. Without a kubeconfig the pods come over TLS from this
 * process, as a streamed list; with one, they are those that Longshore manages in that cluster.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { Authority } from '../../dev/cluster/certificates.ts';
import { runningPod } from './pods.ts';

const { values } = parseArgs({
  options: { pods: { type: 'string', default: '10000' }, kubeconfig: { type: 'string' } },
});
const count = Number(values.pods);

function* streamedList(): Generator<string> {
  for (let index = 0; index < count; index += 1) {
    yield `${JSON.stringify({ type: 'ADDED', object: runningPod(index, 1000 + index) })}\n`;
  }
  const metadata = { resourceVersion: String(1000 + count), annotations: { 'k8s.io/initial-events-end': 'true' } };
  yield `${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`;
}

async function serve(dir: string): Promise<{ kubeconfig: string; stop: () => void }> {
  const authority = await Authority.open(dir);
  const files = await authority.issue('server', { user: 'server', hosts: ['127.0.0.1'] });
  const server = createServer(
    { cert: readFileSync(files.cert), key: readFileSync(files.key) },
    (_request, response) => {
      Readable.from(streamedList()).pipe(response, { end: false });
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const kubeconfig = join(dir, 'kubeconfig');
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    clusters: [{ name: 'c', cluster: { server: address, 'certificate-authority': authority.ca.cert } }],
    users: [{ name: 'u', user: { token: 'none' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  return {
    kubeconfig,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

const dir = mkdtempSync(join(tmpdir(), 'bench-cache-'));
const source = values.kubeconfig === undefined ? await serve(dir) : { kubeconfig: values.kubeconfig, stop: () => {} };
const child = spawn(process.execPath, [resolve(import.meta.dirname, 'cache-process.ts'), source.kubeconfig], {
  stdio: 'inherit',
});
const [code] = await once(child, 'close');
source.stop();
rmSync(dir, { recursive: true });
process.exitCode = code;
