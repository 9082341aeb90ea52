/** The server of the tests that count lost requests (dev/traffic-server): built once, and served as an image. */
import { join, resolve } from 'node:path';
import { ensureGoPrograms, type GoPrograms, goProgramsFolder } from './go-programs.ts';

const FILE = 'traffic-server';

const program: GoPrograms = {
  moduleDir: resolve(import.meta.dirname, '..', 'traffic-server'),
  what: 'the traffic server',
  minutes: 1,
  sources: ['main.go'],
  files: [FILE],
  flags: ['-ldflags=-s -w'],
};

/** Where the program is once it has been built. */
export const trafficServerPath = (): string => join(goProgramsFolder(program), FILE);

/**
 * Builds the program where it is missing; from then on real nodes find its image.
 * @throws GoUnavailableError
 */
export async function ensureTrafficServer(onProgress: (line: string) => void = console.error): Promise<void> {
  await ensureGoPrograms(program, onProgress);
}
