import { GROUP } from '../../api/meta.ts';
import { InvalidSpecError, parseWith } from '../../api/parse.ts';
import { collectProblems } from '../collect.ts';
import { readDocuments } from '../documents.ts';
import { isFields, isText } from '../fields.ts';
import type { Io } from '../io.ts';
import { isKindName, kindEntry } from '../kinds.ts';
import { nearest } from '../near.ts';
import { writeReports } from '../output.ts';
import { type Problem, RefusedError } from '../problem.ts';
import type { ObjectReport } from '../report.ts';
import { refusal } from './admit.ts';
import { customResources } from './custom-resources.ts';
import { objectsOf, type SourceObject } from './objects.ts';

export interface ValidateOptions {
  /** File for the report on fields as JSON; absent: standard error, for people. */
  readonly report?: string;
  /** No report, no line for what is valid. */
  readonly quiet?: boolean;
}

/**
 * `longshore validate`: what the API server, and after it the controller, would say to the objects in the files.
 * Objects of other groups are left alone.
 * @throws RefusedError with every problem of every file
 */
export async function runValidate(files: readonly string[], options: ValidateOptions, io: Io): Promise<void> {
  const { each, problems } = collectProblems();
  const objects = each(await readDocuments(files, io), objectsOf);
  const others = objects.filter(({ object }) => !isOurs(object));
  const reports = each(
    objects.filter(({ object }) => isOurs(object)),
    (object) => [checked(object)],
  );
  if (problems.length > 0) throw new RefusedError(...problems);
  if (options.quiet !== true) {
    for (const { source, kind, name } of reports) io.out(`${source}: ${kind} ${name} is valid\n`);
    for (const { source, object } of others)
      io.out(`${source}: ${object.kind} of ${object.apiVersion} was not checked\n`);
    if (options.report === undefined) await writeReports(reports, undefined, io);
  }
  if (options.report !== undefined) await writeReports(reports, options.report, io);
}

const isOurs = ({ apiVersion }: SourceObject['object']): boolean => String(apiVersion).split('/')[0] === GROUP;

/** @throws RefusedError with every line of the refusal */
function checked({ source, object }: SourceObject): ObjectReport {
  const { apiVersion, kind, metadata, spec } = object;
  const known = customResources();
  const resource = known.find((one) => one.kind === kind && `${GROUP}/${one.version}` === apiVersion);
  if (resource === undefined || !isKindName(resource.kind)) {
    const kinds = known.map((one) => one.kind);
    const near = nearest(String(kind), kinds);
    const hint =
      near !== undefined && near !== kind
        ? `did you mean ${near}?`
        : `there are ${known.map((one) => `${one.kind} (${GROUP}/${one.version})`).join(', ')}`;
    throw new RefusedError({ source, message: `no matches for kind "${kind}" in version "${apiVersion}"; ${hint}` });
  }
  const { name, namespace } = isFields(metadata) ? metadata : {};
  const named = isText(name) ? name : '(no name)';
  const about = `${source}: ${kind} ${named}`;
  const lines = refusal(object, resource);
  if (lines.length > 0) throw new RefusedError(...lines.map((message) => ({ source: about, message })));
  const conditions = controllerProblems(about, resource.kind, spec);
  if (conditions.length > 0) throw new RefusedError(...conditions);
  return {
    source,
    kind: resource.kind,
    name: named,
    ...(isText(namespace) && { namespace }),
    fields: kindEntry(resource.kind).support(isFields(spec) ? spec : {}),
    changes: [],
  };
}

/** What no schema or rule can say: the API server takes the object, and the controller refuses it. */
function controllerProblems(source: string, kind: Parameters<typeof kindEntry>[0], spec: unknown): Problem[] {
  try {
    parseWith(kindEntry(kind).schema, spec);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidSpecError)) throw error;
    return error.problems.map(({ path, message }) => ({
      source,
      path,
      message: `${message} (the API server accepts it; the controller does not)`,
    }));
  }
}
