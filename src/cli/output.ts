import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from './documents.ts';
import type { Io } from './io.ts';
import { RefusedError } from './problem.ts';
import { type ObjectReport, reportText } from './report.ts';

export interface OutputFile {
  /** Name in a folder. */
  readonly name: string;
  readonly text: string;
}

/**
 * Writes everything to standard output, to one file, or to one file each in a folder: where `target` is one or ends with /.
 * @throws RefusedError where a file cannot be written
 */
export async function writeOutput(files: readonly OutputFile[], target: string | undefined, io: Io): Promise<void> {
  const all = files.map(({ text }) => text).join('');
  if (target === undefined || target === '-') return io.out(all);
  try {
    if (!(await isFolder(target))) return await writeFile(target, all);
    await mkdir(target, { recursive: true });
    for (const { name, text } of files) await writeFile(join(target, name), text);
  } catch (error) {
    throw new RefusedError({ source: target, message: `cannot be written: ${reasonOf(error)}` });
  }
}

/** Writes the reports as JSON to a file, or for people to standard error. */
export async function writeReports(reports: readonly ObjectReport[], file: string | undefined, io: Io): Promise<void> {
  if (file === undefined) return io.err(reports.map(reportText).join(''));
  await writeOutput(
    [{ name: 'report.json', text: `${JSON.stringify({ objects: reports }, undefined, 2)}\n` }],
    file,
    io,
  );
}

const isFolder = async (target: string): Promise<boolean> =>
  target.endsWith('/') ||
  (await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  ));
