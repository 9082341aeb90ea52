/** What GetJobQueueSnapshot shows: the first jobs of a queue, and since when each has its place. */
import type { JobQueueStatus } from '../../api/job-queue.ts';
import { rfc3339 } from '../conditions.ts';
import type { JobQueueRecord, Runtime } from '../runtime.ts';

type FrontOfQueue = NonNullable<JobQueueStatus['frontOfQueue']>;

/** As many as on AWS. */
const MOST = 100;
/** It is written this often at most: what is ahead changes with each start. */
const INTERVAL_MS = 10_000;

export interface Front {
  readonly frontOfQueue?: FrontOfQueue;
  /** When it may be another one; milliseconds. */
  readonly againInMs?: number;
}

/** @param key of the queue, as the dispatcher knows it. */
export function frontOfQueue(
  { queueing, stores }: Runtime,
  { spec, status: { frontOfQueue: before } }: JobQueueRecord,
  key: string,
  now: number,
): Front {
  const since = before === undefined ? Infinity : now - Date.parse(before.lastUpdatedAt);
  const uids = queueing.dispatcher.frontOf(key, spec?.schedulingPolicy?.fairsharePolicy, MOST, now);
  if (uids.length === 0) return {};
  const isSame = before?.jobs.length === uids.length && before.jobs.every(({ job }, place) => job === uids[place]);
  if (before !== undefined && isSame) return { frontOfQueue: before };
  if (before !== undefined && since < INTERVAL_MS) return { frontOfQueue: before, againInMs: INTERVAL_MS - since };
  const time = rfc3339(now);
  return {
    frontOfQueue: {
      jobs: uids.map((job, place) => {
        const same = before?.jobs[place];
        return {
          job,
          name: stores.batchJobs.by('uid', job)[0]?.name ?? '',
          earliestTimeAtPosition: same?.job === job ? same.earliestTimeAtPosition : time,
        };
      }),
      lastUpdatedAt: time,
    },
  };
}
