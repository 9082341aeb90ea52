/** Why a task stopped, as it is recorded for each way in which a real one can end (`ecs-semantics §2.5, §2.6`). */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { exec, isRunning, shell } from '../support/containers.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { podsOf, stoppedTaskOf } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a task that stopped' : `a task that stopped (skipped: ${why})`;

/** Ends with 5 when it is told to, and with 3 after `touch /tmp/end`. */
const runs = (name: string, fields: object = {}) =>
  shell(name, "trap 'exit 5' TERM; until [ -e /tmp/end ]; do sleep 0.2; done; exit 3", fields);

interface Way {
  readonly containers: readonly object[];
  readonly before?: (ns: TestNamespace) => Promise<void>;
  /** What happens to it once all its containers run; without it, it ends by itself. */
  readonly end?: (ns: TestNamespace, pod: Pod) => Promise<unknown>;
  readonly stopCode: string;
  /** `$deployment` stands for the deployment. */
  readonly stoppedReason: string | RegExp;
  readonly recorded: readonly object[];
}

const annotate = (stop: string) => (ns: TestNamespace, pod: Pod) =>
  ns.patch('pods', pod.metadata.name, { metadata: { annotations: { 'longshore.dev/stop': stop } } });

const evict = (ns: TestNamespace, { metadata: { name, namespace } }: Pod) =>
  ns.kubectl(
    ['create', `--raw=/api/v1/namespaces/${namespace}/pods/${name}/eviction`, '--filename=-'],
    JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }),
  );

const GPUS = { 'nvidia.com/gpu': '2' };

/** What a device plugin would say of its node. */
const addGpus = async (ns: TestNamespace): Promise<void> => {
  const [node = ''] = (await ns.kubectl(['get', 'nodes', '--output=name'])).trim().split('\n');
  const patch = JSON.stringify({ status: { capacity: GPUS, allocatable: GPUS } });
  await ns.kubectl(['patch', node, '--subresource=status', '--type=merge', `--patch=${patch}`]);
};

/** A pod with a higher priority needs what the task has of the node. */
const preempt = async (ns: TestNamespace): Promise<void> => {
  const name = `urgent-${ns.name}`;
  const priority = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value: 1000 };
  const container = { name: 'urgent', image: 'longshore.local/pause:1', resources: { limits: GPUS } };
  const spec = { priorityClassName: name, containers: [container] };
  const urgent = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'urgent' }, spec };
  await ns.kubectl(['create', '--filename=-'], JSON.stringify(priority));
  await ns.kubectl(['create', '--filename=-'], JSON.stringify(urgent));
};

const ESSENTIAL = 'Essential container in task exited';
const WAYS: Record<string, Way> = {
  'an essential container exits': {
    containers: [runs('app'), runs('log', { essential: false })],
    end: (ns, pod) => exec(ns, pod, 'app', 'touch', '/tmp/end'),
    stopCode: 'EssentialContainerExited',
    stoppedReason: ESSENTIAL,
    recorded: [
      { name: 'app', exitCode: 3 },
      { name: 'log', exitCode: 5 },
    ],
  },
  'an essential container exits with 0': {
    containers: [shell('app', 'sleep 1')],
    stopCode: 'EssentialContainerExited',
    stoppedReason: ESSENTIAL,
    recorded: [{ name: 'app', exitCode: 0 }],
  },
  'its user stops it': {
    containers: [runs('app')],
    end: annotate('out for lunch'),
    stopCode: 'UserInitiated',
    stoppedReason: 'out for lunch',
    recorded: [{ name: 'app', exitCode: 5 }],
  },
  'its user stops it without a reason': {
    containers: [runs('app')],
    end: annotate(''),
    stopCode: 'UserInitiated',
    stoppedReason: 'Task stopped by user',
    recorded: [{ name: 'app', exitCode: 5 }],
  },
  'its user deletes the pod': {
    containers: [runs('app')],
    end: (ns, pod) => ns.kubectl(['delete', 'pod', pod.metadata.name, '--wait=false']),
    stopCode: 'UserInitiated',
    stoppedReason: 'Task stopped by user',
    recorded: [{ name: 'app', exitCode: 5 }],
  },
  'the service is scaled in': {
    containers: [runs('app')],
    end: (ns) => ns.patch('services', 'web', { spec: { desiredCount: 0 } }),
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: 'Scaling activity initiated by (deployment $deployment)',
    recorded: [{ name: 'app', exitCode: 5 }],
  },
  'its health check fails': {
    containers: [runs('app', { healthCheck: { command: ['CMD', 'false'], interval: 5, timeout: 2, retries: 1 } })],
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: 'Task failed container health checks',
    recorded: [{ name: 'app', exitCode: 5 }],
  },
  'its image cannot be pulled': {
    containers: [{ name: 'app', image: 'nosuch/image:1', memory: 16 }, runs('log')],
    stopCode: 'TaskFailedToStart',
    stoppedReason: /^CannotPullContainerError: .*nosuch\/image:1/,
    recorded: [
      { name: 'app', reason: expect.stringMatching(/^CannotPullContainerError: /) },
      { name: 'log', exitCode: 5 },
    ],
  },
  'its command does not exist': {
    containers: [{ ...runs('app'), command: ['/no/such/command'] }],
    stopCode: 'TaskFailedToStart',
    stoppedReason: /^CannotStartContainerError: .*\/no\/such\/command/,
    recorded: [{ name: 'app', exitCode: 128, reason: expect.stringMatching(/^CannotStartContainerError: /) }],
  },
  'a secret is missing': {
    containers: [runs('app', { secrets: [{ name: 'A', valueFrom: 'absent' }] })],
    stopCode: 'TaskFailedToStart',
    stoppedReason: 'ResourceInitializationError: secret "absent" not found',
    recorded: [{ name: 'app', reason: 'ResourceInitializationError: secret "absent" not found' }],
  },
  'it is out of memory': {
    containers: [shell('app', `exec awk 'BEGIN { x = "x"; while (1) x = x x }'`)],
    stopCode: 'EssentialContainerExited',
    stoppedReason: ESSENTIAL,
    recorded: [{ name: 'app', exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' }],
  },
  'it is evicted from its node': {
    containers: [runs('app')],
    end: evict,
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: 'Task stopped because its container instance is in DRAINING state',
    recorded: [{ name: 'app', exitCode: 5 }],
  },
  'it is preempted': {
    containers: [runs('app', { resourceRequirements: [{ type: 'GPU', value: '2' }] })],
    before: addGpus,
    end: preempt,
    stopCode: 'InfrastructureHealth',
    stoppedReason: /^Preempted: .*preempting to accommodate a higher priority pod/,
    recorded: [{ name: 'app', exitCode: 5 }],
  },
};

/** What `kubectl describe pod` and `kubectl get events` say; events are written in the background. */
async function eventSays(ns: TestNamespace, { metadata }: Pod, text: string): Promise<void> {
  const of = `--field-selector=regarding.uid=${metadata.uid},reportingController=longshore.dev/operator`;
  const output = '--output=jsonpath={range .items[*]}{.reason}: {.note}{"\\n"}{end}';
  while (!(await ns.kubectl(['get', 'events.events.k8s.io', of, output])).includes(text)) await delay(500);
}

const WAIT_MS = 200_000;

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  for (const [name, way] of Object.entries(WAYS)) {
    it(`because ${name} says so as ECS does`, async (context) => {
      const { containers, before, end, stopCode, stoppedReason, recorded } = way;
      const ns = await suite().namespace(context);
      await before?.(ns);
      await ns.create(
        taskDefinition('web', {}, [...containers]),
        // With these bounds a task that is not well is replaced by one that will not do better.
        service('web', { deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 } }),
      );
      const pod = await ns.until('a task', () => podsOf(ns.history, 'web')[0], WAIT_MS);
      if (end !== undefined) {
        const running = (): Pod | undefined => {
          const now = ns.history.get('pods', pod.metadata.name);
          return now !== undefined && isRunning(now) ? now : undefined;
        };
        await end(ns, await ns.until('the task to run', running, WAIT_MS));
      }
      const stopped = () => stoppedTaskOf(ns.history.get('services', 'web'), pod);
      const record = await ns.until('the stopped task', stopped, WAIT_MS);
      const [deployment] = ns.history.get('services', 'web')?.status?.deployments ?? [];
      expect(record).toMatchObject({
        stopCode,
        stoppedReason:
          typeof stoppedReason === 'string'
            ? stoppedReason.replace('$deployment', deployment?.id ?? '')
            : expect.stringMatching(stoppedReason),
        containers: recorded,
      });
      if (stopCode === 'ServiceSchedulerInitiated') return;
      // The service's record, the event and the pod, where that is still there, have one sentence.
      const kept = ns.history.get('pods', pod.metadata.name);
      if (kept !== undefined && kept.metadata.deletionTimestamp === undefined) {
        expect(kept.metadata.annotations).toMatchObject({
          'longshore.dev/stop-code': record.stopCode,
          'longshore.dev/stopped-reason': record.stoppedReason,
        });
      }
      await eventSays(ns, pod, `${record.stopCode}: ${record.stoppedReason}`);
    });
  }
});
