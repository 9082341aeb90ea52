/** What waits where, as the dispatcher of queues sees it. */
import { dispatch, type Environment, type Queue } from '../../src/batch/dispatch.ts';
import { type Waiting, Waitlist } from '../../src/batch/waitlist.ts';

export const NOW = 1_000_000_000;
export const GIB = 1024;

export const environment = (name: string, vcpus: number, fields: Partial<Environment> = {}): Environment => ({
  name,
  isEnabled: true,
  limit: { vcpus, memory: vcpus * 4 * GIB },
  used: { vcpus: 0, memory: 0 },
  ...fields,
});

/** Of one vCPU and 1 GiB each. */
export const waiting = (job: string, count: number, fields: Partial<Waiting> = {}): Waiting => ({
  job,
  name: job,
  need: { vcpus: 1, memory: GIB },
  count,
  retries: 0,
  submittedAt: 0,
  share: '',
  schedulingPriority: 0,
  ...fields,
});

export const queue = (key: string, jobs: readonly Waiting[], fields: Partial<Omit<Queue, 'waiting'>> = {}): Queue => ({
  key,
  namespace: 'ns',
  priority: 1,
  createdAt: 0,
  environments: ['ce'],
  ...fields,
  waiting: new Waitlist(fields.fairShare !== undefined, jobs),
});

/** `<count> <job> in <environment>`, sorted. */
export const granted = (queues: readonly Queue[], ...environments: readonly Environment[]): string[] =>
  dispatch(queues, environments, NOW)
    .grants.map(({ job, environment: name, count }) => `${count} ${job} in ${name}`)
    .sort();
