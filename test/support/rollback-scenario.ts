/** A deployment in progress that is rolled back on request: its end is known, whatever happens on the way. */
import type { CrashPoints } from './crash-points.ts';
import { duplicates, momentsOf, startsAboveBound, stopsBelowBound } from './invariants.ts';
import { kwok, service, taskDefinition } from './manifests.ts';
import type { NamespaceHistory } from './recorder.ts';
import { messagesOf, readyCondition, runningPods, untilSteady } from './services.ts';
import type { TestNamespace } from './suite.ts';

type Scenario = Omit<ConstructorParameters<typeof CrashPoints>[1], 'sample'>;

const statusOf = ({ history }: TestNamespace) => history.get('services', 'web')?.status;

/** Told twice, or not at all. */
function events(history: NamespaceHistory): string[] {
  const service = history.get('services', 'web');
  return messagesOf(service)
    .filter((text) => text.includes('deployment failed: ') || text.includes('rolling back to '))
    .map((text) => text.replaceAll(/\d{19}/g, 'N'))
    .sort();
}

export const ROLLBACK: Scenario = {
  run: async (ns) => {
    await ns.create(taskDefinition('web'), service('web'));
    await untilSteady(ns.history, 'web', 1);
    await ns.patch('taskdefinitions', 'web', {
      spec: { kubernetes: { podAnnotations: kwok({ readyAfter: '1h' }) } },
    });
    await ns.until('a task of the second revision', () => {
      const [primary] = statusOf(ns)?.deployments ?? [];
      return primary?.taskDefinition === 'web:2' && primary.runningCount === 1;
    });
    await ns.patch('services', 'web', { metadata: { annotations: { 'longshore.dev/rollback': 'enough' } } });
    await ns.until('the rollback', () => {
      const [primary, ...others] = statusOf(ns)?.deployments ?? [];
      const isBack = primary?.taskDefinition === 'web:1' && primary.rolloutState === 'COMPLETED';
      return isBack && others.length === 0 && runningPods(ns.history, 'web').length === 1;
    });
    await ns.until('the mark of its end', () =>
      ns.history
        .all('controllerrevisions')
        .some(({ metadata }) => metadata.annotations?.['longshore.dev/restored-after'] === '2'),
    );
  },
  end: (history) => ({
    revisions: runningPods(history, 'web').map(({ metadata }) => metadata.labels?.['longshore.dev/revision']),
    deployments: history
      .all('controllerrevisions')
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith('service-'))
      .sort(),
    reason: readyCondition(history.get('services', 'web'))?.reason,
    events: events(history),
  }),
  undisturbed: {
    revisions: ['1'],
    deployments: ['service-web-1', 'service-web-2'],
    reason: 'DeploymentFailed',
    events: [
      '(service web) (deployment ecs-svc/N) deployment failed: rollback requested.',
      '(service web) rolling back to deployment ecs-svc/N.',
    ],
  },
  violations: (history) => {
    const moments = momentsOf(history, 'web');
    return [...startsAboveBound(moments), ...stopsBelowBound(moments), ...duplicates(history)];
  },
  writes: 12,
};
