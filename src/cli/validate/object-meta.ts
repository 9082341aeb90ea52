/** The API server's check of an object's metadata (apimachinery, pkg/api/validation), as far as people write it. */
import { type Fields, isFields, isText } from '../fields.ts';
import type { FieldError } from './field-error.ts';

/** Fields of ObjectMeta. */
export const META_FIELDS: readonly string[] = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

const LABEL_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_FORMAT = `${LABEL_FORMAT}(\\.${LABEL_FORMAT})*`;
const KEY_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const ANNOTATIONS_LIMIT = 262144;

const fits = (text: string, format: string): boolean => new RegExp(`^(?:${format})$`).test(text);

const explain = (what: string, format: string, ...examples: readonly string[]): string =>
  `${what} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${format}')`;

const tooLong = (text: string, most: number, unit = 'bytes'): string[] =>
  Buffer.byteLength(text) > most ? [`must be no more than ${most} ${unit}`] : [];

function subdomain(text: string, unit?: string): string[] {
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [
    ...tooLong(text, 253, unit),
    ...(fits(text, SUBDOMAIN_FORMAT) ? [] : [explain(rule, SUBDOMAIN_FORMAT, 'example.com')]),
  ];
}

function label(text: string): string[] {
  const rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  if (fits(text, LABEL_FORMAT)) return tooLong(text, 63, 'characters');
  const wrong = fits(text, SUBDOMAIN_FORMAT)
    ? 'must not contain dots'
    : explain(rule, LABEL_FORMAT, 'my-name', '123-abc');
  return [...tooLong(text, 63, 'characters'), wrong];
}

const KEY_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_EXAMPLES = ['MyName', 'my.name', '123-abc'];

function qualifiedName(text: string): string[] {
  const parts = text.split('/');
  if (parts.length > 2) {
    const wrong = explain(KEY_RULE, KEY_FORMAT, ...KEY_EXAMPLES);
    return [`a valid label key ${wrong} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? '';
  const [prefix] = parts.length === 2 ? parts : [];
  const wrongPrefix = prefix === '' ? ['must be non-empty'] : prefix === undefined ? [] : subdomain(prefix);
  return [
    ...wrongPrefix.map((wrong) => `prefix part ${wrong}`),
    ...(name === '' ? ['name part must be non-empty'] : tooLong(name, 63).map((wrong) => `name part ${wrong}`)),
    ...(fits(name, KEY_FORMAT) ? [] : [`name part ${explain(KEY_RULE, KEY_FORMAT, ...KEY_EXAMPLES)}`]),
  ];
}

function labelValue(text: string): string[] {
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const format = `(${KEY_FORMAT})?`;
  return [...tooLong(text, 63), ...(fits(text, format) ? [] : [explain(rule, format, 'MyValue', 'my_value', '12345')])];
}

/** @param namespaced whether objects of the kind are in a namespace; one that is not given is the caller's to choose */
export function metadataErrors(metadata: Fields, namespaced: boolean): FieldError[] {
  const { name, generateName, namespace, labels, annotations, finalizers } = metadata;
  const wrong = (field: string, value: string, details: readonly string[]): FieldError[] =>
    details.map((detail) => ({ type: 'Invalid', field: `metadata.${field}`, value, detail }));
  const errors: FieldError[] = [];
  if (isText(generateName) && generateName !== '') {
    errors.push(...wrong('generateName', generateName, subdomain(generateName.replace(/-$/, 'a'), 'characters')));
  }
  if (isText(name) && name !== '') errors.push(...wrong('name', name, subdomain(name, 'characters')));
  else if (!isText(generateName) || generateName === '') {
    errors.push({ type: 'Required', field: 'metadata.name', detail: 'name or generateName is required' });
  }
  // kubectl leaves it out for what has none.
  if (namespaced && isText(namespace) && namespace !== '')
    errors.push(...wrong('namespace', namespace, label(namespace)));
  for (const [key, value] of texts(labels)) {
    errors.push(...wrong('labels', key, qualifiedName(key)), ...wrong('labels', value, labelValue(value)));
  }
  for (const [key] of texts(annotations)) errors.push(...wrong('annotations', key, qualifiedName(key.toLowerCase())));
  const size = texts(annotations).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  if (size > ANNOTATIONS_LIMIT) {
    errors.push({
      type: 'TooLong',
      field: 'metadata.annotations',
      detail: `may not be more than ${ANNOTATIONS_LIMIT} bytes`,
    });
  }
  for (const finalizer of Array.isArray(finalizers) ? finalizers.filter(isText) : []) {
    errors.push(...wrong('finalizers', finalizer, qualifiedName(finalizer)));
  }
  return errors;
}

const GO_TYPES: Readonly<Record<string, string>> = {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  labels: 'map[string]string',
  annotations: 'map[string]string',
};

/** The first field whose type Go's decoder refuses; the API server then looks at nothing else. */
export function undecodable(metadata: unknown): string | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (!isFields(metadata)) return `json: cannot unmarshal ${jsonType(metadata)} into Go value of type v1.ObjectMeta`;
  for (const [field, value] of Object.entries(metadata)) {
    const wanted = GO_TYPES[field];
    if (wanted === undefined || value === null) continue;
    const refused = (found: unknown, type: string) =>
      `json: cannot unmarshal ${jsonType(found)} into Go struct field ObjectMeta.${field} of type ${type}`;
    if (wanted === 'string') {
      if (!isText(value)) return refused(value, wanted);
      continue;
    }
    if (!isFields(value)) return refused(value, wanted);
    const wrong = Object.values(value).find((text) => text !== null && !isText(text));
    if (wrong !== undefined) return refused(wrong, 'string');
  }
  return undefined;
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

const texts = (map: unknown): [string, string][] =>
  isFields(map) ? Object.entries(map).filter((entry): entry is [string, string] => isText(entry[1])) : [];
