import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Store, type Stored } from '../../../src/kube/store.ts';

interface Item extends Stored {
  readonly tags: readonly string[];
}

const item = fc.record({
  uid: fc.constantFrom('u1', 'u2'),
  namespace: fc.constantFrom('x', 'y'),
  name: fc.constantFrom('a', 'b', 'c'),
  resourceVersion: fc.nat(5).map(String),
  tags: fc.uniqueArray(fc.constantFrom('red', 'green', 'blue')),
});
const step = fc.oneof(
  fc.record({ do: fc.constant('upsert' as const), item }),
  fc.record({ do: fc.constant('delete' as const), item }),
  fc.record({
    do: fc.constant('replace' as const),
    items: fc.uniqueArray(item, { selector: ({ namespace, name }) => `${namespace}/${name}`, maxLength: 4 }),
  }),
);

const byTag = () => new Store<Item>({ tag: ({ tags }) => tags });
const identity = ({ namespace, name, uid }: Item) => `${namespace}/${name}/${uid}`;

test('after any sequence of changes the indexes find what a scan of the values finds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const store = byTag();
      for (const now of steps) {
        if (now.do === 'replace') store.replace(now.items);
        else store[now.do](now.item);
        for (const tag of ['red', 'green', 'blue']) {
          const scanned = [...store.values()].filter(({ tags }) => tags.includes(tag));
          expect(new Set(store.by('tag', tag))).toEqual(new Set(scanned));
        }
      }
    }),
  );
});

test('who follows the changes alone has what the store has', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const store = byTag();
      const follower = new Map<string, Item>();
      for (const now of steps) {
        const changes = now.do === 'replace' ? store.replace(now.items) : store[now.do](now.item);
        for (const change of changes) {
          const known = follower.has(identity(change.object));
          expect(known).toBe(change.type !== 'added');
          if (change.type === 'deleted') follower.delete(identity(change.object));
          else follower.set(identity(change.object), change.object);
        }
        expect(new Set([...follower.keys()])).toEqual(new Set([...store.values()].map(identity)));
      }
    }),
  );
});

test('the same name with another uid is a delete and an add', () => {
  const store = byTag();
  const old = { uid: 'u1', namespace: 'x', name: 'a', resourceVersion: '1', tags: [] };
  store.upsert(old);
  const born = { ...old, uid: 'u2', resourceVersion: '3' };
  expect(store.upsert(born)).toEqual([
    { type: 'deleted', object: old },
    { type: 'added', object: born },
  ]);
});

test('a replace is silent about what did not change', () => {
  const store = byTag();
  const same = { uid: 'u1', namespace: 'x', name: 'a', resourceVersion: '1', tags: [] };
  store.upsert(same);
  expect(store.replace([{ ...same }])).toEqual([]);
});

test('asking for an index the store does not have is a mistake, not an empty answer', () => {
  expect(() => byTag().by('colour', 'red')).toThrow('no index "colour"');
});
