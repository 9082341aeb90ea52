/** A piece of work whose end is known, and what must hold of its history whatever happened on the way. */
import {
  deploymentIdOf,
  duplicates,
  isEnded,
  momentsOf,
  rerunsAfterSuccess,
  slotOf,
  startsAboveBound,
  statusRegressions,
  stopsBelowBound,
  unrecordedStops,
} from './invariants.ts';
import { kwok, service, taskDefinition } from './manifests.ts';
import type { NamespaceHistory, Pod } from './recorder.ts';
import { countsOf, podsOf, untilSteady } from './services.ts';
import type { TestNamespace } from './suite.ts';

const ARRAY = 3;

/** A task definition beside the work, which does not count. */
export const BYSTANDER = 'bystander';

const batchJob = {
  kind: 'BatchJob',
  name: 'array',
  spec: {
    arrayProperties: { size: ARRAY },
    containerProperties: {
      image: 'busybox:1.36',
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
    },
    retryStrategy: { attempts: 3 },
  },
} as const;

export interface ScenarioOptions {
  readonly desiredCount: number;
  /** Of the service; default AWS's own. */
  readonly deploymentConfiguration?: object;
  /** How long a task of the second revision takes to be ready; default 300ms. */
  readonly readyAfter?: string;
}

/** In two batches of two at least, so that there is a middle to break. */
export const TWO_BATCHES: ScenarioOptions = {
  desiredCount: 4,
  deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 150 },
  readyAfter: '2s',
};

/** A service that becomes steady and is rolled to a second revision, beside an array job. Ends where all is done. */
export async function rollBesideJob(ns: TestNamespace, options: ScenarioOptions): Promise<void> {
  await beginRollBesideJob(ns, options);
  await endRollBesideJob(ns, options);
}

/** Until the first revision is steady and the second is asked for. */
export async function beginRollBesideJob(ns: TestNamespace, options: ScenarioOptions): Promise<void> {
  const { desiredCount, deploymentConfiguration = {}, readyAfter = '300ms' } = options;
  await ns.create(taskDefinition('web'), service('web', { desiredCount, deploymentConfiguration }), batchJob);
  await untilSteady(ns.history, 'web', desiredCount);
  const podAnnotations = kwok({ readyAfter });
  await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: { podAnnotations } } });
}

/** The first tasks of the second revision are there, and tasks of the first, too. */
export const untilMidway = (ns: TestNamespace): Promise<unknown> =>
  ns.until('the rollout to be under way', () => new Set(podsOf(ns.history, 'web').map(deploymentIdOf)).size === 2);

export async function endRollBesideJob(ns: TestNamespace, { desiredCount }: ScenarioOptions): Promise<void> {
  const { history } = ns;
  await ns.until('the second revision to be steady', () => {
    const status = history.get('services', 'web')?.status;
    const [primary, ...others] = status?.deployments ?? [];
    return (
      others.length === 0 &&
      primary?.taskDefinition === 'web:2' &&
      primary.rolloutState === 'COMPLETED' &&
      countsOf(primary) === `${desiredCount}/0/${desiredCount}`
    );
  });
  await ns.until('the job to succeed', () => history.get('batchjobs', 'array')?.status?.status === 'SUCCEEDED');
  await ns.until('the old tasks to be swept', () => podsOf(history, 'web').every((pod) => !isEnded(pod)));
}

const isOf =
  (kind: 'service' | 'batch-job', name: string) =>
  ({ metadata }: Pod): boolean =>
    metadata.labels?.[`longshore.dev/${kind}`] === name;

/** What is there when all is done, without the names that differ from run to run. */
export function endOf(history: NamespaceHistory): object {
  const tasks = history.all('pods').filter(({ metadata }) => metadata.labels?.['longshore.dev/task'] !== undefined);
  const web = tasks.filter(isOf('service', 'web'));
  const array = tasks.filter(isOf('batch-job', 'array'));
  return {
    slots: new Set(web.map(slotOf)).size,
    tasks: web.length,
    deployments: new Set(web.map(deploymentIdOf)).size,
    attempts: array.map(({ metadata, status }) => `${metadata.name} ${status?.phase}`).sort(),
    orphans: tasks.filter((pod) => !web.includes(pod) && !array.includes(pod)).map(({ metadata }) => metadata.name),
    revisions: history
      .all('controllerrevisions')
      .map(({ metadata }) => metadata.name)
      .filter((name) => !name.includes(BYSTANDER))
      .sort(),
    succeeded: history.get('batchjobs', 'array')?.status?.succeededIndexes,
  };
}

/** What `endOf` gives, had nothing been in the way. */
export const undisturbedEnd = ({ desiredCount }: ScenarioOptions): object => ({
  slots: desiredCount,
  tasks: desiredCount,
  deployments: 1,
  attempts: Array.from({ length: ARRAY }, (_, index) => `array-${index}-1 Succeeded`),
  orphans: [],
  revisions: ['service-web-1', 'service-web-2', 'taskdefinition-web-1', 'taskdefinition-web-2'],
  succeeded: `0-${ARRAY - 1}`,
});

/** What was wrong on the way, in words. */
export function violationsOf(history: NamespaceHistory): string[] {
  const moments = momentsOf(history, 'web');
  return [
    ...startsAboveBound(moments),
    ...stopsBelowBound(moments),
    ...duplicates(history),
    ...unrecordedStops(history, 'web'),
    ...rerunsAfterSuccess(history),
    ...statusRegressions(history, 'web'),
  ];
}
