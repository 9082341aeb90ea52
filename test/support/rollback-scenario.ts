/** A deployment in progress that is rolled back, on request or by an alarm: its end is known, whatever happens on the way. */
import type { CrashPoints } from './crash-points.ts';
import { duplicates, momentsOf, startsAboveBound, stopsBelowBound } from './invariants.ts';
import { cluster, kwok, service, taskDefinition } from './manifests.ts';
import type { PrometheusServer } from './prometheus.ts';
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

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const imageId = `docker.io/library/httpd@${DIGEST}`;
const READY = { kubernetes: { podAnnotations: kwok({ imageId }) } };
const NEVER_READY = { kubernetes: { podAnnotations: kwok({ imageId, readyAfter: '1h' }) } };

async function untilRolling(ns: TestNamespace): Promise<void> {
  await ns.patch('taskdefinitions', 'web', { spec: NEVER_READY });
  await ns.until('a task of the second revision', () => {
    const [primary] = statusOf(ns)?.deployments ?? [];
    return primary?.taskDefinition === 'web:2' && primary.runningCount === 1;
  });
}

async function untilBack(ns: TestNamespace): Promise<void> {
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
}

const rollback = (because: string, run: Scenario['run']): Scenario => ({
  run,
  end: (history) => ({
    revisions: runningPods(history, 'web').map(({ metadata }) => metadata.labels?.['longshore.dev/revision']),
    deployments: history
      .all('controllerrevisions')
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith('service-'))
      .sort(),
    images: history.get('controllerrevisions', 'service-web-1')?.metadata.annotations?.['longshore.dev/image-digests'],
    reason: readyCondition(history.get('services', 'web'))?.reason,
    events: events(history),
  }),
  undisturbed: {
    revisions: ['1'],
    deployments: ['service-web-1', 'service-web-2'],
    images: JSON.stringify({ web: ['httpd:2.4', `httpd@${DIGEST}`] }),
    reason: 'DeploymentFailed',
    events: [
      `(service web) (deployment ecs-svc/N) deployment failed: ${because}.`,
      '(service web) rolling back to deployment ecs-svc/N.',
    ],
  },
  violations: (history) => {
    const moments = momentsOf(history, 'web');
    return [...startsAboveBound(moments), ...stopsBelowBound(moments), ...duplicates(history)];
  },
  writes: 12,
});

export const ROLLBACK = rollback('rollback requested', async (ns) => {
  await ns.create(taskDefinition('web', READY), service('web'));
  await untilSteady(ns.history, 'web', 1);
  await untilRolling(ns);
  await ns.patch('services', 'web', { metadata: { annotations: { 'longshore.dev/rollback': 'enough' } } });
  await untilBack(ns);
});

/** An alarm that is in ALARM no longer than it takes to be seen. */
export const alarmed = (prometheus: () => PrometheusServer): Scenario =>
  rollback('alarm detected', async (ns) => {
    const query = `errors{namespace="${ns.name}"}`;
    const alarmEvaluation = { prometheusUrl: prometheus().url, intervalSeconds: 1, timeoutSeconds: 30 };
    const alarms = { alarmNames: ['errors'], enable: true, rollback: true };
    await ns.create(
      cluster('prod', { mappings: { alarms: [{ alarmName: 'errors', query }], alarmEvaluation } }),
      taskDefinition('web', READY),
      service('web', { deploymentConfiguration: { alarms, bakeTimeInMinutes: 0 } }),
    );
    await untilSteady(ns.history, 'web', 1);
    await untilRolling(ns);
    prometheus().firing.add(query);
    await ns.until('the record of the alarm', () =>
      ns.history
        .all('controllerrevisions')
        .some(({ metadata }) => metadata.annotations?.['longshore.dev/alarms']?.includes('firedAt')),
    );
    prometheus().firing.delete(query);
    await untilBack(ns);
  });
