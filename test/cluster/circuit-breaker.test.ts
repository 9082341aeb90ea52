import { describe, expect, it } from 'vitest';
import { momentsOf, serviceViolations } from '../support/invariants.ts';
import { kwok, service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { countsOf, messagesOf, podsOf, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { nextSecondAfter } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const conditionNamed = (ns: TestNamespace, name: string, type: string) =>
  ns.history.get('services', name)?.status?.conditions?.find((condition) => condition.type === type);
const stalledOf = (ns: TestNamespace, name: string) => conditionNamed(ns, name, 'Stalled');
const deploymentsOf = (ns: TestNamespace, name: string) => ns.history.get('services', name)?.status?.deployments ?? [];
const revisionOf = ({ metadata }: Pod): string | undefined => metadata.labels?.['longshore.dev/revision'];
/** Exits before its check ever passes. */
const failing = { podAnnotations: kwok({ exitAfter: '50ms', exitCode: 1, readyAfter: '1h' }) };

describe('the deployment circuit breaker', () => {
  it('rolls a failing revision back, never below the lower bound, and says so until the next deployment', async (context) => {
    const ns = await suite().namespace(context);
    const deploymentCircuitBreaker = { enable: true, rollback: true };
    const bounds = { minimumHealthyPercent: 50, maximumPercent: 100 };
    const deploymentConfiguration = { strategy: 'ROLLING', ...bounds, deploymentCircuitBreaker };
    const deploymentController = { type: 'ECS' };
    await ns.create(
      taskDefinition('web'),
      service('web', { desiredCount: 10, deploymentController, deploymentConfiguration }),
    );
    const before = await untilSteady(ns.history, 'web', 10);
    const first = before.status?.deployments?.[0]?.id;

    const asked = await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: failing } });
    await ns.kubectl(['wait', 'services.longshore.dev/web', '--for=condition=Stalled', '--timeout=120s']);
    const failed = await ns.until('the rollback', () => {
      const condition = stalledOf(ns, 'web');
      return condition?.message.endsWith('rolled back to web:1') ? condition : undefined;
    });
    expect(failed).toMatchObject({ status: 'True', reason: 'DeploymentFailed' });
    const after = ns.history.get('services', 'web');
    expect(after?.status?.deployments).toMatchObject([
      { id: first, status: 'PRIMARY', taskDefinition: 'web:1', rolloutState: 'COMPLETED', desiredCount: 10 },
    ]);
    const second = failed.message.match(/ecs-svc\/\d{19}/)?.[0];
    const told = messagesOf(after);
    const verdict = `(service web) (deployment ${second}) deployment failed: tasks failed to start.`;
    const rollback = `(service web) rolling back to deployment ${first}.`;
    expect(told.filter((text) => text === verdict)).toHaveLength(1);
    expect(told.filter((text) => text === rollback)).toHaveLength(1);
    const shown = ns.history.statesOf('services', 'web').flatMap(({ status }) => status?.deployments ?? []);
    expect(shown).toContainEqual(
      expect.objectContaining({
        id: second,
        rolloutState: 'FAILED',
        rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
      }),
    );
    expect(shown).toContainEqual(
      expect.objectContaining({
        id: first,
        status: 'PRIMARY',
        rolloutState: 'IN_PROGRESS',
        rolloutStateReason: `ECS deployment circuit breaker: rolling back to deploymentId ${first}.`,
      }),
    );
    const rollout = momentsOf(ns.history, 'web').filter(
      ({ entry }) => entry.resourceVersion >= BigInt(asked.metadata.resourceVersion),
    );
    expect(Math.min(...rollout.map(({ healthy }) => healthy))).toBe(5);
    expect(Math.max(...rollout.map(({ live }) => live))).toBe(10);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
    expect(conditionNamed(ns, 'web', 'Ready')?.status).toBe('False');

    // What has failed is not tried again; what is asked for next is.
    await ns.patch('services', 'web', { spec: { desiredCount: 11 } });
    await ns.until('another task of the first revision', () => {
      const running = runningPods(ns.history, 'web').filter((pod) => revisionOf(pod) === '1');
      return running.length === 11 && stalledOf(ns, 'web')?.message.endsWith('rolled back to web:1');
    });
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: null } });
    await untilSteady(ns.history, 'web', 11);
    expect(deploymentsOf(ns, 'web')).toMatchObject([{ taskDefinition: 'web:3', rolloutState: 'COMPLETED' }]);
    expect(stalledOf(ns, 'web')?.status).toBe('False');
  });

  it('leaves a first deployment that fails as it is, and starts nothing more', async (context) => {
    const ns = await suite().namespace(context);
    const deploymentConfiguration = { deploymentCircuitBreaker: { enable: true, rollback: true } };
    await ns.create(
      taskDefinition('web', { kubernetes: failing }),
      service('web', { desiredCount: 2, deploymentConfiguration }),
    );
    await ns.until('the verdict', () => stalledOf(ns, 'web')?.status === 'True');
    await ns.until('the last task to end', () => runningPods(ns.history, 'web').length === 0);
    expect(deploymentsOf(ns, 'web')).toMatchObject([
      { status: 'PRIMARY', rolloutState: 'FAILED', blockedBy: expect.stringContaining('circuit breaker') },
    ]);
    expect(messagesOf(ns.history.get('services', 'web')).join()).not.toContain('rolling back');
    // The threshold is 3: of two and two tasks all were needed.
    expect(podsOf(ns.history, 'web').length).toBeLessThanOrEqual(5);
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: null } });
    await untilSteady(ns.history, 'web', 2);
  });

  it('counts up to the threshold given, healthy tasks notwithstanding where they are not to reset it', async (context) => {
    const ns = await suite().namespace(context);
    const breaker = (resetOnHealthyTask: boolean) => ({
      desiredCount: 2,
      taskDefinition: 'web',
      deploymentConfiguration: {
        deploymentCircuitBreaker: {
          enable: true,
          rollback: false,
          resetOnHealthyTask,
          thresholdConfiguration: { type: 'COUNT', value: 3 },
        },
      },
    });
    await ns.create(
      taskDefinition('web', { kubernetes: { podAnnotations: kwok({ readyAfter: '1h' }) } }, [
        { ...webContainer, healthCheck: { ...webContainer.healthCheck, startPeriod: 300 } },
      ]),
      service('strict', breaker(false)),
      service('lenient', breaker(true)),
    );
    const play = async (name: string): Promise<void> => {
      const annotate = (pod: Pod, asked: Parameters<typeof kwok>[0]) =>
        ns.patch('pods', pod.metadata.name, { metadata: { annotations: kwok(asked) } });
      const started = () =>
        runningPods(ns.history, name).filter(({ status }) => status?.containerStatuses?.[0]?.state?.running);
      const two = async () => {
        await ns.until('two tasks', () => started().length === 2);
        return started() as [Pod, Pod];
      };
      const failures = (count: number) =>
        ns.until(`${count} failures of ${name}`, () => deploymentsOf(ns, name)[0]?.failedTasks === count);
      for (const count of [1, 2]) {
        const [victim] = await two();
        await annotate(victim, { exitAfter: '1ms', exitCode: 1 });
        await failures(count);
      }
      const [healthy, last] = await two();
      await annotate(healthy, { readyAfter: '1ms' });
      await ns.until('a healthy task', () =>
        ns.history.get('pods', healthy.metadata.name)?.status?.containerStatuses?.every(({ ready }) => ready),
      );
      // Whoever ends in the second in which another became healthy may have ended before.
      const ready = ns.history
        .get('pods', healthy.metadata.name)
        ?.status?.conditions?.find(({ type }) => type === 'Ready');
      await nextSecondAfter(ready?.lastTransitionTime ?? '');
      await annotate(last, { exitAfter: '1ms', exitCode: 1 });
      await failures(name === 'strict' ? 3 : 1);
    };
    await Promise.all(['strict', 'lenient'].map(play));
    await ns.until('the verdict', () => deploymentsOf(ns, 'strict')[0]?.rolloutState === 'FAILED');
    expect(deploymentsOf(ns, 'strict').map(countsOf)).toEqual(['2/0/1']);
    expect(stalledOf(ns, 'strict')?.message).toMatch(/of web:1 failed: tasks failed to start$/);
    expect(deploymentsOf(ns, 'lenient')[0]?.rolloutState).toBe('IN_PROGRESS');
    expect(podsOf(ns.history, 'lenient').length).toBeGreaterThan(0);
  });
});
