/** The loss report: what becomes of every field that was given. */
import type { FieldReport } from '../pod/field-support.ts';
import type { Change } from './import/aws-input.ts';
import type { KindName } from './kinds.ts';
import { valueText } from './problem.ts';

export interface ObjectReport {
  readonly source: string;
  readonly kind: KindName;
  readonly name: string;
  readonly namespace?: string;
  /** Every field given that is AWS's, in the order of the spec; Exact: as on AWS. */
  readonly fields: readonly FieldReport[];
  readonly changes: readonly Change[];
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
  const before = from === undefined ? '(absent)' : valueText(from);
  const what = to === undefined ? before : `${before} → ${valueText(to)}`;
  return `  ${change.padEnd(12)}  ${path}: ${what}: ${reason}`;
}
