/** What a Service, job or definition names and what of it means nothing here, as conditions. */

import { arnName, parseArn } from '../api/names.ts';
import type { TaskProblem } from '../pod/problems.ts';
import { summary } from '../pod/problems.ts';
import { foreign } from '../pod/references.ts';
import type { ClusterView } from './cluster-view.ts';
import type { ConditionInput } from './conditions.ts';

/** A Cluster that cannot be read keeps tasks from starting: what it allows is not known. */
export const clusterProblems = ({ problem }: ClusterView): TaskProblem[] =>
  problem === undefined ? [] : [{ reason: 'ClusterInvalid', message: problem, blocks: true }];

/** References by ARN that belong to another cluster, account or region than the Cluster declares: never taken as local. */
export function foreignReferences(
  { spec, name }: ClusterView,
  references: { readonly cluster?: string | undefined; readonly [field: string]: string | undefined },
): TaskProblem[] {
  return Object.entries(references).flatMap(([field, text]) => {
    if (text === undefined) return [];
    const other = field === 'cluster' && name !== undefined && arnName(text) !== name;
    const because =
      foreign(parseArn(text), spec) ?? (other ? `this namespace stands for cluster "${name}"` : undefined);
    if (because === undefined) return [];
    const message = `spec.${field}: "${text}" is not of this cluster: ${because}`;
    return [{ reason: 'ForeignReference', message, blocks: true }];
  });
}

/** The condition that names every reference without a meaning here; its type is Gateway API's. */
export function resolvedRefs(problems: readonly TaskProblem[]): ConditionInput {
  const found = summary(problems);
  return found === undefined
    ? { type: 'ResolvedRefs', status: true, reason: 'ResolvedRefs', message: 'every name of AWS means something here' }
    : { type: 'ResolvedRefs', status: false, ...found };
}

/** Why no task may start, if so. */
export function blockedBy(
  problems: readonly TaskProblem[],
): { readonly reason: string; readonly message: string; readonly stalled: boolean } | undefined {
  const found = summary(problems.filter(({ blocks }) => blocks));
  // A target group may be made after its service: in which order they are applied is nobody's concern.
  return found === undefined ? undefined : { ...found, stalled: found.reason !== 'TargetGroupNotFound' };
}
