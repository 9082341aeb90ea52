import { describe, expect, it } from 'vitest';
import { kwok, service, taskDefinition } from '../support/manifests.ts';
import { conditionOf, messagesOf, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

/** Runs and is never healthy: its deployment would be in progress for ever. */
const never = { podAnnotations: kwok({ readyAfter: '1h' }) };
const REASON = 'the numbers are bad';

const statusOf = (ns: TestNamespace) => ns.history.get('services', 'web')?.status;
const messageOf = (ns: TestNamespace, type: string): string =>
  statusOf(ns)?.conditions?.find((condition) => condition.type === type)?.message ?? '';
const askFor = (ns: TestNamespace, reason: string) =>
  ns.kubectl(['annotate', '--overwrite', 'services.longshore.dev/web', `longshore.dev/rollback=${reason}`]);
const untilRolling = (ns: TestNamespace, revision: string) =>
  ns.until(`a task of ${revision}`, () => {
    const [primary] = statusOf(ns)?.deployments ?? [];
    return primary?.taskDefinition === revision && primary.runningCount > 0 ? primary : undefined;
  });

describe.concurrent('a rollback on request', () => {
  it('goes back to the newest completed deployment, whatever the circuit breaker says, and is asked for once', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    const first = (await untilSteady(ns.history, 'web', 2)).status?.deployments?.[0]?.id;
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: never } });
    const second = (await untilRolling(ns, 'web:2')).id;
    await askFor(ns, REASON);
    await ns.until('the rollback', () => messageOf(ns, 'Stalled').endsWith('rolled back to web:1'));
    expect(messageOf(ns, 'Stalled')).toBe(
      `deployment ${second} of web:2 failed: rollback requested (${REASON}); rolled back to web:1`,
    );
    expect(conditionOf(ns.history.get('services', 'web'), 'Stalled')).toBe('True');
    expect(statusOf(ns)?.deployments).toMatchObject([
      { id: first, taskDefinition: 'web:1', rolloutState: 'COMPLETED' },
    ]);
    const shown = ns.history.statesOf('services', 'web').flatMap(({ status }) => status?.deployments ?? []);
    const reasons = new Set(shown.map(({ id, rolloutStateReason }) => `${id}: ${rolloutStateReason}`));
    expect(reasons).toContain(`${second}: ECS deployment stop: rollback requested.`);
    expect(reasons).toContain(`${first}: ECS deployment stop: rolling back to deploymentId ${first}.`);
    const told = messagesOf(ns.history.get('services', 'web'));
    for (const text of [
      `(service web) (deployment ${second}) deployment failed: rollback requested.`,
      `(service web) rolling back to deployment ${first}.`,
    ]) {
      expect(told.filter((message) => message === text)).toHaveLength(1);
    }

    // The annotation is still there: it was not meant for what comes next.
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: null } });
    await untilSteady(ns.history, 'web', 2);
    expect(statusOf(ns)?.deployments).toMatchObject([{ taskDefinition: 'web:3', rolloutState: 'COMPLETED' }]);
  });

  it('is refused, once, where the deployment is COMPLETED; the next one is rolled back by a new value', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web'));
    const first = (await untilSteady(ns.history, 'web', 1)).status?.deployments?.[0]?.id;
    await askFor(ns, 'too late');
    const refusal = `(service web) (deployment ${first}) cannot be rolled back: it is COMPLETED, and only a deployment that is IN_PROGRESS can be (rollback requested: too late).`;
    await ns.until('the refusal', () => messagesOf(ns.history.get('services', 'web')).includes(refusal));
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: never } });
    await untilRolling(ns, 'web:2');
    await askFor(ns, REASON);
    await ns.until('the rollback', () => messageOf(ns, 'Stalled').endsWith('rolled back to web:1'));
    expect(messagesOf(ns.history.get('services', 'web')).filter((text) => text.includes('too late'))).toHaveLength(1);
  });

  it('fails a first deployment, which has nothing to go back to, and leaves its tasks', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', { kubernetes: never }), service('web', { desiredCount: 2 }));
    const { id } = await untilRolling(ns, 'web:1');
    await askFor(ns, REASON);
    await ns.until('the verdict', () => conditionOf(ns.history.get('services', 'web'), 'Stalled') === 'True');
    const candidate = 'No rollback candidate was found to run the rollback.';
    await ns.until('the reason', () => messageOf(ns, 'Stalled').endsWith(candidate));
    expect(messageOf(ns, 'Stalled')).toBe(
      `deployment ${id} of web:1 failed: rollback requested (${REASON}). ${candidate}`,
    );
    expect(messagesOf(ns.history.get('services', 'web'))).toContain(`(service web) (deployment ${id}) ${candidate}`);
    expect(statusOf(ns)?.deployments).toMatchObject([
      {
        rolloutState: 'FAILED',
        blockedBy: `cannot start: this deployment has failed: rollback requested (${REASON})`,
      },
    ]);
    expect(runningPods(ns.history, 'web')).toHaveLength(2);
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: null } });
    await untilSteady(ns.history, 'web', 2);
  });
});
