/** Files of variables, read as the ECS agent reads them (`ecs-semantics §1.9`). */

/** Go's scanner, which the agent reads with, gives up on a longer line. Bytes. */
const LONGEST_LINE = 65_535;

/**
 * `NAME=VALUE` lines: split at the first `=`; quotes, spaces and `$` are literal. Lines that begin with `#`, have no `=` or
 * no name count for nothing; of two with one name the last counts.
 * @throws Error for a line over 64 KiB, as which ECS does not start the task.
 */
export function parseEnvironmentFile(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (Buffer.byteLength(line) > LONGEST_LINE) throw new Error(`line ${index + 1} is longer than 64 KiB`);
    const separator = line.indexOf('=');
    if (line.startsWith('#') || separator < 1) continue;
    variables.set(line.slice(0, separator), line.slice(separator + 1).replace(/\r$/, ''));
  }
  return variables;
}

/** Of several files the first one that has a variable gives its value. */
export function mergeEnvironmentFiles(files: readonly ReadonlyMap<string, string>[]): Map<string, string> {
  return new Map([...files].reverse().flatMap((file) => [...file]));
}
