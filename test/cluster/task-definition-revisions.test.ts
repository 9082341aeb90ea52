import { describe, expect, it } from 'vitest';
import { service, taskDefinition, version, webContainer } from '../support/manifests.ts';
import { conditionOf, readyCondition, steady, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const DEREGISTER = 'longshore.dev/deregister';
const KEPT = 20;

const containers = (value: string) => ({ containerDefinitions: [{ ...webContainer, ...version(value) }] });

/** Revision → its status, as the TaskDefinition shows them. */
const statuses = (ns: TestNamespace): Record<number, string> =>
  Object.fromEntries(
    (ns.history.get('taskdefinitions', 'web')?.status?.revisions ?? []).map(({ revision, status }) => [
      revision,
      status,
    ]),
  );

async function register(ns: TestNamespace, ...values: string[]): Promise<void> {
  for (const value of values) {
    const before = Object.keys(statuses(ns)).length;
    if (before === 0) await ns.create(taskDefinition('web', containers(value)));
    else await ns.patch('taskdefinitions', 'web', { spec: containers(value) });
    await ns.until(`the content ${value} to be registered`, () => {
      const { metadata, status } = ns.history.get('taskdefinitions', 'web') ?? {};
      const { latestRevision = 0, observedGeneration } = status ?? {};
      return observedGeneration === metadata?.generation && latestRevision > before;
    });
  }
}

const annotate = (ns: TestNamespace, value: string | null) =>
  ns.patch('taskdefinitions', 'web', { metadata: { annotations: { [DEREGISTER]: value } } });

const untilStatuses = (ns: TestNamespace, expected: Record<number, string>) =>
  ns.until(`the revisions to be ${JSON.stringify(expected)}`, () => {
    const seen = statuses(ns);
    return Object.entries(expected).every(([revision, status]) => seen[Number(revision)] === status);
  });

const revisionNumbers = (ns: TestNamespace): number[] =>
  ns.history
    .all('controllerrevisions')
    .filter(({ metadata }) => metadata.labels?.['longshore.dev/deployment'] === undefined)
    .map(({ revision }) => Number(revision))
    .sort((a, b) => a - b);

describe.concurrent('revisions', () => {
  it('that the annotation names become INACTIVE, and stay so without it', async (context) => {
    const ns = await suite().namespace(context);
    await register(ns, 'a', 'b', 'c', 'd');
    await annotate(ns, '1,3-4');
    await untilStatuses(ns, { 1: 'INACTIVE', 2: 'ACTIVE', 3: 'INACTIVE', 4: 'INACTIVE' });
    const [newest] = ns.history.get('taskdefinitions', 'web')?.status?.revisions ?? [];
    expect(newest?.deregisteredAt).toMatch(/^\d{4}-.*Z$/);
    await annotate(ns, null);
    await register(ns, 'e');
    await untilStatuses(ns, { 1: 'INACTIVE', 2: 'ACTIVE', 3: 'INACTIVE', 4: 'INACTIVE', 5: 'ACTIVE' });
  });

  it('that are registered under an annotation are not meant by it', async (context) => {
    const ns = await suite().namespace(context);
    await register(ns, 'a', 'b');
    await annotate(ns, '1-9');
    await untilStatuses(ns, { 1: 'INACTIVE', 2: 'INACTIVE' });
    const refused = await ns.until('the range to be refused', () => {
      const definition = ns.history.get('taskdefinitions', 'web');
      return conditionOf(definition, 'Stalled') === 'True' ? readyCondition(definition) : undefined;
    });
    expect(refused.reason).toBe('InvalidAnnotation');
    expect(refused.message).toBe(
      'metadata.annotations[longshore.dev/deregister]: "1-9" names 1-9, and web has revisions up to 2',
    );
    await register(ns, 'c', 'd');
    await untilStatuses(ns, { 2: 'INACTIVE', 3: 'ACTIVE', 4: 'ACTIVE' });
    await annotate(ns, '3');
    await untilStatuses(ns, { 3: 'INACTIVE', 4: 'ACTIVE' });
    await ns.until('it to be Ready again', () => {
      const definition = ns.history.get('taskdefinitions', 'web');
      return conditionOf(definition, 'Ready') === 'True';
    });
  });

  it('are refused with the annotation, its value and what is allowed', async (context) => {
    const ns = await suite().namespace(context);
    await register(ns, 'a');
    await annotate(ns, 'web:1');
    const refused = await ns.until('the text to be refused', () => {
      const definition = ns.history.get('taskdefinitions', 'web');
      return conditionOf(definition, 'Stalled') === 'True' ? readyCondition(definition) : undefined;
    });
    expect(refused.message).toBe(
      'metadata.annotations[longshore.dev/deregister]: "web:1" is no list of revisions of web: write numbers and ranges, such as "3,5-7"',
    );
    expect(statuses(ns)).toEqual({ 1: 'ACTIVE' });
  });

  it('that are INACTIVE keep the services that run them, which still scale, but start no new one', async (context) => {
    const ns = await suite().namespace(context);
    await register(ns, 'a', 'b');
    await ns.create(service('pinned', { taskDefinition: 'web:2' }), service('follows', { taskDefinition: 'web' }));
    await Promise.all(['pinned', 'follows'].map((name) => untilSteady(ns.history, name, 1)));
    await annotate(ns, '2');
    await untilStatuses(ns, { 1: 'ACTIVE', 2: 'INACTIVE' });
    await ns.create(
      service('late', { taskDefinition: 'web:2' }),
      service('late-follows', { taskDefinition: 'web', desiredCount: 1 }),
    );
    for (const name of ['pinned', 'follows']) await ns.patch('services', name, { spec: { desiredCount: 3 } });
    for (const name of ['pinned', 'follows']) {
      const grown = await untilSteady(ns.history, name, 3);
      expect(grown.status?.taskDefinition).toBe('web:2');
      expect(grown.status?.deployments).toHaveLength(1);
    }
    const late = await ns.until('the new service to be refused', () => {
      const condition = readyCondition(ns.history.get('services', 'late'));
      return condition?.message.startsWith('TaskDefinition is inactive') ? condition : undefined;
    });
    expect(late).toMatchObject({ status: 'False', message: 'TaskDefinition is inactive: web:2 was deregistered' });
    expect((await untilSteady(ns.history, 'late-follows', 1)).status?.taskDefinition).toBe('web:1');
    // The next revision moves those that follow the family, and only those.
    await register(ns, 'c');
    await ns.until('the follower to run the new revision', () => {
      const found = steady(ns.history, 'follows', 3);
      return found?.status?.taskDefinition === 'web:3';
    });
    expect(ns.history.get('services', 'pinned')?.status?.taskDefinition).toBe('web:2');
  });

  it('keep the newest, and older ones that a service or a task names or runs', async (context) => {
    const ns = await suite().namespace(context);
    await register(ns, 'first', 'second', 'third');
    await ns.create(
      service('pinned', { taskDefinition: 'web:1', desiredCount: 0 }),
      service('pinned-later', { taskDefinition: 'web:2', desiredCount: 1 }),
      { kind: 'Task', name: 'once', spec: { taskDefinition: 'web' } },
    );
    await untilSteady(ns.history, 'pinned-later', 1);
    await ns.until('the task to run', () => ns.history.get('tasks', 'once')?.status?.runningCount === 1);
    const later = Array.from({ length: KEPT + 1 }, (_, index) => `later-${index}`);
    await register(ns, ...later);
    const last = later.length + 3;
    const newest = Array.from({ length: KEPT }, (_, index) => last - KEPT + 1 + index);
    const expected = [1, 2, 3, ...newest].join();
    await ns.until(`the revisions ${expected}`, () => revisionNumbers(ns).join() === expected);
  });
});
