/** Checks what an input became against Longshore's own rules, and says where in the file a problem is. */
import type { z } from 'zod';
import { describeIssue, withoutNulls } from '../../api/parse.ts';
import { kindEntry } from '../kinds.ts';
import { type Path, type Problem, RefusedError } from '../problem.ts';
import type { AwsInput, Change } from './aws-input.ts';
import { awsProblems } from './aws-schema.ts';
import type { Imported } from './objects.ts';

/**
 * The input, once AWS's model has nothing against it.
 * @throws RefusedError with every problem
 */
export function checkedInput(input: AwsInput): AwsInput {
  const problems = awsProblems(input);
  if (problems.length > 0) throw new RefusedError(...problems);
  return input;
}

/**
 * The object, once Longshore's rules have nothing against it. What AWS has and Longshore has not is left out, with a
 * change that says so, where it says nothing (an empty list), or where `dropUnsupported` asks for it.
 * @throws RefusedError with every problem
 */
export function checked(imported: Imported, dropUnsupported: boolean): Imported {
  const kept = withoutUnsupported(imported, (value) => dropUnsupported || isEmpty(value));
  const refused = specProblems(kept);
  if (refused.length > 0) throw new RefusedError(...refused);
  return kept;
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

function issuesOf({ kind, spec }: Imported['manifest']): { issues: readonly z.core.$ZodIssue[]; given: unknown } {
  const given = withoutNulls(spec);
  return { issues: kindEntry(kind).schema.safeParse(given).error?.issues ?? [], given };
}

function specProblems({ manifest, place }: Imported): Problem[] {
  const { issues, given } = issuesOf(manifest);
  return issues.flatMap((issue): Problem[] => {
    const path = pathOf(issue.path);
    if (issue.code !== 'unrecognized_keys') return [{ ...place(path), message: describeIssue(issue, given) }];
    return issue.keys.map((key) => ({
      ...place([...path, key]),
      message: 'is a field of AWS that Longshore does not take yet; leave it out, or import with --drop-unsupported',
    }));
  });
}

function withoutUnsupported(imported: Imported, drop: (value: unknown) => boolean): Imported {
  const { manifest, place } = imported;
  const unknown = issuesOf(manifest).issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...pathOf(issue.path), key]);
    return issue.code === 'custom' && issue.params?.unsupported === true ? [pathOf(issue.path)] : [];
  });
  const spec = structuredClone(manifest.spec);
  const changes = unknown.flatMap((path): Change[] => {
    const owner = Object(path.slice(0, -1).reduce<unknown>((at, key) => Reflect.get(Object(at), key), spec));
    const field = path.at(-1) ?? '';
    const from: unknown = Reflect.get(owner, field);
    if (!drop(from)) return [];
    Reflect.deleteProperty(owner, field);
    return [{ path: place(path).path ?? '', change: 'Dropped', from, reason: 'Longshore does not take it yet' }];
  });
  return { ...imported, manifest: { ...manifest, spec }, changes: [...imported.changes, ...changes] };
}

const pathOf = (path: readonly PropertyKey[]): Path => path.map((key) => (typeof key === 'symbol' ? String(key) : key));
