/** What a TargetGroup says of its routes: whether they are served, and where they differ from AWS. */
import type { FieldSupport } from '../api/status.ts';
import type { RouteNote } from './http-route.ts';
import type { RouteOutcome } from './route-plan.ts';

/** A condition of an HTTPRoute, of one of its parents. */
export interface ParentCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/** What its controllers say of an HTTPRoute. */
export interface RouteAnswer {
  readonly generation: number;
  /** One a controller and Gateway. */
  readonly parents: readonly (readonly ParentCondition[])[];
}

export const ROUTES_SERVED = 'RoutesServed';

export interface RoutesCondition {
  readonly type: typeof ROUTES_SERVED;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

const REQUIRED = ['Accepted', 'ResolvedRefs'] as const;

interface Obstacle {
  readonly reason: string;
  readonly message: string;
}

/** Why an HTTPRoute does not work (yet). */
function obstacleOf(name: string, answer: RouteAnswer | undefined): Obstacle | undefined {
  const pending = { reason: 'Pending', message: `no Gateway controller has taken the HTTPRoute ${name} up yet` };
  if (answer === undefined || answer.parents.length === 0) return pending;
  for (const parent of answer.parents) {
    for (const type of REQUIRED) {
      const condition = parent.find((each) => each.type === type);
      if (condition === undefined || (condition.observedGeneration ?? answer.generation) < answer.generation)
        return pending;
      if (condition.status !== 'True')
        return {
          reason: condition.reason,
          message: `the Gateway's controller says of the HTTPRoute ${name}: ${condition.message}`,
        };
    }
  }
  return undefined;
}

/** Whether a Gateway's controller has taken the HTTPRoute up. */
export const isAccepted = (answer: RouteAnswer | undefined): boolean => obstacleOf('', answer) === undefined;

const isUnserved = ({ kind }: RouteNote): boolean => kind === 'Unserved';

function obstaclesOf(
  { index, notCarried, notes, httpRoutes }: RouteOutcome,
  answers: ReadonlyMap<string, RouteAnswer>,
): readonly Obstacle[] {
  const at = (field: string): string => `spec.routes[${index}]${field === '' ? '' : `.${field}`}`;
  if (notCarried !== undefined) return [{ reason: notCarried.reason, message: `${at('')}: ${notCarried.why}` }];
  const unserved = notes
    .filter(isUnserved)
    .map(({ field, text }) => ({ reason: 'NotExpressible', message: `${at(field)}: ${text}` }));
  const refused = httpRoutes.flatMap((name) => obstacleOf(name, answers.get(name)) ?? []);
  return [...unserved, ...refused];
}

/**
 * The condition of a TargetGroup that has routes; undefined where it has none.
 * @param answers by the name of the HTTPRoute.
 */
export function routesCondition(
  outcomes: readonly RouteOutcome[],
  answers: ReadonlyMap<string, RouteAnswer>,
): RoutesCondition | undefined {
  if (outcomes.length === 0) return undefined;
  const obstacles = outcomes.flatMap((outcome) => obstaclesOf(outcome, answers));
  const [first] = obstacles;
  if (first !== undefined) {
    const message = [...new Set(obstacles.map((each) => each.message))].join('; ');
    return { type: ROUTES_SERVED, status: false, reason: first.reason, message };
  }
  const carriers = [
    ...(outcomes.some(({ httpRoutes }) => httpRoutes.length > 0) ? ['Gateway API'] : []),
    ...(outcomes.some(({ ingresses }) => ingresses.length > 0) ? ['Ingress'] : []),
  ];
  return {
    type: ROUTES_SERVED,
    status: true,
    reason: 'Served',
    message: `requests of ${outcomes.length} ${outcomes.length === 1 ? 'route' : 'routes'} come by ${carriers.join(' and ')}`,
  };
}

/** Where the routes of a TargetGroup differ from a listener rule's, a field each. */
export function routesSupport(outcomes: readonly RouteOutcome[]): readonly FieldSupport[] {
  return outcomes.flatMap(({ index, notes }) => {
    const byField = Map.groupBy(notes, ({ field }) => field);
    return [...byField].map(([field, own]) => ({
      field: `spec.routes[${index}]${field === '' ? '' : `.${field}`}`,
      support: own.some(isUnserved) ? ('Ignored' as const) : ('Approximated' as const),
      reason: own.map(({ text }) => text).join('; '),
    }));
  });
}
