/** Why no node takes a task, in the words of RunTask's failures (`ecs-semantics §4`). */

/** What the scheduler of Kubernetes says, and what ECS calls it; of several the first that occurs. */
const REASONS: readonly (readonly [says: RegExp, reason: string])[] = [
  [/insufficient cpu/i, 'RESOURCE:CPU'],
  [/insufficient memory/i, 'RESOURCE:MEMORY'],
  [/insufficient [^\s,]*gpu/i, 'RESOURCE:GPU'],
  [/free ports/i, 'RESOURCE:PORTS'],
  [/anti-affinity/i, 'DistinctInstance placement constraint unsatisfied.'],
  [/node affinity|node selector/i, 'ATTRIBUTE'],
];

/** What the closest matching container instance lacks, in the words of service events; of the others AWS has none. */
const LACKS: Readonly<Record<string, string>> = {
  'RESOURCE:CPU': 'has insufficient CPU units available.',
  'RESOURCE:MEMORY': 'has insufficient memory available.',
  'RESOURCE:PORTS': 'is already using a port required by your task.',
  ATTRIBUTE: 'is missing an attribute required by your task.',
};

/**
 * A node that lacks room has passed what the scheduler looks at before, so that it is closer than one that lacks an
 * attribute. The scheduler does not name it.
 * @param detail the scheduler's words.
 * @param portHolder a node where a port that the task needs is taken.
 */
export function closestMatch(detail: string, portHolder?: string): string | undefined {
  const reason = placementFailure(detail);
  const lacks = LACKS[reason];
  if (lacks === undefined) return undefined;
  const instance =
    reason === 'RESOURCE:PORTS' && portHolder !== undefined
      ? `(container-instance ${portHolder})`
      : 'container-instance';
  return `The closest matching ${instance} ${lacks}`;
}

/** @param detail the scheduler's words. */
export const placementFailure = (detail: string): string =>
  REASONS.find(([says]) => says.test(detail))?.[1] ?? 'RESOURCE';

/**
 * The scheduler has looked at the nodes, and none will do; what it waits for besides comes by itself, such as a volume that
 * is being made.
 * @param detail the scheduler's words.
 */
export const isForWantOfNodes = (detail: string): boolean =>
  /^(\d+\/\d+ nodes are available|no nodes available)/.test(detail) &&
  !/persistentvolumeclaim|resourceclaim/i.test(detail);

interface PortUser {
  readonly node?: string;
  readonly owner: string;
  readonly ended: boolean;
}

/**
 * A node where one of them uses a port of the node. One of the same owner comes first: it was placed by the same rules, so
 * that nothing but the port is known to keep another one from there.
 */
export function portHolder(users: readonly PortUser[], owner: string): string | undefined {
  const holding = users.filter(({ ended, node }) => !ended && node !== undefined);
  const own = holding.filter((user) => user.owner === owner);
  return (own.length > 0 ? own : holding).flatMap(({ node }) => node ?? []).sort()[0];
}
