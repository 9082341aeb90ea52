import type { z } from 'zod';
import type { Parsed } from './schema.ts';

/** One thing that is wrong in what a user wrote. */
export interface SpecProblem {
  /** Where, e.g. `spec.containerDefinitions[0].image`. */
  readonly path: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

/** What a user wrote does not follow the schema. Names every field that is wrong, not only the first. */
export class InvalidSpecError extends Error {
  readonly code = 'INVALID_SPEC';
  readonly problems: readonly SpecProblem[];

  constructor(problems: readonly SpecProblem[]) {
    super(problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
    this.name = 'InvalidSpecError';
    this.problems = problems;
  }
}

/** AWS's own output writes null for what was never set: null means absent. In lists null stays, and is refused. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([key, field]) => [key, withoutNulls(field)]),
  );
}

function pathText(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`),
    root,
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

/** What is wrong with which value, in one line. */
export function describeIssue(issue: z.core.$ZodIssue, raw: unknown): string {
  if (issue.code === 'custom' || issue.code === 'unrecognized_keys') return issue.message;
  const value = valueAt(raw, issue.path);
  if (value === undefined) return 'Required value';
  const text = JSON.stringify(value);
  return `${issue.message}, got ${text.length > 120 ? `${text.slice(0, 117)}...` : text}`;
}

/**
 * Checks what entered from outside and compiles it to the form that the rest of the house trusts:
 * no null, defaults applied, read-only.
 * @throws InvalidSpecError with every problem found
 */
export function parseWith<Schema extends z.ZodType>(schema: Schema, raw: unknown, root = 'spec'): Parsed<Schema> {
  const given = withoutNulls(raw);
  const result = schema.safeParse(given);
  if (result.success) return result.data as Parsed<Schema>;
  throw new InvalidSpecError(
    result.error.issues.map((issue) => ({ path: pathText(root, issue.path), message: describeIssue(issue, given) })),
  );
}
