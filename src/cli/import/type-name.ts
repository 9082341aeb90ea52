const NAMES: Readonly<Record<string, string>> = {
  object: 'an object',
  structure: 'an object',
  map: 'an object',
  array: 'a list',
  list: 'a list',
  string: 'a text',
  integer: 'a whole number',
  long: 'a whole number',
  number: 'a number',
  float: 'a number',
  double: 'a number',
  boolean: 'true or false',
};

/** A type of JSON, JSON Schema or AWS's model, in words. */
export const typeName = (type: string): string => NAMES[type] ?? type;

/** The type of a value, in words. */
export const typeNameOf = (value: unknown): string =>
  value === null ? 'null' : typeName(Array.isArray(value) ? 'array' : typeof value);
