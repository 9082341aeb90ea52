import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WorkQueue } from '../../../src/kube/work-queue.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets promises settle without any clock. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('contract', () => {
  test('Add is idempotent (dedup): a key added many times is handed out once', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(1);
    expect(await queue.get()).toBe('a');
    expect(queue.length).toBe(0);
  });

  test('dirty while processing: a key added while it is processed comes again after Done, not before', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.get();
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(await queue.get()).toBe('a');
  });

  test('a key that rests is handed out once at the end of that, however often it was added', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.done('a', 100);
    queue.add('a');
    queue.addAfter('a', 50);
    vi.advanceTimersByTime(99);
    expect(queue.length).toBe(0);
    queue.add('b');
    expect(await queue.get()).toBe('b');
    vi.advanceTimersByTime(1);
    expect(queue.length).toBe(1);
    expect(await queue.get()).toBe('a');
    queue.done('a', 100);
    vi.advanceTimersByTime(1000);
    expect(queue.length).toBe(0);
    queue.add('a');
    expect(queue.length).toBe(1);
  });

  test('ShutDown: hands out what rests as well, at once', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.get();
    queue.add('a');
    queue.done('a', 100);
    queue.shutDown();
    expect(await queue.get()).toBe('a');
    queue.done('a', 100);
    expect(await queue.get()).toBeUndefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('Get blocks until there is a key', async () => {
    const queue = new WorkQueue();
    const waiting = queue.get();
    queue.add('a');
    expect(await waiting).toBe('a');
  });

  test('AddAfter: of several delays the earliest holds', async () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 100);
    queue.addAfter('a', 50);
    queue.addAfter('a', 200);
    vi.advanceTimersByTime(49);
    expect(queue.length).toBe(0);
    vi.advanceTimersByTime(1);
    expect(queue.length).toBe(1);
    await queue.get();
    queue.done('a');
    vi.advanceTimersByTime(1000);
    expect(queue.length).toBe(0);
  });

  test('AddRateLimited and Forget: a key’s backoff doubles from 5 ms to 5 min, and starts anew', () => {
    const queue = new WorkQueue();
    const waits: number[] = [];
    for (let failure = 0; failure < 20; failure += 1) {
      const started = performance.now();
      queue.addRateLimited('a');
      while (queue.length === 0) vi.advanceTimersToNextTimer();
      waits.push(Math.round(performance.now() - started));
      void queue.get();
      queue.done('a');
    }
    expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(waits.at(-1)).toBe(300_000);
    queue.forget('a');
    queue.addRateLimited('a');
    vi.advanceTimersByTime(5);
    expect(queue.length).toBe(1);
  });

  test('a delay beyond what a timer can hold still waits its time', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 3_000_000_000);
    vi.advanceTimersByTime(2_900_000_000);
    expect(queue.length).toBe(0);
    vi.advanceTimersByTime(100_000_001);
    expect(queue.length).toBe(1);
  });

  test('ShutDown: hands out what is queued, takes nothing more and then says so to every worker', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.addAfter('later', 10);
    queue.shutDown();
    queue.add('b');
    vi.advanceTimersByTime(100);
    expect(await queue.get()).toBe('a');
    expect(await queue.get()).toBeUndefined();
  });

  test('ShutDownWithDrain: waits for the keys under way and for those to be processed again', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.get();
    queue.add('a');
    let drained = false;
    const drain = queue.shutDownWithDrain().then(() => {
      drained = true;
    });
    queue.done('a');
    await settle();
    expect(drained).toBe(false);
    expect(await queue.get()).toBe('a');
    queue.done('a');
    await drain;
    expect(await queue.get()).toBeUndefined();
  });
});

describe('fairness', () => {
  test('a namespace with ten thousand keys does not hold up the only key of another', async () => {
    const queue = new WorkQueue();
    for (let count = 0; count < 10_000; count += 1) queue.add(`busy/${count}`);
    queue.add('quiet/one');
    expect(await queue.get()).toBe('busy/0');
    expect(await queue.get()).toBe('quiet/one');
    expect(await queue.get()).toBe('busy/1');
  });

  test('a namespace that adds a key whenever one is done waits its turn', async () => {
    const queue = new WorkQueue();
    queue.add('busy/a');
    queue.add('quiet/a');
    queue.add('quiet/b');
    const order: (string | undefined)[] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      const key = await queue.get();
      order.push(key);
      if (key === undefined) break;
      if (key === 'busy/a') queue.add(key);
      queue.done(key);
    }
    expect(order).toEqual(['busy/a', 'quiet/a', 'busy/a', 'quiet/b', 'busy/a', 'busy/a']);
  });

  test('between two keys of one namespace, every other that waits has one', async () => {
    const keys = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(keys, async (namespaces) => {
        const queue = new WorkQueue();
        const waiting = new Map<string, number>();
        for (const [index, namespace] of namespaces.entries()) {
          queue.add(`${namespace}/${index}`);
          waiting.set(namespace, (waiting.get(namespace) ?? 0) + 1);
        }
        const since = new Map<string, Set<string>>();
        for (let left = namespaces.length; left > 0; left -= 1) {
          const namespace = (await queue.get())?.split('/')[0] ?? '';
          const served = since.get(namespace);
          const others = [...waiting].filter(([other, count]) => other !== namespace && count > 0);
          if (served) for (const [other] of others) expect(served).toContain(other);
          for (const seen of since.values()) seen.add(namespace);
          since.set(namespace, new Set());
          waiting.set(namespace, (waiting.get(namespace) ?? 0) - 1);
        }
      }),
    );
  });
});

describe('urgency', () => {
  test('an urgent key comes before all others, also one that was queued before', async () => {
    const queue = new WorkQueue();
    for (const key of ['a/1', 'a/2', 'b/1', 'a/3']) queue.add(key);
    queue.addUrgent('a/3');
    queue.addUrgent('c/1');
    const order: (string | undefined)[] = [];
    for (let at = 0; at < 5; at++) order.push(await queue.get());
    expect(order).toEqual(['a/3', 'c/1', 'a/1', 'b/1', 'a/2']);
    expect(queue.length).toBe(0);
  });

  test('an urgent key that a worker holds comes first once it is done, and is not urgent for ever', async () => {
    const queue = new WorkQueue();
    queue.add('a/1');
    await queue.get();
    queue.add('b/1');
    queue.addUrgent('a/1');
    queue.done('a/1');
    expect(await queue.get()).toBe('a/1');
    queue.add('a/1');
    queue.done('a/1');
    expect(await queue.get()).toBe('b/1');
  });
});

describe('metrics', () => {
  test('adds, waits, work and retries are reported as client-go counts them', async () => {
    const seen: [string, number?][] = [];
    const queue = new WorkQueue({
      added: () => seen.push(['added']),
      taken: (seconds) => seen.push(['taken', seconds]),
      done: (seconds) => seen.push(['done', seconds]),
      retried: () => seen.push(['retried']),
    });
    queue.add('a');
    queue.add('a');
    vi.advanceTimersByTime(2000);
    await queue.get();
    vi.advanceTimersByTime(3000);
    expect(queue.workingSeconds).toEqual([3]);
    queue.addRateLimited('a');
    queue.done('a');
    expect(queue.workingSeconds).toEqual([]);
    expect(seen).toEqual([['added'], ['taken', 2], ['retried'], ['done', 3]]);
  });
});

/** The queue as one would first write it down: lists, and for each key whether it is held and wanted again. */
class Model {
  /** A list a namespace; the next namespace comes first. */
  readonly namespaces: { name: string; keys: string[] }[] = [];
  readonly held = new Map<string, { again: boolean }>();
  readonly delayed = new Map<string, number>();
  now = 0;

  get queued(): string[] {
    return this.namespaces.flatMap(({ keys }) => keys);
  }

  add(key: string): void {
    const held = this.held.get(key);
    if (held) held.again = true;
    else if (!this.queued.includes(key)) this.#push(key);
  }

  #push(key: string): void {
    const name = key.split('/')[0] ?? '';
    const namespace = this.namespaces.find((known) => known.name === name);
    if (namespace) namespace.keys.push(key);
    else this.namespaces.push({ name, keys: [key] });
  }

  addAfter(key: string, ms: number): void {
    if (ms === 0) this.add(key);
    else this.delayed.set(key, Math.min(this.delayed.get(key) ?? Infinity, this.now + ms));
  }

  get(): string | undefined {
    const namespace = this.namespaces.shift();
    const key = namespace?.keys.shift();
    if (namespace && namespace.keys.length > 0) this.namespaces.push(namespace);
    if (key !== undefined) this.held.set(key, { again: false });
    return key;
  }

  done(key: string): void {
    const again = this.held.get(key)?.again;
    this.held.delete(key);
    if (again) this.#push(key);
  }

  pass(ms: number): void {
    this.now += ms;
    const due = [...this.delayed].filter(([, at]) => at <= this.now).sort(([, a], [, b]) => a - b);
    for (const [key] of due) {
      this.delayed.delete(key);
      this.add(key);
    }
  }
}

const key = fc.constantFrom('x/a', 'x/b', 'x/c', 'y/a', 'z/a');
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('get' as const) }),
  fc.record({ do: fc.constant('done' as const), key }),
  // Distinct delays per step: the order of keys due at the same instant is nobody's promise.
  fc.record({ do: fc.constant('addAfter' as const), key, ms: fc.nat(40) }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 30 }) }),
);

test('any sequence of calls hands out the keys a plain model hands out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const queue = new WorkQueue();
      const model = new Model();
      for (const [index, now] of steps.entries()) {
        if (now.do === 'add') {
          queue.add(now.key);
          model.add(now.key);
        } else if (now.do === 'addAfter') {
          const ms = now.ms === 0 ? 0 : now.ms + index / 1000;
          queue.addAfter(now.key, ms);
          model.addAfter(now.key, ms);
        } else if (now.do === 'done' && model.held.has(now.key)) {
          queue.done(now.key);
          model.done(now.key);
        } else if (now.do === 'get' && model.queued.length > 0) {
          expect(await queue.get()).toBe(model.get());
        } else if (now.do === 'pass') {
          // One millisecond at a time, so that keys due at different instants arrive in their order.
          for (let passed = 0; passed < now.ms; passed += 1) {
            vi.advanceTimersByTime(1);
            model.pass(1);
          }
        }
        expect(queue.length).toBe(model.queued.length);
      }
      queue.shutDown();
      for (let left = model.get(); left !== undefined; left = model.get()) expect(await queue.get()).toBe(left);
    }),
    { numRuns: 300 },
  );
});
