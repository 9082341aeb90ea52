import { readFile } from 'node:fs/promises';
import { type Document, parseAllDocuments, type Tags } from 'yaml';
import type { Io } from './io.ts';
import { RefusedError } from './problem.ts';

/** One JSON or YAML document of a file. */
export interface SourceDocument {
  /** Name of the file, with the number of the document where there are several. */
  readonly source: string;
  /** Name of the file; undefined for standard input. */
  readonly file?: string;
  readonly value: unknown;
}

/**
 * Every document of the files, in their order; `-` is standard input. A file has JSON, several JSON values one after the
 * other, or YAML documents as kubectl and CloudFormation read them (YAML 1.1, no dates). Empty documents are left out.
 * @throws RefusedError for a file that cannot be read, has no document, or is neither JSON nor YAML
 */
export async function readDocuments(
  files: readonly string[],
  io: Io,
  customTags: Tags = [],
): Promise<SourceDocument[]> {
  const documents: SourceDocument[] = [];
  for (const file of files) {
    const name = file === '-' ? 'standard input' : file;
    const values = parseText(name, file === '-' ? await textOf(io.stdin) : await readText(file), customTags);
    if (values.length === 0) throw new RefusedError({ source: name, message: 'there is no document in it' });
    for (const [index, value] of values.entries()) {
      const source = values.length > 1 ? `${name}, document ${index + 1}` : name;
      documents.push({ source, ...(file !== '-' && { file }), value });
    }
  }
  return documents;
}

async function textOf(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new RefusedError({ source: file, message: `cannot be read: ${reasonOf(error)}` });
  }
}

/** What the system said, in words of people for what happens most. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file or folder';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'permission denied';
  return error instanceof Error ? error.message : String(error);
}

function parseText(source: string, raw: string, customTags: Tags): unknown[] {
  const text = raw.replace(/^\uFEFF/, '');
  const json = jsonValues(text);
  if (json !== undefined) return json;
  const documents = parseAllDocuments(text, {
    version: '1.1',
    // As in the YAML that kubectl and CloudFormation read, a date or 12:30 is a text.
    customTags: (tags) => [...tags.filter((tag) => !isTime(tag)), ...customTags],
  });
  if ('empty' in documents) return [];
  for (const document of documents) refuseBroken(source, document);
  return documents.map((document): unknown => document.toJS()).filter((value) => value !== null && value !== undefined);
}

const isTime = (tag: Tags[number]): boolean =>
  typeof tag === 'object' && ('format' in tag && tag.format === 'TIME' ? true : tag.tag.endsWith(':timestamp'));

function refuseBroken(source: string, { errors, warnings }: Document.Parsed): void {
  const [problem] = [...errors, ...warnings];
  if (problem === undefined) return;
  const message = problem.message.split('\n')[0]?.replace(/:$/, '');
  throw new RefusedError({ source, message: `is neither JSON nor YAML: ${message}` });
}

/** The JSON values in a text, one after the other; undefined where there is anything else. */
function jsonValues(text: string): unknown[] | undefined {
  try {
    return [JSON.parse(text)];
  } catch {
    const parts = splitObjects(text);
    if (parts.length < 2) return undefined;
    try {
      return parts.map((part): unknown => JSON.parse(part));
    } catch {
      return undefined;
    }
  }
}

/** Cuts after each closing bracket that closes the outermost object or list. */
function splitObjects(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '{' || token === '[') depth++;
    if ((token === '}' || token === ']') && --depth === 0) {
      parts.push(text.slice(start, index + 1));
      start = index + 1;
    }
  }
  return text.slice(start).trim() === '' ? parts : [];
}
