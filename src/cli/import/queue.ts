/** A JobQueue from a job queue and, where it names one, the scheduling policy. */
import { ANNOTATIONS } from '../../api/meta.ts';
import { arnName, parseArn } from '../../api/names.ts';
import { isText, without } from '../fields.ts';
import { manifestOf } from '../manifest.ts';
import { RefusedError } from '../problem.ts';
import type { AwsInput, Change } from './aws-input.ts';
import type { Imported } from './objects.ts';

const policiesOf = (all: readonly AwsInput[]): AwsInput[] =>
  all.filter(({ action }) => action === 'CreateSchedulingPolicy');

const queuesOf = (all: readonly AwsInput[]): AwsInput[] => all.filter(({ action }) => action === 'CreateJobQueue');

const isNamedBy = (policy: AwsInput, { input: { schedulingPolicyArn } }: AwsInput): boolean =>
  isText(schedulingPolicyArn) && arnName(schedulingPolicyArn) === policy.input.name;

/** @throws RefusedError where the scheduling policy that it names is not among the inputs */
export function queueOf(queue: AwsInput, all: readonly AwsInput[], namespace: string | undefined): Imported {
  const { input, source, locate } = queue;
  const { jobQueueName, schedulingPolicyArn } = input;
  const spares = queue === queuesOf(all)[0] ? spared(all) : [];
  const manifest = manifestOf('JobQueue', String(jobQueueName), namespace, input);
  if (!isText(schedulingPolicyArn) || schedulingPolicyArn === '') {
    const spec = without(input, 'schedulingPolicyArn');
    return {
      manifest: { ...manifest, spec },
      source,
      changes: [...queue.changes, ...spares],
      place: (path) => ({ source, path: locate(path) }),
    };
  }
  const policy = policiesOf(all).find((one) => isNamedBy(one, queue));
  if (policy === undefined) {
    throw new RefusedError({
      source,
      path: locate(['schedulingPolicyArn']),
      message: `${JSON.stringify(schedulingPolicyArn)} is not among the files; a JobQueue has its scheduling policy in itself: give that as well, as create-scheduling-policy takes it or describe-scheduling-policies prints it`,
    });
  }
  const { tags, ...schedulingPolicy } = policy.input;
  const changes: Change[] = [
    {
      path: locate(['schedulingPolicyArn']),
      change: 'Converted',
      from: schedulingPolicyArn,
      to: { schedulingPolicy },
      reason: 'a JobQueue has its scheduling policy in itself',
    },
    ...(tags === undefined
      ? []
      : [
          {
            path: `${policy.locate(['tags'])} of the scheduling policy`,
            change: 'Dropped' as const,
            from: tags,
            reason: 'a scheduling policy is no object of its own',
          },
        ]),
  ];
  return {
    manifest: {
      ...manifest,
      metadata: {
        ...manifest.metadata,
        // In a template it may be a name.
        ...(parseArn(schedulingPolicyArn) !== undefined && {
          annotations: { [ANNOTATIONS.schedulingPolicy]: schedulingPolicyArn },
        }),
      },
      spec: { ...without(input, 'schedulingPolicyArn'), schedulingPolicy },
    },
    source,
    changes: [...queue.changes, ...policy.changes, ...changes, ...spares],
    place: ([field = '', ...rest]) =>
      field === 'schedulingPolicy'
        ? { source: policy.source, path: policy.locate(rest) }
        : { source, path: locate([field, ...rest]) },
  };
}

/** Policies that no queue names; the report of the first queue says so. */
function spared(all: readonly AwsInput[]): Change[] {
  return policiesOf(all)
    .filter((policy) => !queuesOf(all).some((queue) => isNamedBy(policy, queue)))
    .map(({ input: { name }, source, locate }) => ({
      path: locate([]) || source,
      change: 'Dropped',
      from: { name },
      reason: 'no job queue among the files names this scheduling policy',
    }));
}

/** @throws RefusedError where there is no queue to have it */
export function refuseLonePolicy({ source, locate }: AwsInput, all: readonly AwsInput[]): void {
  if (queuesOf(all).length > 0) return;
  const message =
    'is a scheduling policy, which a JobQueue has in itself: give the job queue that names it as well, as create-job-queue takes it or describe-job-queues prints it';
  throw new RefusedError({ source, path: locate([]), message });
}
