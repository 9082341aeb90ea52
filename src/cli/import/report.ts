/** The loss report: what becomes of every field that was given. */
import type { FieldSupport } from '../../api/status.ts';
import { parseTaskDefinition } from '../../api/task-definition.ts';
import { allFieldSupport } from '../../pod/field-support.ts';
import { valueText } from '../problem.ts';
import type { Change } from './aws-input.ts';
import type { Imported, Manifest } from './manifest.ts';

/** What becomes of one field of the spec; Exact: as on AWS. */
export interface FieldOutcome {
  readonly field: string;
  readonly support: 'Exact' | FieldSupport['support'];
  readonly reason?: string;
}

export interface ObjectReport {
  readonly source: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly fields: readonly FieldOutcome[];
  readonly changes: readonly Change[];
}

export function reportOf({ manifest, from, changes }: Imported): ObjectReport {
  const { kind, metadata } = manifest;
  return { source: from.source, kind, ...metadata, fields: fieldOutcomes(manifest), changes };
}

/** Every field of the spec, in its order. */
export function fieldOutcomes({ spec }: Manifest): FieldOutcome[] {
  return allFieldSupport('TaskDefinition', parseTaskDefinition(spec), spec);
}

/** The report for people: one line for each field that is not exact or not as it was. */
export function reportText({ source, kind, name, fields, changes }: ObjectReport): string {
  const inexact = fields.filter(({ support }) => support !== 'Exact');
  const exact = fields.filter(({ support }) => support === 'Exact').map(({ field }) => general(field));
  const lines = [
    `${source}: ${kind} ${name}`,
    ...inexact.map(
      ({ field, support, reason }) => `  ${support.padEnd(12)}  ${field.replace(/^spec\./, '')}: ${reason}`,
    ),
    ...changes.map(changeLine),
    `  ${'Exact'.padEnd(12)}  ${[...new Set(exact)].join(', ') || 'nothing'}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The same field of every item of a list is one word of the report. */
const general = (field: string): string => field.replace(/^spec\./, '').replaceAll(/\[\d+\]/g, '[]');

function changeLine({ change, path, from, to, reason }: Change): string {
  const what = to === undefined ? valueText(from) : `${valueText(from)} → ${valueText(to)}`;
  return `  ${change.padEnd(12)}  ${path}: ${what}: ${reason}`;
}
