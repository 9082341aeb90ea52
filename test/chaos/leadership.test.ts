/** The operator as a process of its own, against the scripted server: who leads, and what a follower knows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeServer, type Request, respond, status } from './fake-server.ts';

const root = resolve(import.meta.dirname, '..', '..');
const LEASES = '/apis/coordination.k8s.io/v1/leases';
const SERVICES = '/apis/longshore.dev/v1alpha1/services';

let dir: string;
let server: FakeServer;
let operators: Operator[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'leadership-'));
  server = await FakeServer.start();
  operators = [];
});
afterEach(async () => {
  for (const operator of operators) operator.child.kill('SIGKILL');
  await server.stop();
  await rm(dir, { recursive: true });
});

class Operator {
  readonly child: ChildProcess;
  readonly closed: Promise<unknown[]>;
  readonly #lines: string[] = [];
  #wake = (): void => {};

  constructor(kubeconfig: string, flags: readonly string[]) {
    const args = ['src/main.ts', '--kubeconfig', kubeconfig, '--health-port', '0', ...flags];
    this.child = spawn(join(root, 'node_modules', '.bin', 'node'), args, { cwd: root });
    this.closed = once(this.child, 'close');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      });
    }
  }

  /** The first line of its log with the text, once it is there. */
  logged(text: string): Promise<string> {
    return new Promise((found) => {
      this.#wake = () => {
        const line = this.#lines.find((line) => line.includes(text));
        if (line !== undefined) found(line);
      };
      this.#wake();
    });
  }

  async health(path: string): Promise<string> {
    const { healthPort } = JSON.parse(await this.logged('longshore starts'));
    return (await fetch(`http://127.0.0.1:${healthPort}${path}`)).text();
  }

  get log(): string {
    return this.#lines.join('\n');
  }
}

async function start(name: string, ...flags: string[]): Promise<Operator> {
  const kubeconfig = join(dir, name);
  const config = {
    clusters: [{ name: 'c', cluster: { server: server.url } }],
    users: [{ name: 'u', user: { token: name } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const operator = new Operator(kubeconfig, flags);
  operators.push(operator);
  return operator;
}

const by = (name: string) => (request: Request) => request.headers.authorization === `Bearer ${name}`;
const writes = (name: string) =>
  server.requests.filter(
    (request) => by(name)(request) && request.method !== 'GET' && !request.path.includes('/leases'),
  );
const watches = (name: string) => server.watches.filter(({ request }) => by(name)(request));

/** A service whose task definition does not exist: all its controller can write is a status. */
const putService = (name: string) =>
  server.put(SERVICES, {
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { taskDefinition: 'none', desiredCount: 1 },
  });

test('a leader told to end hands over to a follower with warm caches within 2 s, and nothing goes unseen', async () => {
  const leader = await start('leader');
  await leader.logged('caches are complete');
  const follower = await start('follower');
  // Five caches and the lease.
  await server.until(() => watches('follower').length === 6);
  expect(await follower.health('/readyz')).toBe('[+]caches ok\nok\n');
  expect(await follower.health('/metrics')).toContain('leader_election_master_status{name="longshore"} 0');
  expect(await leader.health('/metrics')).toContain('leader_election_master_status{name="longshore"} 1');
  putService('seen');
  await server.until(() => writes('leader').length > 0);
  expect(writes('follower')).toEqual([]);

  // What no open watch hears of: only a look at the server itself finds it.
  server.frozen = true;
  putService('unseen');
  server.frozen = false;
  const asked = performance.now();
  leader.child.kill('SIGTERM');
  await server.until(() => writes('follower').some(({ path }) => path.includes('/services/unseen/status')));
  console.info(`handed over in ${Math.round(performance.now() - asked)} ms`);
  expect(performance.now() - asked).toBeLessThan(2000);
  expect(await leader.closed).toEqual([0, null]);
});

test('a leader stopped with a write at hand, and woken when another one leads, does not send it', async () => {
  const leader = await start(
    'leader',
    ...['--leader-elect-lease-duration=3s', '--leader-elect-renew-deadline=2s', '--leader-elect-retry-period=500ms'],
  );
  await leader.logged('caches are complete');
  const stopped = Promise.withResolvers<void>();
  server.inject(
    (request) => request.method === 'PATCH',
    (_request, response) => {
      const busy = status(429, 'TooManyRequests', 'slow down').body;
      respond(response, 429, busy, { 'retry-after': '3' });
      response.on('finish', () => {
        // Once it has read the answer, and before it sends the write again.
        setTimeout(() => {
          leader.child.kill('SIGSTOP');
          stopped.resolve();
        }, 500);
      });
    },
  );
  putService('late');
  await stopped.promise;
  // Past the renew deadline, and past the time to send the write again.
  await delay(4000);
  server.put(LEASES, {
    metadata: { name: 'longshore', namespace: 'default' },
    spec: { holderIdentity: 'somebody else', leaseDurationSeconds: 15 },
  });
  leader.child.kill('SIGCONT');
  expect(await leader.closed).toEqual([1, null]);
  expect(writes('leader')).toHaveLength(1);
});

test('a leader that lost its lease ends with an error, so that it is started afresh', async () => {
  const leader = await start('leader');
  await leader.logged('caches are complete');
  server.put(LEASES, {
    metadata: { name: 'longshore', namespace: 'default' },
    spec: { holderIdentity: 'somebody else', leaseDurationSeconds: 15 },
  });
  expect(await leader.closed).toEqual([1, null]);
  expect(leader.log).toContain('lost the lease "longshore": another one may lead now');
});
