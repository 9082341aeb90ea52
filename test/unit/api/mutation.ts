/** Specs broken at random. */
import fc from 'fast-check';
import type { SampleKind } from './samples.ts';

type Path = readonly (string | number)[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [path, ...keys.flatMap((key) => pathsOf(Reflect.get(value, key), [...path, key]))];
}

function replaced(value: unknown, path: Path, by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (typeof value !== 'object' || value === null) return value;
  const inner = replaced(Reflect.get(value, key), rest, by);
  if (Array.isArray(value)) return value.toSpliced(Number(key), 1, ...(inner === undefined ? [] : [inner]));
  return { ...value, [key]: inner };
}

const replacements: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    undefined,
    null,
    true,
    false,
    '',
    'a b',
    'web',
    'x'.repeat(300),
    0,
    -1,
    1,
    1.5,
    70_000,
    3_000_000_000,
  ),
  fc.constantFrom<unknown>([], {}, { unknown: 1 }, ['x'], [null], [{}]),
  fc.integer({ min: -10, max: 400 }),
  fc.string({ maxLength: 10 }),
);

/** The language of placement expressions is read by the controller alone: the API server takes any text. */
const isUnread = (path: Path): boolean => path.at(-1) === 'expression';

/** A spec with the value at one place taken away or replaced, where both checkers look at it. */
export function mutation({ kind, spec }: { kind: SampleKind; spec: unknown }) {
  const places = pathsOf(spec).filter((path) => path.length > 0 && !isUnread(path));
  return fc.record({ path: fc.constantFrom(...places), by: replacements }).map(({ path, by }) => ({
    kind,
    spec: JSON.parse(JSON.stringify(replaced(spec, path, by))) as unknown,
    change: `${path.join('.')} = ${JSON.stringify(by)}`,
  }));
}
