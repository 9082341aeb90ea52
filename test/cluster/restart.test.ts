import { describe, expect, it } from 'vitest';
import { writesOf } from '../support/audit.ts';
import { deploymentIdOf, foreignDeletions, isEnded, serviceViolations, slotOf } from '../support/invariants.ts';
import { kwok, service, taskDefinition } from '../support/manifests.ts';
import { randomFrom } from '../support/random.ts';
import { countsOf, messagesOf, podsOf, runningPods, steady, untilSteady } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const KILLS = 10;

const bystander = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'bystander',
    labels: { 'app.kubernetes.io/managed-by': 'longshore', 'longshore.dev/service': 'web' },
  },
  spec: { containers: [{ name: 'main', image: 'busybox' }] },
};

describe.concurrent('the operator', () => {
  const killed = `killed ${KILLS} times at random moments of a rollout ends where it would have ended`;
  it(killed, { timeout: 360_000 }, async (context) => {
    const seed = Number(process.env.LONGSHORE_SEED ?? Date.now() % 1_000_000);
    console.info(`killing at moments of seed ${seed}; LONGSHORE_SEED=${seed} repeats them`);
    const random = randomFrom(seed);
    const ns = await suite().namespace(context);
    const args = ['--no-leader-elect', '--namespace', ns.name];
    let operator = suite().newOperator(args);
    context.onTestFinished(() => operator.kill('SIGTERM'));
    await ns.createRaw('pods', bystander);
    const deploymentConfiguration = { minimumHealthyPercent: 50, maximumPercent: 200 };
    await ns.create(
      taskDefinition('web'),
      service('web', { taskDefinition: 'web:1', desiredCount: 5, deploymentConfiguration }),
    );
    await untilSteady(ns.history, 'web', 5);
    await ns.patch('taskdefinitions', 'web', {
      spec: { kubernetes: { podAnnotations: kwok({ readyAfter: '500ms' }) } },
    });
    await ns.until('web:2', () => ns.history.get('taskdefinitions', 'web')?.status?.latestRevision === 2);

    await ns.patch('services', 'web', { spec: { taskDefinition: 'web:2', desiredCount: 10 } });
    const moments: number[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      // The first lives are cut short most, or the rollout would be over before the last kill.
      const events = Math.floor(random() * (3 + kill));
      if (kill > 0) await operator.ready();
      await ns.history.events(events, 2_000);
      moments.push(runningPods(ns.history, 'web').length);
      await operator.kill('SIGKILL');
      operator = suite().newOperator(args);
    }
    const after = await untilSteady(ns.history, 'web', 10);

    expect(new Set(moments).size, `tasks at the kills: ${moments}`).toBeGreaterThan(1);
    expect(after.status?.deployments).toMatchObject([{ status: 'PRIMARY', taskDefinition: 'web:2' }]);
    expect(after.status?.deployments?.map(countsOf)).toEqual(['10/0/10']);
    expect(after.status?.deployments?.[0]?.rolloutState).toBe('COMPLETED');
    expect(messagesOf(after)[0]).toBe('(service web) has reached a steady state.');
    await ns.until('the old tasks to be swept', () => podsOf(ns.history, 'web').every((pod) => !isEnded(pod)));

    const tasks = podsOf(ns.history, 'web').filter(({ metadata }) => metadata.ownerReferences !== undefined);
    expect(tasks).toHaveLength(10);
    expect(new Set(tasks.map(slotOf)).size).toBe(10);
    expect(new Set(tasks.map(deploymentIdOf)).size).toBe(1);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
    expect(foreignDeletions(ns.history)).toEqual([]);
    expect(ns.history.get('pods', 'bystander')).toBeDefined();
    // One deployment for each revision: a kill between two writes made none twice.
    const revisions = ns.history.all('controllerrevisions').map(({ metadata }) => metadata.name);
    expect(revisions.sort()).toEqual([
      'service-web-1',
      'service-web-2',
      'taskdefinition-web-1',
      'taskdefinition-web-2',
    ]);
  });

  it('killed by SIGTERM ends by itself, and another one finds nothing to do', async (context) => {
    const ns = await suite().namespace(context);
    const args = ['--no-leader-elect', '--namespace', ns.name];
    const first = suite().newOperator(args);
    const runTask = { kind: 'Task', name: 'once', spec: { taskDefinition: 'web', count: 2 } } as const;
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 3 }), runTask);
    await untilSteady(ns.history, 'web', 3);
    const isRunning = (): boolean => {
      const tasks = ns.history.get('tasks', 'once')?.status?.tasks ?? [];
      return tasks.filter(({ healthStatus }) => healthStatus === 'HEALTHY').length === 2;
    };
    await ns.until('the tasks to be RUNNING and HEALTHY', isRunning);
    await first.logged('caches are complete');
    await first.kill('SIGTERM');
    await first.logged('longshore has stopped', 0);
    await ns.history.caughtUp();
    const written = ns.history.length;
    const second = suite().newOperator(args);
    await second.ready();
    // It answers this, so that it has looked at everything before.
    await ns.create(taskDefinition('other', { family: 'other' }));
    await ns.until('the other definition', () => ns.history.get('taskdefinitions', 'other')?.status);
    await second.kill('SIGTERM');
    await ns.history.caughtUp();
    const since = ns.history.entries.slice(written).map(({ kind, object }) => `${kind}/${object.metadata.name}`);
    expect([...new Set(since)].sort()).toEqual(['controllerrevisions/taskdefinition-other-1', 'taskdefinitions/other']);
    expect(steady(ns.history, 'web', 3)).toBeDefined();
  });

  it('writes only while it holds the lease, and hands over when it is killed', async (context) => {
    const ns = await suite().namespace(context);
    const users = ['operator-a', 'operator-b'] as const;
    const args = ['--namespace', ns.name, '--leader-elect-resource-namespace', ns.name];
    const start = async (user: string) =>
      suite().newOperator(args, await suite().cluster.userKubeconfig(user, ['system:masters']));
    const leader = await start(users[0]);
    await leader.logged('became the leader');
    const follower = await start(users[1]);
    context.onTestFinished(() => follower.kill('SIGKILL'));
    await follower.logged('longshore starts');
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2);
    const writers = () => users.map((user) => writesOf(suite().auditLog, user, ns.name).length > 0);
    expect(writers()).toEqual([true, false]);

    await leader.kill('SIGKILL');
    await ns.patch('services', 'web', { spec: { desiredCount: 3 } });
    await follower.logged('became the leader', 30_000);
    await untilSteady(ns.history, 'web', 3);
    expect(writers()).toEqual([true, true]);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });
});
