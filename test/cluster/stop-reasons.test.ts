/** Why a task does not start, where only the cluster can say it (`ecs-semantics §2.6`); for real containers: test/node. */
import { describe, expect, it } from 'vitest';
import { isRunning } from '../support/containers.ts';
import { isWanted } from '../support/invariants.ts';
import { service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { messagesOf, readyCondition, runningPods } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const AGO = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
const NOTE = 'MountVolume.SetUp failed for volume "data" : mount failed: exit status 32\nOutput: no such server';

/** As the kubelet says it. */
const failedMount = (ns: TestNamespace, { metadata: { name, uid } }: Pod, lastSecondsAgo: number): Promise<string> =>
  ns.kubectl(
    ['create', '--filename=-'],
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${lastSecondsAgo}` },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: ns.name, name, uid },
      reason: 'FailedMount',
      message: NOTE,
      type: 'Warning',
      source: { component: 'kubelet', host: 'node' },
      firstTimestamp: AGO(100),
      lastTimestamp: AGO(lastSecondsAgo),
      count: 7,
    }),
  );

/** The pod as it is while its node has tried to mount its volumes for 100 s. */
const mounts = (ns: TestNamespace, { metadata, status, spec }: Pod): Promise<unknown> =>
  ns.patch(
    'pods',
    metadata.name,
    {
      status: {
        startTime: AGO(100),
        conditions: status?.conditions?.map((condition) => ({
          ...condition,
          status: condition.type === 'PodScheduled' ? 'True' : 'False',
        })),
        containerStatuses: spec.containers.map(({ name, image }) => ({
          name,
          image,
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { waiting: { reason: 'ContainerCreating' } },
        })),
      },
    },
    '/status',
  );

describe('a task that does not start', () => {
  const suite = useSuite({ nodes: 'kwok=3', operator: true });

  it('because its node cannot mount a volume is stopped with the words of the node', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    const [first, other] = await ns.until('two running tasks', () => {
      const pods = runningPods(ns.history, 'web').filter(isRunning);
      return pods.length === 2 && pods;
    });
    // What failed at first and no longer does stops nothing: the other task waits for something else.
    await failedMount(ns, other as Pod, 95);
    await failedMount(ns, first as Pod, 5);
    // It reads Events once in 30 s: it looks at both at once when it comes back.
    await suite().operator.kill('SIGKILL');
    await Promise.all([mounts(ns, other as Pod), mounts(ns, first as Pod)]);
    await suite().startOperator();
    // A simulated pod of which no container has run does not end: what is asked for is seen on it.
    const stopped = await ns.until('the request to stop it', () => {
      const now = ns.history.get('pods', first?.metadata.name ?? '');
      return now?.spec.activeDeadlineSeconds !== undefined && now;
    });
    expect(stopped.metadata.annotations).toMatchObject({
      'longshore.dev/stop-code': 'TaskFailedToStart',
      'longshore.dev/stopped-reason': `ResourceInitializationError: ${NOTE.replace('\n', ' ')}`,
    });
    expect(isWanted(ns.history.get('pods', other?.metadata.name ?? '') as Pod)).toBe(true);
  });

  for (const [resource, [more, lacks]] of Object.entries({
    cpu: [{ cpu: 1_000_000 }, 'has insufficient CPU units available'],
    memory: [{ memoryReservation: 1_000_000_000 }, 'has insufficient memory available'],
  } as const)) {
    it(`because no node has the ${resource} for it has a service that says what is missing`, async (context) => {
      const ns = await suite().namespace(context);
      await ns.create(taskDefinition('web', {}, [{ ...webContainer, ...more }]), service('web'));
      const seen = await ns.until('the service to say so', () => {
        const now = ns.history.get('services', 'web');
        return readyCondition(now)?.reason === 'TaskPlacementFailed' ? now : undefined;
      });
      expect(readyCondition(seen)?.message).toContain(`Insufficient ${resource}`);
      expect(messagesOf(seen)).toContain(
        `(service web) was unable to place a task because no container instance met all of its requirements. The closest matching container-instance ${lacks}.`,
      );
    });
  }
});
