/** What a task does while no operator runs, and what is known of it afterwards. */
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { exec, shell, untilRunning } from '../support/containers.ts';
import { isEnded } from '../support/invariants.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import { stoppedTaskOf } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a task without an operator' : `a task without an operator (skipped: ${why})`;

/** Ends with 5 when it is told to, and with 3 after `touch /tmp/end`. */
const runs = (name: string, fields: object = {}) =>
  shell(name, "trap 'exit 5' TERM; until [ -e /tmp/end ]; do sleep 0.2; done; exit 3", fields);

const WAIT_MS = 200_000;

describe.skipIf(!possible)(title, () => {
  const suite = useSuite({ nodes: 'real', operator: false });

  it('ends with its only running container; one with others waits for the operator', async (context) => {
    const ns = await suite().namespace(context);
    const operator = await suite().startOperator();
    const dependsOn = [{ containerName: 'seed', condition: 'SUCCESS' }];
    await ns.create(
      taskDefinition('alone', {}, [runs('app')]),
      taskDefinition('seeded', {}, [runs('app', { dependsOn }), shell('seed', 'exit 0', { essential: false })]),
      taskDefinition('pair', {}, [runs('app'), runs('log', { essential: false })]),
      ...['alone', 'seeded', 'pair'].map((name) => service(name)),
    );
    const [alone, seeded, pair] = await Promise.all([
      untilRunning(ns, 'alone'),
      untilRunning(ns, 'seeded'),
      untilRunning(ns, 'pair'),
    ]);
    await operator.kill('SIGKILL');
    await Promise.all([alone, seeded, pair].map((pod) => exec(ns, pod, 'app', 'touch', '/tmp/end')));
    const stateOf = (pod: typeof pair, name: string) =>
      ns.history.get('pods', pod.metadata.name)?.status?.containerStatuses?.find((one) => one.name === name)?.state;
    for (const pod of [alone, seeded]) {
      const ended = await ns.until(
        'its end',
        () => {
          const now = ns.history.get('pods', pod.metadata.name);
          return now !== undefined && isEnded(now) && now;
        },
        WAIT_MS,
      );
      expect(ended.spec.activeDeadlineSeconds).toBeUndefined();
      expect(stateOf(pod, 'app')?.terminated?.exitCode).toBe(3);
    }
    await ns.until('the end of its essential container', () => stateOf(pair, 'app')?.terminated, WAIT_MS);
    expect(stateOf(pair, 'log')?.running).toBeDefined();

    await suite().startOperator();
    for (const [name, pod] of Object.entries({ alone, seeded, pair })) {
      const record = await ns.until(
        `the record of ${name}`,
        () => stoppedTaskOf(ns.history.get('services', name), pod),
        WAIT_MS,
      );
      expect(record).toMatchObject({
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
      });
      expect(record.containers).toContainEqual({ name: 'app', exitCode: 3 });
      if (name === 'pair') expect(record.containers).toContainEqual({ name: 'log', exitCode: 5 });
    }
  });

  it('is recorded although its pod was gone before the operator looked', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', {}, [runs('app')]), service('web'));
    const pod = await untilRunning(ns, 'web');
    suite().operator.signal('SIGSTOP');
    await ns.kubectl(['delete', 'pod', pod.metadata.name]);
    suite().operator.signal('SIGCONT');
    const record = await ns.until('the record', () => stoppedTaskOf(ns.history.get('services', 'web'), pod), WAIT_MS);
    expect(record).toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: 'Task stopped by user',
      containers: [{ name: 'app', exitCode: 5 }],
    });
  });
});
