/**
 * Who starts next: jobs wait in queues, and queues share compute environments (`ecs-semantics §5.9, §5.10`). One pure
 * function: what waits and what is in use in, what may start and why the rest waits out.
 */
import { type FairShare, nextShare } from './fair-share.ts';

/** What a child takes, and what an environment has. Infinity: no ceiling. */
export interface Resources {
  /** vCPUs, in fractions. */
  readonly vcpus: number;
  /** MiB. */
  readonly memory: number;
}

export interface Environment {
  readonly name: string;
  /** DISABLED ones take nothing more. */
  readonly isEnabled: boolean;
  readonly limit: Resources;
  /** Of what has a pod, and of what may start and has none yet. */
  readonly used: Resources;
  /** Namespaces that may use it; absent: all. */
  readonly namespaces?: readonly string[] | undefined;
}

/** A job, or what of an array's children may start now: all need the same. */
export interface Waiting {
  /** UID of the BatchJob. */
  readonly job: string;
  readonly name: string;
  readonly need: Resources;
  /** How many wait. */
  readonly count: number;
  /** How many of them have failed before: they are at the front of the queue. */
  readonly retries: number;
  /** Epoch milliseconds. */
  readonly submittedAt: number;
  /** shareIdentifier; '' in a queue without a policy. */
  readonly share: string;
  /** 0 to 9999: within one share, the highest first. */
  readonly schedulingPriority: number;
}

export interface Queue {
  /** `<namespace>/<AWS name>`. */
  readonly key: string;
  readonly namespace: string;
  /** The highest first. */
  readonly priority: number;
  /** Epoch milliseconds; of queues of one priority, the oldest first. */
  readonly createdAt: number;
  /** Names, in their order. */
  readonly environments: readonly string[];
  /** Absent: first in, first out. */
  readonly fairShare?: FairShare | undefined;
  readonly waiting: readonly Waiting[];
}

export interface Grant {
  readonly job: string;
  readonly environment: string;
  readonly count: number;
}

export type BlockedReason =
  /** Room will come when others end. */
  | 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY'
  /** It needs more than any of its environments may ever have. */
  | 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE'
  /** No environment takes anything: DISABLED, missing, or not for this namespace. */
  | 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT';

/** The job at the head of its queue that nothing has room for. */
export interface Blocked {
  readonly queue: string;
  readonly job: string;
  readonly reason: BlockedReason;
  readonly message: string;
}

export interface Dispatch {
  readonly grants: readonly Grant[];
  readonly blocked: readonly Blocked[];
}

/** Rounding of fractions of vCPUs must not keep out what fits exactly. */
const EPSILON = 1e-6;

interface Room {
  readonly environment: Environment;
  used: Resources;
  /** A job of a queue before this one waits for it. */
  isAwaited: boolean;
}

export function dispatch(queues: readonly Queue[], environments: readonly Environment[], now: number): Dispatch {
  const rooms = new Map<string, Room>(
    environments.map((environment) => [environment.name, { environment, used: environment.used, isAwaited: false }]),
  );
  const grants = new Map<string, Grant>();
  const blocked: Blocked[] = [];
  const inOrder = [...queues].sort(
    (a, b) => b.priority - a.priority || a.createdAt - b.createdAt || (a.key < b.key ? -1 : 1),
  );
  for (const queue of inOrder) {
    const order = orderOf(queue, now);
    const own = queue.environments.flatMap((name) => {
      const room = rooms.get(name);
      return room !== undefined && takes(room.environment, queue) ? [room] : [];
    });
    for (let head = order.head(); head !== undefined; head = order.head()) {
      const { job, need } = head;
      const room = own.find((each) => !each.isAwaited && fitting(each, need, 1, order.reserved(each.environment)) > 0);
      if (room === undefined) {
        blocked.push({ queue: queue.key, job, ...whyBlocked(queue, own, head) });
        // What ends next makes room for this one, and not for a job of a queue behind.
        for (const each of own) if (fits(each.environment.limit, need)) each.isAwaited = true;
        break;
      }
      const count = fitting(room, need, order.most(), order.reserved(room.environment));
      room.used = plus(room.used, need, count);
      order.take(count);
      const key = `${job}/${room.environment.name}`;
      grants.set(key, { job, environment: room.environment.name, count: (grants.get(key)?.count ?? 0) + count });
    }
  }
  return { grants: [...grants.values()], blocked };
}

const takes = ({ isEnabled, namespaces }: Environment, { namespace }: Queue): boolean =>
  isEnabled && (namespaces === undefined || namespaces.includes(namespace));

const fits = (limit: Resources, { vcpus, memory }: Resources): boolean =>
  vcpus <= limit.vcpus + EPSILON && memory <= limit.memory;

const plus = (used: Resources, { vcpus, memory }: Resources, count: number): Resources => ({
  vcpus: used.vcpus + vcpus * count,
  memory: used.memory + memory * count,
});

/** How many of them fit, up to `most`. @param reserved vCPUs that are kept free for others. */
function fitting({ environment, used }: Room, need: Resources, most: number, reserved: number): number {
  const { limit } = environment;
  const byVcpus = need.vcpus === 0 ? Infinity : (limit.vcpus - reserved - used.vcpus + EPSILON) / need.vcpus;
  const byMemory = need.memory === 0 ? Infinity : (limit.memory - used.memory) / need.memory;
  return Math.max(0, Math.min(most, Math.floor(byVcpus), Math.floor(byMemory)));
}

function whyBlocked(queue: Queue, own: readonly Room[], { need }: Waiting): Pick<Blocked, 'reason' | 'message'> {
  const needs = `it needs ${need.vcpus} vCPU and ${need.memory} MiB`;
  if (own.length === 0) {
    const names = queue.environments.join(', ');
    const message = `no compute environment of the queue takes jobs of namespace ${queue.namespace} now: ${names}`;
    return { reason: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT', message };
  }
  const most = own.map(({ environment: { name, limit } }) => `${name} has ${limit.vcpus} vCPU and ${limit.memory} MiB`);
  if (!own.some(({ environment }) => fits(environment.limit, need)))
    return { reason: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE', message: `${needs}; ${most.join(', ')}` };
  const used = own.map(({ environment: { name, limit }, used: { vcpus, memory } }) => {
    return `${vcpus} of ${limit.vcpus} vCPU and ${memory} of ${limit.memory} MiB of ${name} are taken`;
  });
  return { reason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY', message: `${needs}; ${used.join(', ')}` };
}

/** The jobs of a queue as they come to its head. */
interface Order {
  head(): Waiting | undefined;
  /** How many of the head may go before another one is at the head. */
  most(): number;
  take(count: number): void;
  /** vCPUs of an environment that the queue keeps free. */
  reserved(environment: Environment): number;
}

const orderOf = (queue: Queue, now: number): Order =>
  queue.fairShare === undefined ? firstInFirstOut(queue.waiting) : byShares(queue.fairShare, queue.waiting, now);

/** A failed attempt goes back to the front (`ecs-semantics §5.3`). */
const bySubmission = (a: Waiting, b: Waiting): number =>
  Math.sign(b.retries) - Math.sign(a.retries) || a.submittedAt - b.submittedAt || (a.name < b.name ? -1 : 1);

function firstInFirstOut(waiting: readonly Waiting[]): Order {
  const jobs = [...waiting].sort(bySubmission);
  let at = 0;
  let taken = 0;
  const head = (): Waiting | undefined => {
    while (jobs[at] !== undefined && taken >= (jobs[at] as Waiting).count) {
      at++;
      taken = 0;
    }
    return jobs[at];
  };
  return {
    head,
    most: () => (head()?.count ?? 0) - taken,
    take: (count) => {
      taken += count;
    },
    reserved: () => 0,
  };
}

function byShares(fairShare: FairShare, waiting: readonly Waiting[], now: number): Order {
  const orders = new Map(
    [...Map.groupBy(waiting, ({ share }) => share)].map(([share, jobs]) => [share, firstInFirstOutByPriority(jobs)]),
  );
  const state = nextShare(fairShare, [...orders.keys()], now);
  let current: string | undefined;
  const head = (): Waiting | undefined => {
    current = state.next((share) => orders.get(share)?.head() !== undefined);
    return current === undefined ? undefined : orders.get(current)?.head();
  };
  return {
    head,
    // One at a time: the next one may be another share's turn.
    most: () => 1,
    take: (count) => {
      const order = orders.get(current ?? '');
      const job = order?.head();
      if (order === undefined || job === undefined || current === undefined) return;
      order.take(count);
      state.add(current, job.need.vcpus * count);
    },
    reserved: ({ limit }) => state.reservedRatio() * (Number.isFinite(limit.vcpus) ? limit.vcpus : 0),
  };
}

function firstInFirstOutByPriority(waiting: readonly Waiting[]): Order {
  const ranks = [...Map.groupBy(waiting, ({ schedulingPriority }) => schedulingPriority)]
    .sort(([a], [b]) => b - a)
    .map(([, jobs]) => firstInFirstOut(jobs));
  const current = (): Order | undefined => ranks.find((order) => order.head() !== undefined);
  return {
    head: () => current()?.head(),
    most: () => current()?.most() ?? 0,
    take: (count) => current()?.take(count),
    reserved: () => 0,
  };
}
