/** What must hold of a simulated BatchJob at every step and at its end, in words where it does not. */
import type { ChildAttempt, JobTask } from '../../src/batch/attempt.ts';
import { isJobOver, type JobPlan, type JobRecord } from '../../src/batch/job.ts';
import { retryVerdict } from '../../src/batch/retry.ts';
import { jobRecord } from '../../src/controllers/batch-job-status.ts';
import { keyOf, type SimulatedJob } from './simulated-job.ts';

type Rule = readonly [holds: boolean, otherwise: string];

const broken = (rules: readonly Rule[]): string[] => rules.flatMap(([holds, otherwise]) => (holds ? [] : [otherwise]));

/** Once said, said for ever. */
export function brokenByRecord(before: JobRecord, after: JobRecord): string[] {
  const outcome = ({ ledger }: JobRecord, index: number): string =>
    ledger.hasSucceeded(index) ? 'succeeded' : ledger.hasFailed(index) ? 'failed' : 'open';
  const rules: Rule[] = [
    [!isJobOver(before.status) || before.status === after.status, `${before.status} became ${after.status}`],
  ];
  for (let index = 0; index < before.ledger.size; index++) {
    const [was, is] = [outcome(before, index), outcome(after, index)];
    rules.push([was === 'open' || was === is, `child ${index} was ${was}, and is ${is}`]);
    rules.push([before.ledger.made(index) <= after.ledger.made(index), `attempts of child ${index} went down`]);
  }
  return broken(rules);
}

export function brokenByPlan({ job, size, pods, others }: SimulatedJob, plan: JobPlan<JobTask>): string[] {
  const sum = Object.values(plan.statusSummary).reduce((a, b) => a + b, 0);
  const { dependsOn = [], retryStrategy: { attempts = 1 } = {} } = job.spec ?? {};
  const { ledger } = jobRecord(job);
  const isSequential = dependsOn.some(({ type }) => type === 'SEQUENTIAL');
  const rules = plan.starts.flatMap(({ index = 0, attempt }): Rule[] => [
    [attempt <= attempts, `attempt ${attempt} of ${attempts} is started`],
    [!ledger.isOver(index), `child ${index} is over, and started`],
    [
      !isSequential || index === 0 || plan.record.ledger.hasSucceeded(index - 1),
      `child ${index} is started before its turn`,
    ],
    ...dependsOn.flatMap(({ jobId, type }): Rule[] => {
      const other = others().find(({ name }) => name === jobId);
      if (jobId === undefined || attempt > 1) return [];
      if (type === 'N_TO_N')
        return [[other?.succeeded.has(index) === true, `child ${index} is started before that of ${jobId}`]];
      const isFirst = !ledger.hasBegun() && pods.size === 0;
      return [[!isFirst || other?.status === 'SUCCEEDED', `it is started before ${jobId}`]];
    }),
  ]);
  return broken([[sum === size, `the summary counts ${sum} of ${size} children`], ...rules]);
}

const isSuccess = (result: ChildAttempt | undefined): boolean =>
  result?.exitCode === 0 && result.statusReason === 'Essential container in task exited';

/** Every child is over, by its last attempt; every attempt is on record once, with its exit. */
export function brokenAtEnd({ job, size, results, exits, isArray }: SimulatedJob): string[] {
  const { ledger, status, attempts } = jobRecord(job);
  const all = isArray ? [...results.values()] : attempts.map((attempt) => ({ index: 0, ...attempt }));
  const strategy = { evaluateOnExit: [], ...job.spec?.retryStrategy, attempts: job.spec?.retryStrategy.attempts ?? 1 };
  const isFollowed = (result: ChildAttempt): boolean => retryVerdict(strategy, result.attempt, result).retry;
  const isAsked = Object.keys(job.annotations).length > 0;
  const children = Array.from({ length: size }, (_, index) => index);
  const rules = children.flatMap((index): Rule[] => {
    // It ended without an attempt that anybody remembers; the result of one may have been written just before.
    if (ledger.hasFailed(index) && results.has(`${index}.0`)) return [];
    const own = all.filter((result) => result.index === index && result.attempt > 0);
    own.sort((a, b) => a.attempt - b.attempt);
    const last = own.at(-1);
    const isFinal =
      isAsked ||
      last === undefined ||
      isSuccess(last) ||
      !isFollowed(last) ||
      last.statusReason === 'Job attempt duration exceeded timeout';
    return [
      [ledger.isOver(index), `child ${index} is lost`],
      [own.every(({ attempt }, at) => attempt === at + 1), `attempts of child ${index} are not all on record`],
      [ledger.hasSucceeded(index) === isSuccess(last), `child ${index} is counted wrongly`],
      [isFinal, `child ${index} was to be tried again`],
      ...own.flatMap((result): Rule[] => {
        const key = keyOf(result);
        const exit = exits.get(key) ?? result.exitCode;
        return [
          [result === last || !isSuccess(result), `child ${index} ran again after its success`],
          [result === last || isFollowed(result), `${key} was not to be followed`],
          [result.exitCode === exit, `${key} exited with ${exit}, and not with ${result.exitCode}`],
        ];
      }),
    ];
  });
  const failed = children.filter((index) => ledger.hasFailed(index)).length;
  return broken([
    [status === (failed === 0 ? 'SUCCEEDED' : 'FAILED'), `${failed} failed, and it is ${status}`],
    ...rules,
  ]);
}
