/**
 * Who starts next: jobs wait in queues, and queues share compute environments (`ecs-semantics §5.9, §5.10`). One pure
 * function: what waits and what is in use in, what may start and why the rest waits out.
 */
import { type FairShare, turnsOf, type WaitingShare } from './fair-share.ts';
import type { Place, Resources, Waiting, Waitlist } from './waitlist.ts';

export interface Environment {
  readonly name: string;
  /** DISABLED ones take nothing more. */
  readonly isEnabled: boolean;
  readonly limit: Resources;
  /** Of one without a ceiling: the vCPUs that computeReservation is a part of. Absent: nothing is kept there. */
  readonly unmanagedVcpus?: number | undefined;
  /** Of what has a pod, and of what may start and has none yet. */
  readonly used: Resources;
  /** Namespaces that may use it; absent: all. */
  readonly namespaces?: readonly string[] | undefined;
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
  readonly waiting: Waitlist;
}

export interface Grant {
  readonly job: string;
  readonly environment: string;
  readonly count: number;
}

/** Why a queue is blocked (user guide, job_stuck_in_runnable); those that a jobStateTimeLimitAction may name, but for the first two. */
export type BlockedReason =
  /**
   * Room comes when others end. AWS has no reason for it: its CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY says that EC2 had no
   * instances, and never that an environment is at its maxvCpus. A jobStateTimeLimitAction of that reason cancels nothing here.
   */
  | 'COMPUTE_ENVIRONMENT_FULL'
  /** No environment takes anything: DISABLED, missing, or not for this namespace. */
  | 'ACTION_REQUIRED'
  /** It needs more vCPUs than any of its environments may ever have. */
  | 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE'
  /** It needs more memory than those have that have its vCPUs. */
  | 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT';

/** The job at the head of its queue that nothing has room for: all behind it wait for it. */
export interface Blocked {
  readonly queue: string;
  readonly job: string;
  readonly reason: BlockedReason;
  readonly message: string;
}

export interface Dispatch {
  readonly grants: readonly Grant[];
  readonly blocked: readonly Blocked[];
  /** Shares whose jobs wait until another one of their queue is no longer active: there are 500 already. */
  readonly crowdedOut: readonly { readonly queue: string; readonly shares: ReadonlySet<string> }[];
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
  const crowdedOut: Dispatch['crowdedOut'][number][] = [];
  const inOrder = [...queues].sort(
    (a, b) => b.priority - a.priority || a.createdAt - b.createdAt || (a.key < b.key ? -1 : 1),
  );
  for (const queue of inOrder) {
    const order = orderOf(queue, now);
    if (order.crowdedOut.length > 0) crowdedOut.push({ queue: queue.key, shares: new Set(order.crowdedOut) });
    const own = queue.environments.flatMap((name) => {
      const room = rooms.get(name);
      return room !== undefined && takes(room.environment, queue) ? [room] : [];
    });
    for (let head = order.head(); head !== undefined; head = order.head()) {
      const { job, need } = head;
      const room = own.find((each) => !each.isAwaited && fitting(each, need, 1, order.reserved(each.environment)) > 0);
      if (room === undefined) {
        blocked.push({ queue: queue.key, job, ...whyBlocked(queue, own, head, order) });
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
  return { grants: [...grants.values()], blocked, crowdedOut };
}

const takes = ({ isEnabled, namespaces }: Environment, { namespace }: Queue): boolean =>
  isEnabled && (namespaces === undefined || namespaces.includes(namespace));

const fits = (limit: Resources, { vcpus, memory }: Resources): boolean =>
  vcpus <= limit.vcpus + EPSILON && memory <= limit.memory;

const plus = (used: Resources, { vcpus, memory }: Resources, count: number): Resources => ({
  vcpus: used.vcpus + vcpus * count,
  memory: used.memory + memory * count,
});

const mostVcpus = ({ limit, unmanagedVcpus = 0 }: Environment): number =>
  Number.isFinite(limit.vcpus) ? limit.vcpus : unmanagedVcpus;

/** How many of them fit, up to `most`. @param reserved vCPUs that are kept free for others. */
function fitting({ environment, used }: Room, need: Resources, most: number, reserved: number): number {
  const { limit } = environment;
  const ceiling = reserved > 0 ? mostVcpus(environment) - reserved : limit.vcpus;
  const byVcpus = need.vcpus === 0 ? Infinity : (ceiling - used.vcpus + EPSILON) / need.vcpus;
  const byMemory = need.memory === 0 ? Infinity : (limit.memory - used.memory) / need.memory;
  return Math.max(0, Math.min(most, Math.floor(byVcpus), Math.floor(byMemory)));
}

function whyBlocked(
  queue: Queue,
  own: readonly Room[],
  { need }: Waiting,
  order: Order,
): Pick<Blocked, 'reason' | 'message'> {
  const needs = `it needs ${amountsOf(need)}`;
  if (own.length === 0) {
    const names = queue.environments.join(', ');
    const message = `no compute environment of the queue takes jobs of namespace ${queue.namespace} now: ${names}`;
    return { reason: 'ACTION_REQUIRED', message };
  }
  const most = own.map(({ environment: { name, limit } }) => `${name} has ${amountsOf(limit)}`);
  if (!own.some(({ environment: { limit } }) => need.vcpus <= limit.vcpus + EPSILON))
    return { reason: 'MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE', message: `${needs}; ${most.join(', ')}` };
  if (!own.some(({ environment }) => fits(environment.limit, need)))
    return { reason: 'MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT', message: `${needs}; ${most.join(', ')}` };
  const used = own.map(({ environment, used: { vcpus, memory } }) => {
    const { name, limit } = environment;
    const reserved = order.reserved(environment);
    const kept = reserved > 0 ? `, ${Number(reserved.toFixed(3))} vCPU are kept for shares that are not active` : '';
    const taken = [
      ...(Number.isFinite(limit.vcpus) ? [`${Number(vcpus.toFixed(3))} of ${limit.vcpus} vCPU`] : []),
      ...(Number.isFinite(limit.memory) ? [`${memory} of ${limit.memory} MiB`] : []),
    ];
    return `${taken.join(' and ')} of ${name} are taken${kept}`;
  });
  return { reason: 'COMPUTE_ENVIRONMENT_FULL', message: `${needs}; ${used.join(', ')}` };
}

const amountsOf = ({ vcpus, memory }: Resources): string =>
  [...(Number.isFinite(vcpus) ? [`${vcpus} vCPU`] : []), ...(Number.isFinite(memory) ? [`${memory} MiB`] : [])].join(
    ' and ',
  );

/** The jobs of a queue as they come to its head. */
interface Order {
  head(): Waiting | undefined;
  /** How many of the head may go before another one is at the head. */
  most(): number;
  take(count: number): void;
  /** vCPUs of an environment that the queue keeps free. */
  reserved(environment: Environment): number;
  /** Shares that get no turn. */
  readonly crowdedOut: readonly string[];
}

const orderOf = ({ fairShare, waiting }: Pick<Queue, 'fairShare' | 'waiting'>, now: number): Order =>
  fairShare === undefined ? inOneLine(waiting.lines.get('') ?? []) : byShares(fairShare, waiting.lines, now);

/** Of shares it is found out attempt by attempt: a look at so many has to do. */
const MOST_TURNS = 1000;

/**
 * The first jobs of a queue, in the order in which they would start if there was room, by UID.
 * @param most jobs; of a queue with shares, those among the next 1000 attempts.
 */
export function frontOf(queue: Pick<Queue, 'fairShare' | 'waiting'>, most: number, now: number): readonly string[] {
  const order = orderOf(queue, now);
  const jobs = new Set<string>();
  let turns = 0;
  for (let head = order.head(); head !== undefined && jobs.size < most; head = order.head()) {
    jobs.add(head.job);
    order.take(order.most());
    if (++turns === MOST_TURNS) break;
  }
  return [...jobs];
}

function inOneLine(line: readonly Place[]): Order {
  let at = 0;
  let taken = 0;
  return {
    head: () => line[at]?.waiting,
    most: () => (line[at]?.count ?? 0) - taken,
    take: (count) => {
      taken += count;
      if (taken < (line[at]?.count ?? 0)) return;
      at++;
      taken = 0;
    },
    reserved: () => 0,
    crowdedOut: [],
  };
}

function byShares(fairShare: FairShare, lines: ReadonlyMap<string, readonly Place[]>, now: number): Order {
  const waiting: WaitingShare[] = [];
  for (const [name, line] of lines) waiting.push({ name, since: line[0]?.waiting.submittedAt ?? 0 });
  const turns = turnsOf(fairShare, waiting, now);
  const orders = new Map<string, Order>();
  const orderOfShare = (share: string): Order => {
    const order = orders.get(share) ?? inOneLine(lines.get(share) ?? []);
    orders.set(share, order);
    return order;
  };
  let share: string | undefined;
  return {
    head: () => {
      share = turns.next();
      return share === undefined ? undefined : orderOfShare(share).head();
    },
    // One at a time: the next one may be another share's turn.
    most: () => 1,
    take: (count) => {
      if (share === undefined) return;
      const order = orderOfShare(share);
      turns.add(share, (order.head()?.need.vcpus ?? 0) * count);
      order.take(count);
      if (order.head() === undefined) turns.end(share);
    },
    reserved: (environment) => turns.reservedRatio() * mostVcpus(environment),
    crowdedOut: turns.crowdedOut,
  };
}
