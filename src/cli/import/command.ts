import { collectProblems } from '../collect.ts';
import { readDocuments } from '../documents.ts';
import type { Io } from '../io.ts';
import { kindEntry } from '../kinds.ts';
import { type OutputFile, writeOutput, writeReports } from '../output.ts';
import { type Problem, RefusedError } from '../problem.ts';
import type { ObjectReport } from '../report.ts';
import { yamlText } from '../yaml-text.ts';
import { checked, checkedInput } from './check.ts';
import { cloudFormationTags } from './forms/cloudformation-tags.ts';
import { type Imported, toObjects } from './objects.ts';
import { recognize } from './recognize.ts';

export interface ImportOptions {
  readonly namespace?: string;
  /** A file, or a folder for one file an object; absent: standard output. */
  readonly output?: string;
  /** File for the loss report as JSON; absent: standard error, for people. */
  readonly report?: string;
  readonly dropUnsupported?: boolean;
  /** Family of container definitions that come without one. */
  readonly family?: string;
  /** What CloudFormation templates refer to → its value. */
  readonly parameter?: ReadonlyMap<string, string>;
}

/**
 * `longshore import`: manifests for what AWS's files hold, and a report of what each field becomes. All or nothing.
 * @throws RefusedError with every problem of every file
 */
export async function runImport(files: readonly string[], options: ImportOptions, io: Io): Promise<void> {
  const { each, problems } = collectProblems();
  const form = {
    ...(options.family !== undefined && { family: options.family }),
    parameters: options.parameter ?? new Map(),
  };
  const documents = await readDocuments(files, io, cloudFormationTags);
  const inputs = each(
    each(documents, (document) => recognize(document, form)),
    (input) => [checkedInput(input)],
  );
  // A SubmitJob whose job definition is wrong is no problem of its own.
  if (problems.length > 0) throw new RefusedError(...problems);
  const imported = each(inputs, (input) =>
    toObjects(input, inputs, options.namespace).map((object) => checked(object, options.dropUnsupported === true)),
  );
  problems.push(...collisions(imported));
  if (problems.length > 0) throw new RefusedError(...problems);

  const reports = imported.map(reportOf);
  await writeOutput(imported.map(fileOf), options.output, io);
  await writeReports(reports, options.report, io);
}

const fileOf = ({ manifest }: Imported): OutputFile => ({
  name: `${manifest.metadata.name}.${manifest.kind.toLowerCase()}.yaml`,
  text: yamlText(manifest),
});

function reportOf({ manifest: { kind, metadata, spec }, source, changes }: Imported): ObjectReport {
  const { name, namespace } = metadata;
  return {
    source,
    kind,
    name,
    ...(namespace !== undefined && { namespace }),
    fields: kindEntry(kind).support(spec),
    changes,
  };
}

/** Two objects of one kind and name: the second would take the place of the first. */
function collisions(imported: readonly Imported[]): Problem[] {
  const first = new Map<string, Imported>();
  return imported.flatMap((object) => {
    const { kind, metadata } = object.manifest;
    const key = `${kind} ${metadata.name}`;
    const other = first.get(key);
    first.set(key, other ?? object);
    if (other === undefined) return [];
    const message = `gives ${key}, as ${other.source} does; import one of them, or each by itself with another --namespace`;
    return [{ source: object.source, message }];
  });
}
