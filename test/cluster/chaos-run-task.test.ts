/** An operator that dies beside a pod that nobody may have recorded, and the pod goes before the next operator looks. */
import { describe, expect, it } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { duplicates } from '../support/invariants.ts';
import { pathOf } from '../support/kube-api.ts';
import { kwok, taskDefinition } from '../support/manifests.ts';
import { changedRecords, isOver } from '../support/run-task-scenario.ts';
import { readyCondition } from '../support/services.ts';
import { OPERATOR_USER, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const LOST = ['InfrastructureHealth: The pod of the task was deleted before its end was seen.'];
const EXITED = ['EssentialContainerExited: Essential container in task exited'];

const MADE = /^POST .*\/pods$/;
const RELEASED = /^PATCH .*\/pods\//;

describe.concurrent('the pod of a Task that goes while no operator runs', () => {
  it.for([
    { when: 'after it was made', of: MADE, moment: 'after', pods: 2, stops: EXITED, reason: 'TasksSucceeded' },
    { when: 'after it was recorded', of: RELEASED, moment: 'before', pods: 1, stops: LOST },
    { when: 'after it was released', of: RELEASED, moment: 'after', pods: 1, stops: LOST },
  ] as const)(
    '$when is not run again where it may have run',
    async ({ of, moment, pods, stops, reason = 'InfrastructureHealth' }, context) => {
      const ns = await suite().namespace(context);
      const proxy = await FaultProxy.start(await suite().cluster.userKubeconfig(OPERATOR_USER, []));
      const newOperator = () => suite().newOperator(['--no-leader-elect', '--namespace', ns.name], proxy.kubeconfig);
      let operator = newOperator();
      context.onTestFinished(async () => {
        await proxy.stop();
        await operator.kill('SIGKILL');
      });
      proxy.set({
        of,
        write: 1,
        moment,
        act: async () => {
          await operator.kill('SIGKILL');
          await suite().api.call('DELETE', `${pathOf('pods', ns.name)}?gracePeriodSeconds=0`);
          operator = newOperator();
        },
      });
      await ns.create(taskDefinition('once', {}, [{ name: 'app', image: 'busybox:1.36', memoryReservation: 8 }]), {
        kind: 'Task',
        name: 'once',
        spec: {
          taskDefinition: 'once',
          kubernetes: { podAnnotations: kwok({ exitAfter: '300ms', exitCode: 0 }) },
        },
      });
      await ns.until('it to be STOPPED', () => isOver(ns.history, 'once'), 120_000);
      expect(proxy.broken).toMatch(of);
      const object = ns.history.get('tasks', 'once');
      expect(object?.status?.tasks?.map(({ stopCode, stoppedReason }) => `${stopCode}: ${stoppedReason}`)).toEqual(
        stops,
      );
      expect(readyCondition(object)?.reason).toBe(reason);
      const made = ns.history.entries.flatMap(({ kind, object: { metadata } }) =>
        kind === 'pods' ? metadata.uid : [],
      );
      expect(new Set(made).size).toBe(pods);
      expect([...duplicates(ns.history), ...changedRecords(ns.history, ['once'])]).toEqual([]);
    },
  );
});
