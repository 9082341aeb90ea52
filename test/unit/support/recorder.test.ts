import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../support/kube-api.ts';
import { type HistoryEntry, NamespaceHistory, type RecordedKind } from '../../support/recorder.ts';

const object = (name: string, resourceVersion: number): KubeObject => ({
  metadata: { name, uid: name, resourceVersion: `${resourceVersion}`, creationTimestamp: '2026-01-01T00:00:00Z' },
});

const entry = (kind: RecordedKind, type: HistoryEntry['type'], name: string, resourceVersion: number) =>
  ({ kind, type, resourceVersion: BigInt(resourceVersion), object: object(name, resourceVersion) }) as HistoryEntry;

/** The record of a namespace in which the API server has these pods, and nothing else, at resourceVersion 9. */
const historyBeside = (...pods: KubeObject[]): NamespaceHistory =>
  new NamespaceHistory((kind) =>
    Promise.resolve({ metadata: { resourceVersion: '9' }, items: kind === 'pods' ? pods : [] }),
  );

async function hasReturned(wait: Promise<unknown>): Promise<boolean> {
  let returned = false;
  void wait.then(() => {
    returned = true;
  });
  for (let turns = 0; turns < 10; turns += 1) await turn();
  return returned;
}

describe('a wait on the record of a namespace', () => {
  it('returns when another kind, whose watch is behind, is on record, too', async () => {
    const history = historyBeside(object('web', 7));
    history.add(entry('pods', 'ADDED', 'web', 5));
    const wait = history.until('anything', () => true);
    expect(await hasReturned(wait)).toBe(false);
    history.add(entry('pods', 'MODIFIED', 'web', 7));
    expect(await hasReturned(wait)).toBe(true);
  });

  it('returns when the end of what was gone is on record', async () => {
    const history = historyBeside();
    history.add(entry('pods', 'ADDED', 'web', 5));
    const wait = history.until('anything', () => true);
    expect(await hasReturned(wait)).toBe(false);
    history.add(entry('pods', 'DELETED', 'web', 8));
    expect(await hasReturned(wait)).toBe(true);
  });

  it('does not wait for what came after the API server was asked', async () => {
    const history = historyBeside(object('web', 7));
    history.add(entry('pods', 'DELETED', 'web', 10));
    history.add(entry('pods', 'ADDED', 'later', 11));
    expect(await hasReturned(history.until('anything', () => true))).toBe(true);
  });
});
