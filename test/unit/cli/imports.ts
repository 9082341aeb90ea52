import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { longshore } from './run.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/import');

export const fixture = (name: string) => join(fixtures, name);
export const readFixture = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

/** What an import gives that is expected to succeed. */
export async function imported(
  args: readonly string[],
  stdin?: string,
): Promise<{ manifests: Manifest[]; err: string }> {
  const { code, out, err } = await longshore(['import', ...args], stdin);
  expect(code, err).toBe(0);
  return { manifests: parseAllDocuments(out).map((document) => document.toJS() as Manifest), err };
}

/** The problems of an import that is expected to be refused; those of standard input without its name. */
export async function refused(args: readonly string[], stdin?: string): Promise<string[]> {
  const { code, out, err } = await longshore(['import', ...args], stdin);
  expect([code, out]).toEqual([1, '']);
  return err
    .trim()
    .split('\n')
    .map((line) => line.replace('longshore: standard input: ', ''));
}
