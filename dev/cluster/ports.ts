import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const given = new Set<number>();

/**
 * A TCP port nobody listens on. Chosen below the kernel's ephemeral range (32768 and up), where an outgoing connection
 * could take it before the component binds it, and below the NodePort range (30000 to 32767).
 */
export async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = randomInt(20_000, 30_000);
    if (given.has(port)) continue;
    if ((await canListen(host, port)) && (await canListen('0.0.0.0', port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free TCP port between 20000 and 30000 on ${host}`);
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
