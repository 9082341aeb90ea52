/** Checks what an input became against Longshore's own rules, and says where in the file a problem is. */
import type { z } from 'zod';
import { describeIssue, withoutNulls } from '../../api/parse.ts';
import { kindEntry } from '../kinds.ts';
import { type Path, type Problem, RefusedError } from '../problem.ts';
import type { AwsInput, Change } from './aws-input.ts';
import { awsProblems } from './aws-schema.ts';
import type { Imported } from './manifest.ts';

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
 * The object, once Longshore's rules have nothing against it.
 * @param dropUnsupported leaves out, with a change that says so, what AWS has and Longshore has not
 * @throws RefusedError with every problem
 */
export function checked(imported: Imported, dropUnsupported: boolean): Imported {
  const { manifest } = imported;
  const { spec, changes } = dropUnsupported ? withoutUnsupported(imported) : { spec: manifest.spec, changes: [] };
  const refused = specProblems({ ...imported, manifest: { ...manifest, spec } });
  if (refused.length > 0) throw new RefusedError(...refused);
  return { ...imported, manifest: { ...manifest, spec }, changes: [...imported.changes, ...changes] };
}

function issuesOf({ kind, spec }: Imported['manifest']): { issues: readonly z.core.$ZodIssue[]; given: unknown } {
  const given = withoutNulls(spec);
  return { issues: kindEntry(kind).schema.safeParse(given).error?.issues ?? [], given };
}

function specProblems({ manifest, from: { source, locate } }: Imported): Problem[] {
  const { issues, given } = issuesOf(manifest);
  return issues.flatMap((issue): Problem[] => {
    const path = pathOf(issue.path);
    if (issue.code !== 'unrecognized_keys')
      return [{ source, path: locate(path), message: describeIssue(issue, given) }];
    return issue.keys.map((key) => ({
      source,
      path: locate([...path, key]),
      message: 'is a field of AWS that Longshore does not take yet; leave it out, or import with --drop-unsupported',
    }));
  });
}

function withoutUnsupported({ manifest, from }: Imported): { spec: Imported['manifest']['spec']; changes: Change[] } {
  const unknown = issuesOf(manifest).issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...pathOf(issue.path), key]) : [],
  );
  const spec = structuredClone(manifest.spec);
  const changes = unknown.map((path): Change => {
    const owner = path.slice(0, -1).reduce<unknown>((at, key) => Reflect.get(Object(at), key), spec);
    const field = path.at(-1) ?? '';
    const value: unknown = Reflect.get(Object(owner), field);
    Reflect.deleteProperty(Object(owner), field);
    return { path: from.locate(path), change: 'Dropped', from: value, reason: 'Longshore does not take it yet' };
  });
  return { spec, changes };
}

const pathOf = (path: readonly PropertyKey[]): Path => path.map((key) => (typeof key === 'symbol' ? String(key) : key));
