import { existsSync } from 'node:fs';
import { collectProblems } from '../collect.ts';
import { readDocuments } from '../documents.ts';
import { type Fields, isFields } from '../fields.ts';
import type { Io } from '../io.ts';
import { type OutputFile, writeOutput } from '../output.ts';
import { RefusedError } from '../problem.ts';
import { objectsOf, type SourceObject } from '../validate/objects.ts';
import { EXPORTED_KINDS, type Exported, exported, isExportedKind } from './aws.ts';
import { type LiveOptions, liveReference, readLive } from './live.ts';

export interface ExportOptions extends LiveOptions {
  /** A file, or a folder for one file an input; absent: standard output. */
  readonly output?: string;
}

/**
 * `longshore export`: the inputs of AWS's calls that manifests, or objects of a cluster, stand for. All or nothing.
 * @throws RefusedError with every problem
 */
export async function runExport(targets: readonly string[], options: ExportOptions, io: Io): Promise<void> {
  const objects: SourceObject[] = [];
  for (const target of targets) objects.push(...(await objectsAt(target, options, io)));
  const { each, problems } = collectProblems();
  const inputs = each(objects, ({ source, object }) => exportedObject(source, object, io));
  if (problems.length > 0) throw new RefusedError(...problems);
  if (inputs.length === 0)
    throw new RefusedError({ source: targets.join(', '), message: `has no ${EXPORTED_KINDS.join(', ')} to export` });
  // Queues may share a scheduling policy.
  const files = new Map(inputs.map(fileOf).map((file) => [`${file.name}\n${file.text}`, file]));
  await writeOutput([...files.values()], options.output, io);
}

async function objectsAt(target: string, options: ExportOptions, io: Io): Promise<SourceObject[]> {
  const live = target === '-' || existsSync(target) ? undefined : liveReference(target);
  if (live !== undefined) return [{ source: target, object: await readLive(live, options) }];
  if (options.revision !== undefined) {
    throw new RefusedError({
      source: target,
      message: 'has no revisions; --revision goes with taskdefinition/NAME of a cluster',
    });
  }
  return (await readDocuments([target], io)).flatMap(objectsOf);
}

function exportedObject(source: string, object: Fields, io: Io): Exported[] {
  const { kind, spec } = object;
  if (!isExportedKind(kind)) {
    io.err(`${source}: ${kind} was left out: it stands for no input of AWS\n`);
    return [];
  }
  const inputs = exported(kind, object, source);
  if (isFields(spec) && isFields(spec.kubernetes))
    io.err(`${source}: spec.kubernetes was left out: AWS has no word for it\n`);
  return inputs;
}

const fileOf = ({ action, name, input }: Exported): OutputFile => ({
  name: `${name}.${action.replaceAll(/(?<=.)[A-Z]/g, '-$&').toLowerCase()}.json`,
  text: `${JSON.stringify(input, undefined, 2)}\n`,
});
