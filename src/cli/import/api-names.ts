/** Brings a value whose fields are named in another way, as CloudFormation and Terraform do, to the names of AWS's API. */
import { type Member, type ServiceModel, type Shape, shapeOf } from '../../aws-model/model.ts';
import { type Fields, isFields } from '../fields.ts';
import { type Path, pathText } from '../problem.ts';
import type { Change } from './aws-input.ts';
import { typeName } from './type-name.ts';

/** How another notation differs from the API beyond the case of letters. */
export interface Notation {
  /** Field's other name → the API's, by structure; null: a field that the API has not. */
  readonly names: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
  /** What the difference is called in the report. */
  readonly name: string;
  /** Another form of a value, by structure and the API's name of the field. */
  readonly values?: Readonly<Record<string, Readonly<Record<string, (value: unknown) => unknown>>>>;
  /** Whether a structure may stand in a list of one. */
  readonly blocks?: boolean;
  /** Whether null, '' and empty lists stand for absence at a path of the input. */
  readonly emptyIsAbsent?: (path: Path) => boolean;
}

export interface Renamed {
  readonly input: Fields;
  readonly changes: readonly Change[];
  /** Where a field of `input` is in the document. */
  readonly locate: (path: Path) => string;
}

/**
 * The value under the API's names. Keys of maps stay, whatever their case; a number or switch where the API has a text, and
 * the other way round, is written as the API has it. A name that the API does not know stays, for the check that follows.
 */
export function renamed(model: ServiceModel, shape: string, value: Fields, at: Path, notation: Notation): Renamed {
  const changes: Change[] = [];
  const places = new Map<string, string>();

  const visit = (name: string, given: unknown, from: Path, to: Path): unknown => {
    const { type, member, value: mapValue } = shapeOf(model, name);
    places.set(pathText(to), pathText(from));
    if (type === 'structure') return structure(name, given, from, to);
    if (type === 'list' && member !== undefined && Array.isArray(given)) {
      return given.map((item, index) => visit(member.shape, item, [...from, index], [...to, index]));
    }
    if (type === 'map' && mapValue !== undefined && isFields(given)) {
      return entries(given, (key, inner) => [[key, visit(mapValue.shape, inner, [...from, key], [...to, key])]]);
    }
    const scalar = asScalar(type, given);
    if (scalar !== given) {
      const reason = `AWS's API has ${typeName(type)} here`;
      changes.push({ path: pathText(from), change: 'Converted', from: given, to: scalar, reason });
    }
    return scalar;
  };

  const structure = (name: string, given: unknown, from: Path, to: Path): unknown => {
    const only = notation.blocks && Array.isArray(given) && given.length === 1 ? given[0] : given;
    const inside = only === given ? from : [...from, 0];
    if (!isFields(only)) return only;
    const { members = {} } = shapeOf(model, name);
    return entries(only, (key, raw) => {
      const other = notation.names[name]?.[key];
      const path = [...inside, key];
      if (other === null) {
        const reason = `${notation.name} has it for itself; AWS's API has not`;
        changes.push({ path: pathText(path), change: 'Dropped', from: raw, reason });
        return [];
      }
      const field = other ?? memberNamed(members, key) ?? key;
      const change = notation.values?.[name]?.[field];
      const inner = change === undefined ? raw : change(raw);
      if (isEmpty(inner) && notation.emptyIsAbsent?.([...to, field])) return [];
      const shapeName = members[field]?.shape;
      if (shapeName === undefined) {
        places.set(pathText([...to, field]), pathText(path));
        return [[field, inner]];
      }
      return [[field, visit(shapeName, inner, path, [...to, field])]];
    });
  };

  const input = visit(shape, value, at, []);
  return {
    input: isFields(input) ? input : {},
    changes,
    locate: (path) => {
      // What is missing in the document is named as the API names it, where it would stand.
      for (let length = path.length; length >= 0; length--) {
        const place = places.get(pathText(path.slice(0, length)));
        if (place !== undefined) return [place, pathText(path.slice(length))].filter((text) => text !== '').join('.');
      }
      return pathText(path);
    },
  };
}

const entries = (fields: Fields, change: (key: string, value: unknown) => [string, unknown][]): Fields =>
  Object.fromEntries(Object.entries(fields).flatMap(([key, value]) => change(key, value)));

const plain = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** The member whose name differs in case and underscores only; Terraform names a block of which there may be several in the singular. */
function memberNamed(members: Readonly<Record<string, Member>>, name: string): string | undefined {
  const wanted = plain(name);
  const names = Object.keys(members);
  return names.find((member) => plain(member) === wanted) ?? names.find((member) => plain(member) === `${wanted}s`);
}

function asScalar(type: Shape['type'], value: unknown): unknown {
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  if (typeof value !== 'string') return value;
  if (type === 'boolean' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  const isNumber = type === 'integer' || type === 'long' || type === 'float' || type === 'double';
  return isNumber && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0);
