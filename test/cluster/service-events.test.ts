/** Events of services that no other test produces: in the status, and as Events of Kubernetes. */
import { describe, expect, it } from 'vitest';
import { taskIdOf } from '../support/invariants.ts';
import { kwok, service, taskDefinition, webContainer } from '../support/manifests.ts';
import { ownNodes } from '../support/nodes.ts';
import type { Pod } from '../support/recorder.ts';
import { messagesOf, podsOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const textsOf = (ns: TestNamespace): string[] => messagesOf(ns.history.get('services', 'web'));
const protectedUntil = (time: number) => ({
  metadata: { annotations: { 'longshore.dev/protected-until': new Date(time).toISOString() } },
});

describe.concurrent('the events of a service', () => {
  it('name ten tasks at most, and are Events of Kubernetes in the same words', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 12 }));
    const { status } = await untilSteady(ns.history, 'web', 12);
    const texts = textsOf(ns);
    expect(texts.at(-1)).toMatch(/^\(service web\) has started 12 tasks: (\(task [0-9a-f]{32}\) ){10}…\.$/);
    expect(status?.events?.map(({ id }) => id)).toHaveLength(3);
    const notes = async () =>
      JSON.parse(await ns.kubectl(['get', 'events.v1.events.k8s.io', '-o=json'])).items.map(
        ({ note }: { note: string }) => note,
      );
    // They follow in the background.
    await expect.poll(notes, { timeout: 60_000, interval: 500 }).toEqual(expect.arrayContaining(texts));
  });

  it('tell of tasks that were stopped before they ran, and of a port that is taken', async (context) => {
    const ns = await suite().namespace(context);
    const { kubernetes, names } = await ownNodes(suite(), ns, context, 1);
    await ns.create(
      taskDefinition('web', { kubernetes, networkMode: 'host' }, [
        { ...webContainer, portMappings: [{ containerPort: 80 }] },
      ]),
      service('web'),
    );
    // Until it is written where the first one is, nobody can say who has the port.
    await untilSteady(ns.history, 'web', 1);
    await ns.patch('services', 'web', { spec: { desiredCount: 3 } });
    await ns.until('the tasks that find no place', () => {
      return readyCondition(ns.history.get('services', 'web'))?.reason === 'TaskPlacementFailed';
    });
    expect(textsOf(ns)).toContain(
      `(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance ${names[0]}) is already using a port required by your task.`,
    );
    await ns.patch('services', 'web', { spec: { desiredCount: 1 } });
    await untilSteady(ns.history, 'web', 1);
    expect(textsOf(ns)).toContain('(service web) stopped 2 pending tasks.');
  });

  it('tell of tasks whose protection holds a deployment up, once, until it ends by itself', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    const { status } = await untilSteady(ns.history, 'web', 2);
    const [kept] = runningPods(ns.history, 'web') as [Pod];
    await ns.patch('pods', kept.metadata.name, protectedUntil(Date.now() + 3_600_000));
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: { podAnnotations: kwok({ readyAfter: '1ms' }) } } });
    await ns.until('the deployment to wait', () => {
      return readyCondition(ns.history.get('services', 'web'))?.reason === 'TasksProtected';
    });
    const [primary] = ns.history.get('services', 'web')?.status?.deployments ?? [];
    expect(primary).toMatchObject({ rolloutState: 'IN_PROGRESS', blockedBy: 'cannot stop: 1 tasks under protection' });
    const held = `(service web) was unable to reach steady state because (taskSet ${status?.deployments?.[0]?.id}) was unable to scale in due to (reason 1 tasks under protection)`;
    expect(textsOf(ns)[0]).toBe(held);
    // Nothing happens at the end of the protection but that its time is over.
    await ns.patch('pods', kept.metadata.name, protectedUntil(Date.now() + 2_000));
    const after = await untilSteady(ns.history, 'web', 2);
    expect(podsOf(ns.history, 'web').filter(({ spec }) => spec.activeDeadlineSeconds === undefined)).toHaveLength(2);
    expect(after.status?.stoppedTasks?.map(({ task }) => task)).toContain(taskIdOf(kept));
    expect(textsOf(ns).filter((text) => text === held)).toHaveLength(1);
  });
});
