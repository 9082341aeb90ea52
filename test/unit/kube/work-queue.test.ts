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
  test('a key added many times is handed out once', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(1);
    expect(await queue.get()).toBe('a');
    expect(queue.length).toBe(0);
  });

  test('a key added while it is processed comes again after done, not before', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.get();
    queue.add('a');
    expect(queue.length).toBe(0);
    queue.done('a');
    expect(await queue.get()).toBe('a');
  });

  test('a worker that waits gets the next key added', async () => {
    const queue = new WorkQueue();
    const waiting = queue.get();
    queue.add('a');
    expect(await waiting).toBe('a');
  });

  test('of several delays the earliest holds', async () => {
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

  test('the backoff of a key doubles from 5 ms to 5 min, and forget starts it anew', () => {
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

  test('shut down, it hands out what is queued, takes nothing more and then says so to every worker', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.addAfter('later', 10);
    queue.shutDown();
    queue.add('b');
    vi.advanceTimersByTime(100);
    expect(await queue.get()).toBe('a');
    expect(await queue.get()).toBeUndefined();
  });

  test('a drain waits for the keys under way and for those to be processed again', async () => {
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

/** The queue as one would first write it down: a list, and for each key whether it is held and wanted again. */
class Model {
  readonly queued: string[] = [];
  readonly held = new Map<string, { again: boolean }>();
  readonly delayed = new Map<string, number>();
  now = 0;

  add(key: string): void {
    const held = this.held.get(key);
    if (held) held.again = true;
    else if (!this.queued.includes(key)) this.queued.push(key);
  }

  addAfter(key: string, ms: number): void {
    if (ms === 0) this.add(key);
    else this.delayed.set(key, Math.min(this.delayed.get(key) ?? Infinity, this.now + ms));
  }

  get(): string | undefined {
    const key = this.queued.shift();
    if (key !== undefined) this.held.set(key, { again: false });
    return key;
  }

  done(key: string): void {
    const again = this.held.get(key)?.again;
    this.held.delete(key);
    if (again) this.queued.push(key);
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

const key = fc.constantFrom('a', 'b', 'c', 'd');
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
