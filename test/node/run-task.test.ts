import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { areShares, CGROUP, shell } from '../support/containers.ts';
import { duplicates } from '../support/invariants.ts';
import { taskDefinition } from '../support/manifests.ts';
import { conditionOf, readyCondition } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a Task on a real kubelet' : `a Task on a real kubelet (skipped: ${why})`;

const untilStopped = (ns: TestNamespace, name: string) =>
  ns.until(`${name} to be STOPPED`, () => {
    const status = ns.history.get('tasks', name)?.status;
    return status?.lastStatus === 'STOPPED' ? status : undefined;
  });

const logsOf = (ns: TestNamespace, name: string): Promise<string> =>
  ns.kubectl(['logs', `--selector=longshore.dev/run-task=${name}`, '--container=app', '--tail=-1']);

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  it('is Complete when its container has ended with 0', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('hello', {}, [shell('app', 'echo hello; exit 0')]), {
      kind: 'Task',
      name: 'hello',
      spec: { taskDefinition: 'hello', count: 2 },
    });
    await ns.kubectl(['wait', 'etask/hello', '--for=condition=Complete', '--timeout=180s']);
    const { tasks } = await untilStopped(ns, 'hello');
    expect(tasks).toMatchObject(
      [1, 2].map(() => ({
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        containers: [{ name: 'app', exitCode: 0, lastStatus: 'STOPPED' }],
      })),
    );
    for (const { startedAt = '', stoppedAt = '' } of tasks ?? [])
      expect(Date.parse(stoppedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
    expect(await logsOf(ns, 'hello')).toBe('hello\nhello\n');
    expect(duplicates(ns.history)).toEqual([]);
  });

  it('is Failed when an essential container has ended with 3: its sidecar gets SIGTERM, nothing runs again', async (context) => {
    const ns = await suite().namespace(context);
    const sidecar = shell('sidecar', 'trap "exit 7" TERM; while :; do sleep 3600 & wait $!; done', {
      essential: false,
    });
    // It ends once the sidecar has set its trap.
    const app = shell('app', 'sleep 2; echo giving up; exit 3', {
      dependsOn: [{ containerName: 'sidecar', condition: 'START' }],
    });
    await ns.create(taskDefinition('bad', {}, [sidecar, app]), {
      kind: 'Task',
      name: 'bad',
      spec: { taskDefinition: 'bad' },
    });
    await ns.kubectl(['wait', 'etask/bad', '--for=condition=Failed', '--timeout=180s']);
    const { tasks } = await untilStopped(ns, 'bad');
    expect(tasks).toHaveLength(1);
    const codes = tasks?.[0]?.containers.map(({ name, exitCode }) => [name, exitCode]).sort();
    expect(codes).toEqual([
      ['app', 3],
      ['sidecar', 7],
    ]);
    expect(tasks).toMatchObject([{ stopCode: 'EssentialContainerExited' }]);
    expect(readyCondition(ns.history.get('tasks', 'bad'))).toMatchObject({
      reason: 'NonZeroExitCode',
      message: expect.stringContaining('essential container app ended with exit code 3'),
    });
    expect(conditionOf(ns.history.get('tasks', 'bad'), 'Complete')).toBe('False');
    expect(await logsOf(ns, 'bad')).toBe('giving up\n');
    expect(ns.history.all('pods')).toHaveLength(1);
  });

  it('runs with the overrides of its containers and of the task', async (context) => {
    const ns = await suite().namespace(context);
    const script = ['echo "$0 $KEPT $REPLACED $NEW"', CGROUP.cpuShares, CGROUP.memoryLimit].join('\n');
    const variable = (name: string, value: string) => ({ name, value });
    const app = {
      ...shell('app', 'echo the command of the definition; exit 1', { cpu: 128 }),
      environment: [variable('KEPT', 'kept'), variable('REPLACED', 'definition')],
    };
    await ns.create(taskDefinition('app', {}, [app]), {
      kind: 'Task',
      name: 'overridden',
      spec: {
        taskDefinition: 'app:1',
        overrides: {
          cpu: '512',
          memory: '64',
          containerOverrides: [
            {
              name: 'app',
              command: ['sh', '-c', script, 'override'],
              environment: [variable('REPLACED', 'override'), variable('NEW', 'new')],
              cpu: 256,
              memory: 32,
            },
          ],
        },
      },
    });
    await untilStopped(ns, 'overridden');
    expect(conditionOf(ns.history.get('tasks', 'overridden'), 'Complete')).toBe('True');
    const [line, shares = '', memory] = (await logsOf(ns, 'overridden')).split('\n');
    expect(line).toBe('override kept override new');
    expect(areShares(shares, 256), shares).toBe(true);
    expect(memory).toBe(String(32 * 1024 * 1024));
    const [pod] = ns.history.all('pods');
    expect(JSON.stringify(pod?.spec)).toContain('"limits":{"cpu":"500m","memory":"64Mi"}');
  });
});
