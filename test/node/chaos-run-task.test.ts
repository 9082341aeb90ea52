import { describe, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { shell } from '../support/containers.ts';
import { all, CrashPoints, KILLED } from '../support/crash-points.ts';
import { duplicates } from '../support/invariants.ts';
import { taskDefinition } from '../support/manifests.ts';
import { changedRecords, endsOf, isOver } from '../support/run-task-scenario.ts';
import { useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'the operator' : `the operator (skipped: ${why})`;

describe.skipIf(!possible)(title, { timeout: all ? 3_600_000 : 360_000 }, () => {
  const suite = useSuite({ nodes: 'real', operator: false });
  const points = new CrashPoints(suite, {
    run: async (ns) => {
      const first = shell('first', 'echo first; exit 5', { essential: false });
      // Neither the order of the list nor an init container can wait for an end with any code: a start barrier does.
      const app = shell('app', 'echo second; exit 0', {
        dependsOn: [{ containerName: 'first', condition: 'COMPLETE' }],
      });
      await ns.create(taskDefinition('once', {}, [app, first]), {
        kind: 'Task',
        name: 'once',
        spec: { taskDefinition: 'once' },
      });
      await ns.until('it to be STOPPED', () => isOver(ns.history, 'once'));
    },
    end: (history) => endsOf(history, ['once']),
    undisturbed: {
      once: {
        revision: 'once:1',
        complete: 'True',
        failed: 'False',
        reason: 'TasksSucceeded',
        tasks: ['EssentialContainerExited: Essential container in task exited: app 0, first 5'],
      },
    },
    violations: (history) => [...duplicates(history), ...changedRecords(history, ['once'])],
    writes: 8,
    sample: 2,
  });

  it('killed at any one of its writes opens the start barrier of a task that is run once, and records its end', (context) =>
    points.check(context, KILLED));
});
