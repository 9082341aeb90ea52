import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { isWanted } from '../support/invariants.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { podsOf, stoppedTaskOf } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'dependsOn on a real kubelet' : `dependsOn on a real kubelet (skipped: ${why})`;

const shell = (name: string, script: string, fields: object = {}) => ({
  name,
  image: 'busybox:1.37',
  memory: 16,
  command: ['sh', '-c', script],
  ...fields,
});

const endsWith = (name: string, code: number, fields: object = {}) =>
  shell(name, `sleep 1; exit ${code}`, { essential: false, ...fields });

/** Runs until SIGTERM, or until `touch /tmp/end`, and then exits with 4. */
const runs = (name: string, fields: object = {}) =>
  shell(name, "trap 'exit 0' TERM; until [ -e /tmp/end ]; do sleep 0.1; done; exit 4", fields);

const after = (containerName: string, condition: string) => ({ containerName, condition });

const statusOf = (pod: Pod | undefined, name: string) =>
  [...(pod?.status?.initContainerStatuses ?? []), ...(pod?.status?.containerStatuses ?? [])].find(
    (status) => status.name === name,
  );

const stateOf = (pod: Pod | undefined, name: string) => statusOf(pod, name)?.state;

const startOf = (pod: Pod | undefined, name: string): number => {
  const { running, terminated } = stateOf(pod, name) ?? {};
  return Date.parse(running?.startedAt ?? terminated?.startedAt ?? '');
};

const endOf = (pod: Pod | undefined, name: string): number =>
  Date.parse(stateOf(pod, name)?.terminated?.finishedAt ?? '');

async function started(ns: TestNamespace, ...containers: object[]): Promise<Pod> {
  await ns.create(taskDefinition('web', {}, containers), service('web'));
  return ns.until('a task', () => podsOf(ns.history, 'web')[0]);
}

const now = (ns: TestNamespace, pod: Pod): Pod | undefined => ns.history.get('pods', pod.metadata.name);

const untilRuns = (ns: TestNamespace, pod: Pod, name: string): Promise<Pod> =>
  ns.until(
    `${name} to run`,
    () => {
      const seen = now(ns, pod);
      return stateOf(seen, name)?.running === undefined ? undefined : seen;
    },
    90_000,
  );

const untilStopped = (ns: TestNamespace, pod: Pod) =>
  ns.until('the stopped task', () => stoppedTaskOf(ns.history.get('services', 'web'), pod), 90_000);

const exec = (ns: TestNamespace, pod: Pod, container: string, ...command: string[]) =>
  ns.kubectl(['exec', pod.metadata.name, `--container=${container}`, '--', ...command]);

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  it('SUCCESS, where everything waits, is an init container, and needs no write of the operator', async (context) => {
    const ns = await suite().namespace(context);
    const pod = await started(ns, runs('app', { dependsOn: [after('migrate', 'SUCCESS')] }), endsWith('migrate', 0));
    const running = await untilRuns(ns, pod, 'app');
    expect(running.spec.initContainers?.map(({ name }) => name)).toEqual(['migrate']);
    expect(startOf(running, 'app')).toBeGreaterThanOrEqual(endOf(running, 'migrate'));
    expect(running.metadata.annotations?.['longshore.dev/start-barriers']).toBeUndefined();
  });

  it('SUCCESS that fails stops the task: the container that waited never ran and has 143', async (context) => {
    const ns = await suite().namespace(context);
    const pod = await started(ns, runs('app', { dependsOn: [after('migrate', 'SUCCESS')] }), endsWith('migrate', 3));
    const stopped = await untilStopped(ns, pod);
    const reason =
      'CannotStartContainerError: dependency on container migrate (SUCCESS) cannot be met: it exited with 3';
    expect(stopped).toMatchObject({ stopCode: 'TaskFailedToStart', stoppedReason: reason });
    expect(stopped.containers).toEqual([
      { name: 'migrate', exitCode: 3 },
      { name: 'app', exitCode: 143, reason },
    ]);
    expect(startOf(now(ns, pod), 'app')).toBeNaN();
  });

  it('SUCCESS, COMPLETE and START behind them hold back only what waits, and leave no trace in it', async (context) => {
    const ns = await suite().namespace(context);
    const pod = await started(
      ns,
      runs('app', { dependsOn: [after('migrate', 'SUCCESS'), after('probe', 'COMPLETE')] }),
      runs('behind', { essential: false, dependsOn: [after('app', 'START')] }),
      shell('migrate', 'until [ -e /tmp/end ]; do sleep 0.1; done', { essential: false }),
      endsWith('probe', 7),
      runs('log-router'),
    );
    await untilRuns(ns, pod, 'log-router');
    await ns.until('the probe to end', () => stateOf(now(ns, pod), 'probe')?.terminated);
    await untilRuns(ns, pod, 'migrate');
    const waiting = now(ns, pod);
    expect(startOf(waiting, 'app')).toBeNaN();
    expect(startOf(waiting, 'behind')).toBeNaN();
    expect(isWanted(waiting as Pod)).toBe(true);
    await exec(ns, pod, 'migrate', 'touch', '/tmp/end');
    const running = await untilRuns(ns, pod, 'behind');
    expect(stateOf(running, 'probe')?.terminated?.exitCode).toBe(7);
    expect(startOf(running, 'app')).toBeGreaterThanOrEqual(endOf(running, 'migrate'));
    expect(startOf(running, 'behind')).toBeGreaterThanOrEqual(startOf(running, 'app'));
    const names = (await exec(ns, pod, 'app', 'env')).split('\n').map((line) => line.split('=')[0]);
    const router = (await exec(ns, pod, 'log-router', 'env')).split('\n').map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(router.sort());
  });

  it('START on a container that is not essential and cannot start keeps what waits from running', async (context) => {
    const ns = await suite().namespace(context);
    const pod = await started(
      ns,
      runs('app'),
      shell('broken', '', { essential: false, command: ['/no/such/command'] }),
      { name: 'gone', image: 'nosuch/image:1', memory: 16, essential: false },
      runs('behind-broken', { essential: false, dependsOn: [after('broken', 'START')] }),
      runs('behind-gone', { essential: false, dependsOn: [after('gone', 'START')] }),
      runs('behind-app', { essential: false, dependsOn: [after('app', 'START')] }),
    );
    // It is RUNNING without them: neither the image nor what waits for it holds it up.
    const service = await ns.until('the service to count the task as running', () => {
      const seen = ns.history.get('services', 'web');
      return seen?.status?.runningCount === 1 ? seen : undefined;
    });
    expect(service.status?.stoppedTasks).toEqual([]);
    await untilRuns(ns, pod, 'behind-app');
    await exec(ns, pod, 'app', 'touch', '/tmp/end');
    const stopped = await untilStopped(ns, pod);
    expect(stopped.stopCode).toBe('EssentialContainerExited');
    const neverMet = (name: string) =>
      `CannotStartContainerError: dependency on container ${name} (START) cannot be met: it never started`;
    expect(stopped.containers).toEqual([
      { name: 'app', exitCode: 4 },
      {
        name: 'broken',
        exitCode: 128,
        reason: expect.stringMatching(/^CannotStartContainerError: .*\/no\/such\/command/),
      },
      { name: 'gone', reason: expect.stringMatching(/^CannotPullContainerError: .*nosuch\/image/) },
      { name: 'behind-broken', exitCode: 143, reason: neverMet('broken') },
      { name: 'behind-gone', exitCode: 143, reason: neverMet('gone') },
      { name: 'behind-app', exitCode: 0 },
    ]);
    for (const name of ['behind-broken', 'behind-gone']) expect(startOf(now(ns, pod), name)).toBeNaN();
  });

  it('HEALTHY opens when the check passes, and is a gate for the start only', async (context) => {
    const ns = await suite().namespace(context);
    const healthCheck = { command: ['CMD-SHELL', 'test -e /tmp/healthy'], interval: 5, timeout: 2 };
    const pod = await started(ns, runs('app', { dependsOn: [after('db', 'HEALTHY')] }), runs('db', { healthCheck }));
    await untilRuns(ns, pod, 'db');
    expect(startOf(now(ns, pod), 'app')).toBeNaN();
    await exec(ns, pod, 'db', 'touch', '/tmp/healthy');
    const running = await untilRuns(ns, pod, 'app');
    expect(statusOf(running, 'db')?.ready).toBe(true);
  });

  it('HEALTHY that is not reached within startTimeout stops a task whose essential container waits', async (context) => {
    const ns = await suite().namespace(context);
    const healthCheck = { command: ['CMD', 'false'], interval: 5 };
    const pod = await started(
      ns,
      runs('app', { dependsOn: [after('db', 'HEALTHY')] }),
      runs('db', { healthCheck, startTimeout: 3 }),
    );
    const stopped = await untilStopped(ns, pod);
    const reason =
      'CannotStartContainerError: dependency on container db (HEALTHY) cannot be met: its startTimeout of 3 s is over';
    expect(stopped).toMatchObject({ stopCode: 'TaskFailedToStart', stoppedReason: reason });
    expect(stopped.containers).toEqual([
      { name: 'db', exitCode: 0 },
      { name: 'app', exitCode: 143, reason },
    ]);
  });

  it('that can never be met leaves the task alone where the container that waits is not essential', async (context) => {
    const ns = await suite().namespace(context);
    const pod = await started(
      ns,
      runs('app'),
      endsWith('seed', 1),
      runs('report', { essential: false, dependsOn: [after('seed', 'SUCCESS')] }),
      runs('mail', { essential: false, dependsOn: [after('report', 'START')] }),
    );
    await ns.until('the service to count the task as running', () => {
      return ns.history.get('services', 'web')?.status?.runningCount === 1;
    });
    await exec(ns, pod, 'app', 'touch', '/tmp/end');
    const stopped = await untilStopped(ns, pod);
    expect(stopped.stopCode).toBe('EssentialContainerExited');
    expect(stopped.containers).toEqual([
      { name: 'app', exitCode: 4 },
      { name: 'seed', exitCode: 1 },
      {
        name: 'report',
        exitCode: 143,
        reason: 'CannotStartContainerError: dependency on container seed (SUCCESS) cannot be met: it exited with 1',
      },
      {
        name: 'mail',
        exitCode: 143,
        reason: 'CannotStartContainerError: dependency on container report (START) cannot be met: it never started',
      },
    ]);
  });
});
