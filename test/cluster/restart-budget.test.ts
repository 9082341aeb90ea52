/** Crash storms: the operator starts no more tasks again than its budget allows, whatever happens to it. */
import { describe, expect, it } from 'vitest';
import { isEnded, slotOf } from '../support/invariants.ts';
import { cluster, kwok, service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { NamespaceHistory, Pod } from '../support/recorder.ts';
import { messagesOf, untilSteady } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const PER_SECOND = 4;
const FLAGS = ['--no-leader-elect', `--restarts-per-second=${PER_SECOND}`, '--restart-burst=4'];
const SERVICES = 12;
const TASKS = 3;
const PATIENCE_MS = 480_000;

/** Tasks of the storm that were made since so many events. */
const madeIn = (history: NamespaceHistory, since: number): Pod[] =>
  history.entries.flatMap(({ kind, type, object }, index) =>
    index >= since && kind === 'pods' && type === 'ADDED' && object.metadata.name.startsWith('web-') ? [object] : [],
  );

const servicesOf = (pods: readonly Pod[]): Set<string | undefined> =>
  new Set(pods.map(({ metadata }) => metadata.labels?.['longshore.dev/service']));

/**
 * Restarts that came sooner than an operator that began with nothing may have made them. The server's times have whole
 * seconds: each is at most a second later than it says.
 */
const early = (restarts: readonly Pod[], begun: number): string[] =>
  restarts
    .map(({ metadata }) => Date.parse(metadata.creationTimestamp) + 1000)
    .sort((a, b) => a - b)
    .flatMap((time, index) =>
      time < begun + ((index + 1) * 1000) / PER_SECOND ? [`restart ${index + 1} after ${time - begun} ms`] : [],
    );

describe('a crash storm of many services', () => {
  it('is served by a budget that all of them share, that none is left out of, and that a restart of the operator keeps', {
    timeout: 600_000,
  }, async (context) => {
    const ns = await suite().namespace(context);
    const { history } = ns;
    const first = await suite().startOperator(FLAGS);
    const { healthCheck, ...web } = webContainer;
    expect(healthCheck).toBeDefined();
    await ns.create(
      // No pod is kept to be read: what is to be started again is known all the same.
      cluster('here', { retention: { stoppedTasks: 0 } }),
      taskDefinition('web', { kubernetes: { podAnnotations: kwok({ exitAfter: '10ms', exitCode: 1 }) } }, [web]),
      ...Array.from({ length: SERVICES }, (_, index) =>
        service(`web-${index}`, { taskDefinition: 'web', desiredCount: TASKS }),
      ),
    );
    const slots = (): Set<string> => new Set(madeIn(history, 0).map(slotOf));
    await ns.until('the first task of each slot', () => slots().size === SERVICES * TASKS, PATIENCE_MS);
    await first.kill('SIGKILL');
    await ns.until('them all to end', () => history.all('pods').every(isEnded), PATIENCE_MS);

    const seen = history.length;
    const second = await suite().startOperator(FLAGS);
    const told = (): boolean =>
      history
        .all('services')
        .some((one) =>
          messagesOf(one).includes(
            `(service ${one.metadata.name}) operations are being throttled. Will try again later.`,
          ),
        );
    await ns.until('a service to say that it waits', told, PATIENCE_MS);
    const metrics = await (await fetch(`http://127.0.0.1:${second.healthPort}/metrics`)).text();
    expect(metrics).toMatch(/^longshore_restarts_total \d+$/m);
    expect(metrics).toMatch(/^longshore_restarts_waiting \d+$/m);
    const everyService = (): boolean => servicesOf(madeIn(history, seen)).size === SERVICES;
    await ns.until('every service to have a task again', everyService, PATIENCE_MS);
    expect(early(madeIn(history, seen), second.readyAt)).toEqual([]);
    const shown = history.entries.flatMap(({ kind, object }) =>
      kind === 'services' ? (object.status?.deployments ?? []).map(({ blockedBy }) => blockedBy) : [],
    );
    expect(shown).toContain('cannot start: the budget of restarts of all services is used up for now');

    await second.kill('SIGKILL');
    await history.caughtUp();
    const before = history.length;
    const third = await suite().startOperator(FLAGS);
    await ns.until('ten more', () => madeIn(history, before).length >= 10, PATIENCE_MS);
    expect(early(madeIn(history, before), third.readyAt)).toEqual([]);
    // The storm takes nothing from first starts.
    await ns.create(taskDefinition('calm'), service('calm', { desiredCount: 20 }));
    await untilSteady(history, 'calm', 20, PATIENCE_MS);
  });
});
