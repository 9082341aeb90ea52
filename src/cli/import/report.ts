/** The loss report: what becomes of every field that was given. */
import type { FieldSupport } from '../../api/status.ts';
import { parseTaskDefinition } from '../../api/task-definition.ts';
import { fieldSupport } from '../../pod/field-support.ts';
import { isFields } from '../fields.ts';
import { type Path, pathText, valueText } from '../problem.ts';
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
  const inexact = new Map(fieldSupport(parseTaskDefinition(spec)).map((outcome) => [outcome.field, outcome]));
  return fieldsOf(spec, ['spec']).map((field) => inexact.get(field) ?? { field, support: 'Exact' });
}

/** Paths of the fields of an object and of the objects in its lists, those that are null left out. */
function fieldsOf(value: unknown, at: Path): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => fieldsOf(item, [...at, index]));
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = [...at, name];
    if (inner === null) return [];
    const lists = Array.isArray(inner) && inner.some(isFields);
    return [pathText(path), ...(lists ? fieldsOf(inner, path) : [])];
  });
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
