/** A schedule that runs once, whose run succeeds and is forgotten; the same end, whatever happens on the way. */
import type { CrashPoints } from './crash-points.ts';
import { duplicates } from './invariants.ts';
import { kwok, taskDefinition } from './manifests.ts';
import type { NamespaceHistory } from './recorder.ts';

type Scenario = Omit<ConstructorParameters<typeof CrashPoints>[1], 'sample'>;

const NAME = 'hourly';

const tasksMade = (history: NamespaceHistory): string[] => [
  ...new Set(history.entries.flatMap(({ kind, object }) => (kind === 'tasks' ? `${object.metadata.uid}` : []))),
];

export const SCHEDULED: Scenario = {
  run: async (ns) => {
    await ns.create(taskDefinition('once', {}, [{ name: 'app', image: 'busybox:1.36', memoryReservation: 8 }]), {
      kind: 'ScheduledTask',
      name: NAME,
      spec: {
        scheduleExpression: 'rate(1 hour)',
        target: {
          runTask: {
            taskDefinition: 'once',
            kubernetes: { podAnnotations: kwok({ exitAfter: '300ms', exitCode: 0 }) },
          },
        },
        kubernetes: { successfulJobsHistoryLimit: 0 },
      },
    });
    const isForgotten = (): boolean => {
      const { history, activeCount } = ns.history.get('scheduledtasks', NAME)?.status ?? {};
      return history?.length === 1 && activeCount === 0 && ns.history.all('tasks').length === 0;
    };
    // Two operators start one after the other.
    await ns.until('the run to be over and forgotten', isForgotten, 170_000);
  },
  end: (history) => {
    const { missedRuns, activeCount, history: runs = [] } = history.get('scheduledtasks', NAME)?.status ?? {};
    return {
      missedRuns,
      activeCount,
      runs: runs.map(({ kind, result }) => `${kind} ${result}`),
      tasks: history.all('tasks').length,
    };
  },
  undisturbed: { missedRuns: 0, activeCount: 0, runs: ['Task SUCCEEDED'], tasks: 0 },
  violations: (history) => [
    ...duplicates(history),
    ...(tasksMade(history).length === 1 ? [] : [`Tasks were made: ${tasksMade(history).join(', ')}`]),
  ],
  writes: 7,
};
