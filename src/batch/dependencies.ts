/** Whether a job may start, for the jobs it depends on (`ecs-semantics` §5.7). */
import type { JobDependency } from '../api/batch-depends-on.ts';
import type { JobStatus } from '../api/batch-job.ts';

/** Text: AWS. */
export const DEPENDENT_JOB_FAILED = 'Dependent Job failed';

/** Membership in a set of children. */
export interface Indexes {
  has(index: number): boolean;
}

/** What a dependency shows of itself. */
export interface DependencyView {
  readonly name: string;
  readonly uid: string;
  readonly status: JobStatus;
  /** Children; absent for a single job. */
  readonly size?: number | undefined;
  readonly succeeded: Indexes;
  readonly failed: Indexes;
  /** Its own dependencies, to find cycles. */
  readonly dependsOn: readonly JobDependency[];
}

export interface DependentJob {
  readonly name: string;
  readonly uid: string;
  /** Children; absent for a single job. */
  readonly size?: number | undefined;
  readonly dependsOn: readonly JobDependency[];
}

/** Jobs of a name or UID: none while it does not exist, several when one name has several. */
export type FindJobs = (reference: string) => readonly DependencyView[];

export type Gate = 'open' | 'waiting' | 'failed';

export type DependencyRefusal =
  | 'AmbiguousDependency'
  | 'DependencyCycle'
  | 'DependencyHasNoSuchChild'
  | 'DependencyNotAnArray'
  | 'DependencyOfOtherSize';

type Whole =
  /** Nothing that concerns the job as a whole holds it back; of an array's children, `gate` tells. */
  | { readonly kind: 'open' }
  /** `isUnknown`: one of those it waits for does not exist. */
  | { readonly kind: 'waiting'; readonly because: string; readonly isUnknown: boolean }
  | { readonly kind: 'failed'; readonly because: string }
  /** It can never start as it is. */
  | { readonly kind: 'refused'; readonly reason: DependencyRefusal; readonly message: string };

export type Dependencies = Whole & {
  /** What a child waits for, where the job as a whole does not wait. */
  readonly byIndex: string;
  /**
   * Of one child. Without dependencies by index, it is what `kind` says.
   * @param own the children of the job itself that have ended; may change between calls, and SEQUENTIAL follows it.
   */
  readonly gate: (index: number, own: { readonly succeeded: Indexes; readonly failed: Indexes }) => Gate;
};

type Refusal = Extract<Whole, { kind: 'refused' }>;

/** One dependency of the job as a whole: satisfied when absent. */
interface Unmet {
  readonly gate: Exclude<Gate, 'open'>;
  readonly what: string;
  readonly isUnknown?: boolean;
}

const isOver = ({ status }: DependencyView): boolean => status === 'SUCCEEDED' || status === 'FAILED';

/** "build:3" is child 3 of build. */
function split(jobId: string): { readonly reference: string; readonly index?: number } {
  const [reference = jobId, index] = jobId.split(':');
  return index === undefined ? { reference } : { reference, index: Number(index) };
}

/** A job that is over has no children that still may do something, whatever it has on record of them. */
function gateOfChild({ status, succeeded, failed }: DependencyView, index: number): Gate {
  if (status === 'SUCCEEDED' || succeeded.has(index)) return 'open';
  return status === 'FAILED' || failed.has(index) ? 'failed' : 'waiting';
}

function gateOfJob({ status }: DependencyView): Gate {
  if (status === 'SUCCEEDED') return 'open';
  return status === 'FAILED' ? 'failed' : 'waiting';
}

/**
 * Costs as much as the job has dependencies, and as its unfinished dependencies have among them; never as much as an array has
 * children. A dependency that has succeeded holds nothing back; one that does not exist is waited for. So ask only for
 * what has not started yet: a dependency may be deleted once it was satisfied.
 */
export function resolveDependencies(job: DependentJob, find: FindJobs): Dependencies {
  const unmet: Unmet[] = [];
  const arrays: DependencyView[] = [];
  let sequential = false;
  let unfinished = false;

  for (const { jobId, type } of job.dependsOn) {
    if (jobId === undefined) {
      sequential = true;
      continue;
    }
    const { reference, index } = split(jobId);
    const found = find(reference);
    const [dependency] = found;
    if (dependency === undefined) {
      unmet.push({ gate: 'waiting', what: `job ${jobId}, which does not exist yet`, isUnknown: true });
      continue;
    }
    if (found.length > 1) return refused(ambiguous(reference, found));
    const mismatch = type === 'N_TO_N' ? otherSize(job, dependency) : noSuchChild(dependency, index);
    if (mismatch !== undefined) return refused(mismatch);
    unfinished ||= !isOver(dependency);
    if (type === 'N_TO_N') {
      arrays.push(dependency);
      continue;
    }
    const gate = index === undefined ? gateOfJob(dependency) : gateOfChild(dependency, index);
    if (gate !== 'open') unmet.push({ gate, what: `job ${jobId} (${dependency.status})` });
  }

  const cycle = unfinished ? cycleOf(job, find) : undefined;
  if (cycle !== undefined) {
    return refused({
      kind: 'refused',
      reason: 'DependencyCycle',
      message: `jobs wait for each other in a cycle: ${cycle.join(' → ')}`,
    });
  }
  const whole = verdict(unmet);
  const siblings = sequential ? ['the child before it'] : [];
  const children = arrays
    .filter((array) => !isOver(array))
    .map(({ name, status }) => `the same child of job ${name} (${status})`);
  return {
    ...whole,
    byIndex: `waiting for ${[...children, ...siblings].join(', and for ')}`,
    gate: (index, own) => {
      if (whole.kind !== 'open') return whole.kind;
      const gates = arrays.map((array) => gateOfChild(array, index));
      if (sequential && index > 0) gates.push(gateAfter(index - 1, own));
      return gates.includes('failed') ? 'failed' : gates.includes('waiting') ? 'waiting' : 'open';
    },
  };
}

const gateAfter = (index: number, { succeeded, failed }: { succeeded: Indexes; failed: Indexes }): Gate =>
  succeeded.has(index) ? 'open' : failed.has(index) ? 'failed' : 'waiting';

/** One that failed decides at once: AWS fails the dependent job whatever else it waits for. */
function verdict(unmet: readonly Unmet[]): Exclude<Whole, Refusal> {
  const failed = unmet.find(({ gate }) => gate === 'failed');
  if (failed !== undefined) return { kind: 'failed', because: `it depends on ${failed.what}` };
  const [first, ...others] = unmet;
  if (first === undefined) return { kind: 'open' };
  const more = others.length === 0 ? '' : `, and for ${others.length} more`;
  const isUnknown = unmet.some((each) => each.isUnknown);
  return { kind: 'waiting', because: `waiting for ${first.what}${more}`, isUnknown };
}

const refused = (refusal: Refusal): Dependencies => ({ ...refusal, byIndex: refusal.message, gate: () => 'waiting' });

const ambiguous = (reference: string, found: readonly DependencyView[]): Refusal => ({
  kind: 'refused',
  reason: 'AmbiguousDependency',
  message: `${found.length} jobs have the name ${reference}; name one by its UID: ${found
    .slice(0, 5)
    .map(({ uid }) => uid)
    .join(', ')}${found.length > 5 ? ', …' : ''}`,
});

function otherSize(job: DependentJob, dependency: DependencyView): Refusal | undefined {
  if (dependency.size === job.size) return undefined;
  const { name, size } = dependency;
  if (size === undefined) {
    const message = `job ${name} is no array, so that a dependency on it cannot have the type N_TO_N`;
    return { kind: 'refused', reason: 'DependencyNotAnArray', message };
  }
  const message = `N_TO_N needs arrays of one size: job ${name} has ${size} children, this one ${job.size ?? 'none'}`;
  return { kind: 'refused', reason: 'DependencyOfOtherSize', message };
}

function noSuchChild({ name, size }: DependencyView, index: number | undefined): Refusal | undefined {
  if (index === undefined || (size !== undefined && index < size)) return undefined;
  if (size === undefined) {
    return {
      kind: 'refused',
      reason: 'DependencyNotAnArray',
      message: `job ${name} is no array: it has no child ${index}`,
    };
  }
  const message = `job ${name} has the children 0 to ${size - 1}, and no child ${index}`;
  return { kind: 'refused', reason: 'DependencyHasNoSuchChild', message };
}

/**
 * The shortest way from the job back to itself, by name. Jobs that are over wait for nothing, and whoever is ambiguous
 * is told so by itself. Which children wait does not matter: of jobs in a cycle at least one child can never start.
 */
function cycleOf(job: DependentJob, find: FindJobs): string[] | undefined {
  interface Step {
    readonly name: string;
    readonly dependsOn: readonly JobDependency[];
    readonly from?: Step;
  }
  const seen = new Set<string>();
  const queue: Step[] = [job];
  for (const step of queue) {
    for (const { jobId } of step.dependsOn) {
      if (jobId === undefined) continue;
      const [next, ...others] = find(split(jobId).reference);
      if (next === undefined || others.length > 0 || isOver(next) || seen.has(next.uid)) continue;
      if (next.uid === job.uid) {
        const names = [job.name];
        for (let at: Step | undefined = step; at !== undefined; at = at.from) names.unshift(at.name);
        return names;
      }
      seen.add(next.uid);
      queue.push({ name: next.name, dependsOn: next.dependsOn, from: step });
    }
  }
  return undefined;
}
