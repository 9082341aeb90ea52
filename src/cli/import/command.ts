import { readDocuments } from '../documents.ts';
import type { Io } from '../io.ts';
import { writeOutput } from '../output.ts';
import { type Problem, RefusedError } from '../problem.ts';
import { yamlText } from '../yaml-text.ts';
import { checked, checkedInput } from './check.ts';
import { type Imported, toManifest } from './manifest.ts';
import { recognize } from './recognize.ts';
import { reportOf, reportText } from './report.ts';

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
  const problems: Problem[] = [];
  /** Problems of one do not hide those of the next. */
  const each = <T, R>(items: readonly T[], work: (item: T) => readonly R[]): R[] =>
    items.flatMap((item) => {
      try {
        return work(item);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        problems.push(...error.problems);
        return [];
      }
    });
  const inputs = each(await readDocuments(files, io), recognize);
  const imported = each(inputs, (input) => [
    checked(toManifest(checkedInput(input), options.namespace), options.dropUnsupported === true),
  ]);
  problems.push(...collisions(imported));
  if (problems.length > 0) throw new RefusedError(...problems);

  const reports = imported.map(reportOf);
  await writeOutput(
    imported.map(({ manifest }) => ({
      name: `${manifest.metadata.name}.${manifest.kind.toLowerCase()}.yaml`,
      text: yamlText(manifest),
    })),
    options.output,
    io,
  );
  if (options.report === undefined) for (const report of reports) io.err(reportText(report));
  else
    await writeOutput(
      [{ name: '', text: `${JSON.stringify({ objects: reports }, undefined, 2)}\n` }],
      options.report,
      io,
    );
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
