import { collectProblems } from '../collect.ts';
import { readDocuments } from '../documents.ts';
import type { Io } from '../io.ts';
import { kindEntry } from '../kinds.ts';
import { type OutputFile, writeOutput, writeReports } from '../output.ts';
import { type Problem, RefusedError } from '../problem.ts';
import type { ObjectReport } from '../report.ts';
import { yamlText } from '../yaml-text.ts';
import { checked, checkedInput } from './check.ts';
import { type Imported, toManifest } from './manifest.ts';
import { recognize } from './recognize.ts';

export interface ImportOptions {
  readonly namespace?: string;
  /** A file, or a folder for one file an object; absent: standard output. */
  readonly output?: string;
  /** File for the loss report as JSON; absent: standard error, for people. */
  readonly report?: string;
  readonly dropUnsupported?: boolean;
}

/**
 * `longshore import`: manifests for what AWS's files hold, and a report of what each field becomes. All or nothing.
 * @throws RefusedError with every problem of every file
 */
export async function runImport(files: readonly string[], options: ImportOptions, io: Io): Promise<void> {
  const { each, problems } = collectProblems();
  const inputs = each(await readDocuments(files, io), recognize);
  const imported = each(inputs, (input) => [
    checked(toManifest(checkedInput(input), options.namespace), options.dropUnsupported === true),
  ]);
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

function reportOf({ manifest: { kind, metadata, spec }, from, changes }: Imported): ObjectReport {
  return { source: from.source, kind, ...metadata, fields: kindEntry(kind).support(spec), changes };
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
    const message = `gives ${key}, as ${other.from.source} does; import one of them, or each by itself with another --namespace`;
    return [{ source: object.from.source, message }];
  });
}
