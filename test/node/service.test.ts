import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { writesOf } from '../support/audit.ts';
import { exec, isRunning, shell, untilRunning } from '../support/containers.ts';
import { isEnded, isHealthy, isWanted, momentsOf, serviceViolations, slowEnds } from '../support/invariants.ts';
import { service, taskDefinition, version, webContainer } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { messagesOf, podsOf, readyCondition, runningPods, stoppedTaskOf, untilSteady } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a Service on a real kubelet' : `a Service on a real kubelet (skipped: ${why})`;

const examples = join(import.meta.dirname, '..', '..', 'examples');

/** Runs until `touch /tmp/end` in it, then exits with the code. */
const endsOnRequest = (name: string, code: number, fields: object = {}) =>
  shell(
    name,
    `trap 'exit 143' TERM; echo ${name} runs; until [ -e /tmp/end ]; do sleep 0.2; done; exit ${code}`,
    fields,
  );

const exitCodeOf = (pod: Pod | undefined, container: string): number | undefined =>
  pod?.status?.containerStatuses?.find(({ name }) => name === container)?.state?.terminated?.exitCode;

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  it('ends a task whose essential container exits with 3: its sidecar gets SIGTERM, codes and logs stay, a new task runs', async (context) => {
    const ns = await suite().namespace(context);
    const script = "trap 'echo got SIGTERM; exit 5' TERM; echo sidecar runs; while :; do sleep 0.2; done";
    const sidecar = shell('sidecar', script, { essential: false });
    await ns.create(taskDefinition('job', {}, [endsOnRequest('worker', 3), sidecar]), service('job'));
    const pod = await untilRunning(ns, 'job');
    await exec(ns, pod, 'worker', 'touch', '/tmp/end');
    const stopped = await ns.until('the stopped task', () => stoppedTaskOf(ns.history.get('services', 'job'), pod));
    expect(stopped).toMatchObject({
      revision: 1,
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [
        { name: 'worker', exitCode: 3 },
        { name: 'sidecar', exitCode: 5 },
      ],
    });
    expect(await ns.kubectl(['logs', pod.metadata.name, '--container=worker'])).toBe('worker runs\n');
    expect(await ns.kubectl(['logs', pod.metadata.name, '--container=sidecar'])).toBe('sidecar runs\ngot SIGTERM\n');
    const replacement = await untilRunning(ns, 'job');
    expect(replacement.metadata.uid).not.toBe(pod.metadata.uid);
    const kept = ns.history.get('pods', pod.metadata.name) as Pod;
    expect(kept.metadata.annotations).toMatchObject({ 'longshore.dev/stop-code': 'EssentialContainerExited' });
    expect(isEnded(kept)).toBe(true);
    expect(slowEnds([kept], (container) => container === 'worker')).toEqual([]);
  });

  it('changes nothing when a container that is not essential exits with 1', async (context) => {
    const ns = await suite().namespace(context);
    const helper = endsOnRequest('helper', 1, { essential: false });
    await ns.create(taskDefinition('web', {}, [endsOnRequest('main', 0), helper]), service('web'));
    const pod = await untilRunning(ns, 'web');
    await exec(ns, pod, 'helper', 'touch', '/tmp/end');
    await ns.until('the helper to end', () => exitCodeOf(ns.history.get('pods', pod.metadata.name), 'helper') === 1);
    // A change that the operator must answer comes after the exit: it has seen both when this is done.
    await ns.patch('services', 'web', { spec: { desiredCount: 2 } });
    const after = await ns.until('two running tasks', () => {
      const now = ns.history.get('services', 'web');
      return now?.status?.runningCount === 2 ? now : undefined;
    });
    expect(isWanted(ns.history.get('pods', pod.metadata.name) as Pod)).toBe(true);
    expect(podsOf(ns.history, 'web')).toHaveLength(2);
    expect(after.status?.stoppedTasks).toEqual([]);
  });

  it('counts a task as healthy when its check passes, and replaces one that turns unhealthy start first', async (context) => {
    const ns = await suite().namespace(context);
    const command = ['sh', '-c', 'touch /tmp/unhealthy; exec http-server'];
    const healthCheck = { ...webContainer.healthCheck, startPeriod: 10 };
    await ns.create(taskDefinition('web', {}, [{ ...webContainer, command, healthCheck }]), service('web'));
    const pod = await untilRunning(ns, 'web');
    await ns.until('the check to be waited for', () => {
      const [deployment] = ns.history.get('services', 'web')?.status?.deployments ?? [];
      return deployment?.runningCount === 1 && deployment.blockedBy === 'waiting for 1 new tasks to become healthy';
    });
    await exec(ns, pod, 'web', 'healthy');
    await untilSteady(ns.history, 'web', 1);

    await exec(ns, pod, 'web', 'unhealthy');
    const replacement = await ns.until('the replacement', () =>
      runningPods(ns.history, 'web').find((other) => other.metadata.uid !== pod.metadata.uid && isRunning(other)),
    );
    expect(isWanted(ns.history.get('pods', pod.metadata.name) as Pod)).toBe(true);
    await exec(ns, replacement, 'web', 'healthy');
    const stopped = await ns.until('the unhealthy task to be stopped', () =>
      stoppedTaskOf(ns.history.get('services', 'web'), pod),
    );
    expect(stopped).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed container health checks',
    });
    await untilSteady(ns.history, 'web', 1);
    // At the request to stop it the replacement was healthy.
    const stop = momentsOf(ns.history, 'web').find(({ pods }) =>
      pods.some(({ metadata, spec }) => metadata.uid === pod.metadata.uid && spec.activeDeadlineSeconds),
    );
    expect(stop?.pods.filter(isHealthy).map(({ metadata }) => metadata.uid)).toEqual([replacement.metadata.uid]);
  });

  it('stops a task whose image cannot be pulled, says so, and slows down', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', {}, [{ name: 'web', image: 'nosuch/image:1', memory: 16 }]), service('web'));
    const throttled = await ns.until(
      'the throttle',
      () => {
        const now = ns.history.get('services', 'web');
        return readyCondition(now)?.reason === 'TaskStartImpaired' ? now : undefined;
      },
      150_000,
    );
    const impaired = messagesOf(throttled).filter((text) => text.includes('consistently'));
    expect(impaired).toEqual(['(service web) is unable to consistently start tasks successfully.']);
    const [deployment] = throttled.status?.deployments ?? [];
    expect(deployment).toMatchObject({ runningCount: 0, blockedBy: expect.stringMatching(/^cannot start: throttled/) });
    expect(deployment?.failedTasks).toBe(3);
    for (const { stopCode, stoppedReason, containers } of throttled.status?.stoppedTasks ?? []) {
      expect(stopCode).toBe('TaskFailedToStart');
      expect(stoppedReason).toMatch(/^CannotPullContainerError: .*nosuch\/image/);
      expect(containers).toEqual([{ name: 'web', reason: expect.stringMatching(/^CannotPullContainerError: /) }]);
    }
    const creates = writesOf(suite().auditLog, suite().operatorUser, ns.name).filter(
      ({ verb, what }) => verb === 'create' && what.startsWith('pods '),
    );
    expect(creates).toHaveLength(3);
  });

  it('runs WordPress and MySQL of the examples: the link resolves, the host port answers', async (context) => {
    const ns = await suite().namespace(context);
    await ns.kubectl(['apply', '--filename=-'], readFileSync(join(examples, 'wordpress.yaml'), 'utf8'));
    const pod = await untilRunning(ns, 'wordpress');
    expect(pod.spec.containers.map(({ name }) => name).sort()).toEqual(['mysql', 'wordpress']);
    const hosts = await exec(ns, pod, 'wordpress', 'cat', '/etc/hosts');
    expect(hosts).toMatch(/^127\.0\.0\.1\s+mysql$/m);
    const answer = await fetch(`http://${pod.status?.hostIP}:80/`);
    expect(answer.status).toBe(200);
    const [task] = runningPods(ns.history, 'wordpress');
    expect(task?.metadata.annotations?.['longshore.dev/family']).toBe('hello_world');
  });

  it('rolls real containers to a new revision within the bounds, and leaves none of the old', async (context) => {
    const ns = await suite().namespace(context);
    const container = (value: string) => ({ ...webContainer, ...version(value) });
    await ns.create(taskDefinition('web', {}, [container('a')]), service('web', { desiredCount: 2 }));
    await untilSteady(ns.history, 'web', 2);
    await ns.patch('taskdefinitions', 'web', { spec: { containerDefinitions: [container('b')] } });
    await ns.until('the rollout', () => ns.history.get('services', 'web')?.status?.taskDefinition === 'web:2');
    const after = await untilSteady(ns.history, 'web', 2);
    await ns.until('the old tasks to be swept', () => podsOf(ns.history, 'web').length === 2);
    for (const pod of podsOf(ns.history, 'web'))
      expect(await exec(ns, pod, 'web', 'sh', '-c', 'echo $VERSION')).toBe('b\n');
    // What was stopped had its SIGTERM and time to end by it: the server's own code, not that of SIGKILL.
    expect(after.status?.stoppedTasks?.flatMap(({ containers }) => containers)).toEqual([
      { name: 'web', exitCode: 143 },
      { name: 'web', exitCode: 143 },
    ]);
    expect(serviceViolations(ns.history, 'web')).toEqual([]);
  });

  it('lets failed health checks be in the grace period of the service', async (context) => {
    const ns = await suite().namespace(context);
    const healthCheck = { command: ['CMD', 'false'], interval: 5, timeout: 2, retries: 1 };
    const grace = 25;
    await ns.create(
      taskDefinition('web', {}, [shell('web', 'exec wait', { healthCheck })]),
      // With these bounds it is replaced by one that will not do better either.
      service('web', {
        healthCheckGracePeriodSeconds: grace,
        deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
      }),
    );
    const pod = await untilRunning(ns, 'web');
    const stopped = await ns.until('the task to be stopped', () =>
      stoppedTaskOf(ns.history.get('services', 'web'), pod),
    );
    expect(stopped.stoppedReason).toBe('Task failed container health checks');
    const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? '';
    expect(Date.parse(stopped.stoppedAt) - Date.parse(startedAt)).toBeGreaterThanOrEqual(grace * 1000);
  });
});
