/** The Kubernetes objects in a document. */
import type { SourceDocument } from '../documents.ts';
import { type Fields, isFields, isText } from '../fields.ts';
import { RefusedError } from '../problem.ts';

export interface SourceObject {
  /** File, and which document or item of it. */
  readonly source: string;
  readonly object: Fields;
}

/**
 * A document's object, or those of its List.
 * @throws RefusedError for what is no Kubernetes object
 */
export function objectsOf({ source, value }: SourceDocument): SourceObject[] {
  if (!isFields(value)) throw new RefusedError({ source, message: 'is no Kubernetes object' });
  const { apiVersion, kind, items } = value;
  for (const field of ['apiVersion', 'kind']) {
    if (isText(value[field]) && value[field] !== '') continue;
    const message = value[field] === undefined ? 'is missing; every Kubernetes object has it' : 'must be a text';
    throw new RefusedError({ source, path: field, message });
  }
  if (!String(kind).endsWith('List') || !Array.isArray(items)) return [{ source, object: value }];
  return items.flatMap((item: unknown, index) =>
    // As kubectl, which takes what the items of a typed list do not say from the list.
    objectsOf({
      source: `${source}, items[${index}]`,
      value: isFields(item) && kind !== 'List' ? { apiVersion, kind: String(kind).slice(0, -4), ...item } : item,
    }),
  );
}
