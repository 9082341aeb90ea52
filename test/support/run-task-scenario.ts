/** Tasks that are run once and end in every way; their ends are known, whatever happens on the way. */
import type { CrashPoints } from './crash-points.ts';
import { duplicates } from './invariants.ts';
import { kwok, taskDefinition } from './manifests.ts';
import type { NamespaceHistory, Pod } from './recorder.ts';
import { conditionOf, readyCondition } from './services.ts';
import type { Manifest, TestNamespace } from './suite.ts';

type Scenario = Omit<ConstructorParameters<typeof CrashPoints>[1], 'sample'>;

const run = (name: string, kubernetes: object, count = 1): Manifest => ({
  kind: 'Task',
  name,
  // Of Fargate: one that finds no node waits.
  spec: { taskDefinition: 'once', count, kubernetes, launchType: 'FARGATE' },
});

const exits = (exitCode: number) => ({ podAnnotations: kwok({ exitAfter: '300ms', exitCode }) });

const TASKS: readonly Manifest[] = [
  run('good', exits(0), 2),
  run('bad', exits(3)),
  run('stopped', {}),
  run('nowhere', { nodeSelector: { nowhere: 'yes' } }),
];
const names = TASKS.map(({ name }) => name);

const podOf = (history: NamespaceHistory, name: string): Pod | undefined =>
  history.all('pods').find(({ metadata }) => metadata.labels?.['longshore.dev/run-task'] === name);

/** Asks for the stop as soon as the status has the task, so that the operator has seen it. */
async function stop(ns: TestNamespace, name: string): Promise<void> {
  const pod = await ns.until(`the pod of ${name}`, () => podOf(ns.history, name));
  const isSeen = (): boolean => {
    const [task] = ns.history.get('tasks', name)?.status?.tasks ?? [];
    return name === 'nowhere' ? task !== undefined : task?.lastStatus === 'RUNNING';
  };
  await ns.until(`${name} to be seen`, isSeen);
  await ns.patch('pods', pod.metadata.name, { metadata: { annotations: { 'longshore.dev/stop': 'enough' } } });
}

export const isOver = (history: NamespaceHistory, name: string): boolean =>
  history.get('tasks', name)?.status?.lastStatus === 'STOPPED';

/** How each task ended, without what differs from run to run. */
export const endsOf = (history: NamespaceHistory, of: readonly string[]): object =>
  Object.fromEntries(
    of.map((name) => {
      const object = history.get('tasks', name);
      const { taskDefinition: revision, tasks = [] } = object?.status ?? {};
      return [
        name,
        {
          revision,
          complete: conditionOf(object, 'Complete'),
          failed: conditionOf(object, 'Failed'),
          reason: readyCondition(object)?.reason,
          tasks: tasks.map(({ stopCode, stoppedReason, containers }) => {
            const codes = containers.map(({ name: container, exitCode }) => `${container} ${exitCode}`).sort();
            return `${stopCode}: ${stoppedReason}: ${codes.join(', ')}`;
          }),
        },
      ];
    }),
  );

const ended = (code: string, reason: string, ...tasks: string[]) => ({
  revision: 'once:1',
  complete: code,
  failed: code === 'True' ? 'False' : 'True',
  reason,
  tasks,
});

const exited = (code: number): string => `EssentialContainerExited: Essential container in task exited: app ${code}`;

/** A record that has said STOPPED says so for ever, in the same words. */
export function changedRecords(history: NamespaceHistory, of: readonly string[]): string[] {
  const first = new Map<string, string>();
  return of.flatMap((name) =>
    history.statesOf('tasks', name).flatMap(({ metadata, status }) =>
      (status?.tasks ?? []).flatMap((task) => {
        const text = JSON.stringify(task);
        const known = first.get(task.pod);
        if (task.lastStatus === 'STOPPED' && known === undefined) first.set(task.pod, text);
        return known === undefined || known === text
          ? []
          : [`at ${metadata.resourceVersion}: ${task.pod} was ${known} and is ${text}`];
      }),
    ),
  );
}

export const RUN_TASKS: Scenario = {
  run: async (ns) => {
    await ns.create(
      taskDefinition('once', {}, [{ name: 'app', image: 'busybox:1.36', memoryReservation: 8 }]),
      ...TASKS,
    );
    await Promise.all(['stopped', 'nowhere'].map((name) => stop(ns, name)));
    await ns.until('all to be STOPPED', () => names.every((name) => isOver(ns.history, name)));
  },
  end: (history) => endsOf(history, names),
  undisturbed: {
    good: ended('True', 'TasksSucceeded', exited(0), exited(0)),
    bad: ended('False', 'NonZeroExitCode', exited(3)),
    stopped: ended('False', 'UserInitiated', 'UserInitiated: enough: app 143'),
    nowhere: ended('False', 'UserInitiated', 'UserInitiated: enough: app undefined'),
  },
  violations: (history) => [...duplicates(history), ...changedRecords(history, names)],
  writes: 15,
};
