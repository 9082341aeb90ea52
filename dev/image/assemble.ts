/** Carries the Dockerfile's steps out without an engine. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, posix, resolve } from 'node:path';
import type { ImageConfig } from '../cluster/images.ts';
import { mustRun } from '../cluster/run.ts';
import type { Entry } from '../cluster/tar.ts';
import { filesBelow, nodeBase, withFolders } from './base.ts';
import { copyOf, type Instruction, keyAndValue, parseDockerfile, type Stage } from './dockerfile.ts';

const root = resolve(import.meta.dirname, '..', '..');
const nodeModules = join(root, 'node_modules');

export interface Assembled {
  /** Lowest first. */
  readonly layers: readonly (readonly Entry[])[];
  readonly config: ImageConfig;
}

/** What .dockerignore leaves of the repository: it ignores everything but the paths it names. */
export function buildContext(ignore = readFileSync(join(root, '.dockerignore'), 'utf8')): string[] {
  const [first, ...paths] = ignore.split('\n').filter((line) => line !== '');
  if (first !== '*' || paths.some((path) => !/^![\w./-]+$/.test(path)))
    throw new Error('.dockerignore: npm run image knows `*` and then `!path`');
  return paths.map((path) => path.slice(1));
}

/**
 * A stage of Node and npm is a folder of this machine with the project's own Node; its packages are those that are
 * installed already, by the same lock file.
 */
async function runBuildStage({ instructions }: Stage, folder: string): Promise<string> {
  let workdir = '/';
  const at = (path: string): string => join(folder, posix.resolve(workdir, path));
  for (const instruction of instructions) {
    const { name, text, line } = instruction;
    if (name === 'WORKDIR') {
      workdir = posix.resolve(workdir, text);
      mkdirSync(at('.'), { recursive: true });
    } else if (name === 'COPY') {
      const { sources, target } = copyOf(instruction);
      for (const source of sources) {
        for (const path of buildContext().filter((one) => source === '.' || source === one)) {
          const to = join(at(target), path);
          mkdirSync(dirname(to), { recursive: true });
          cpSync(join(root, path), to, { recursive: true });
        }
      }
    } else if (name === 'RUN' && text.startsWith('npm ci ')) {
      symlinkSync(nodeModules, at('node_modules'));
    } else if (name === 'RUN') {
      const PATH = [join(nodeModules, '.bin'), process.env.PATH].join(delimiter);
      await mustRun('sh', ['-c', text], { cwd: at('.'), env: { ...process.env, PATH }, timeout: 600_000 });
    } else {
      throw new Error(`Dockerfile:${line}: not in this stage: ${name}`);
    }
  }
  return folder;
}

/** The last stage: what it adds to its base, and how the image runs. */
function finalStage({ instructions }: Stage, base: ImageConfig, folders: ReadonlyMap<string, string>): Assembled {
  let config = { ...base };
  const entries: Entry[] = [];
  const add = (path: string, from: string): void => {
    entries.push({ path: path.slice(1), mode: 0o644, type: 'file', bytes: readFileSync(from) });
  };
  const steps: Readonly<Record<Instruction['name'], (instruction: Instruction) => void>> = {
    LABEL: (one) => {
      config = { ...config, Labels: { ...config.Labels, ...Object.fromEntries([keyAndValue(one)]) } };
    },
    ENV: (one) => {
      config = { ...config, Env: [...(config.Env ?? []), keyAndValue(one).join('=')] };
    },
    WORKDIR: ({ text }) => {
      config = { ...config, WorkingDir: text };
    },
    USER: ({ text }) => {
      config = { ...config, User: text };
    },
    EXPOSE: ({ text }) => {
      config = { ...config, ExposedPorts: { ...config.ExposedPorts, [`${text}/tcp`]: {} } };
    },
    ENTRYPOINT: ({ text }) => {
      config = { ...config, Entrypoint: JSON.parse(text) };
    },
    COPY: (one) => {
      const { from, sources, target } = copyOf(one);
      const folder = from === undefined ? root : folders.get(from);
      if (folder === undefined) throw new Error(`Dockerfile:${one.line}: there is no stage ${from}`);
      const to = posix.resolve(config.WorkingDir ?? '/', target);
      for (const source of sources) {
        if (from === undefined && !buildContext().includes(source))
          throw new Error(`Dockerfile:${one.line}: .dockerignore leaves ${source} out`);
        const path = join(folder, source);
        if (statSync(path).isFile()) add(posix.join(to, posix.basename(source)), path);
        else for (const name of filesBelow(path)) add(posix.join(to, name), join(path, name));
      }
    },
    RUN: ({ line }) => {
      throw new Error(`Dockerfile:${line}: there is no shell in this stage`);
    },
  };
  for (const instruction of instructions) steps[instruction.name](instruction);
  return { layers: [withFolders(entries)], config };
}

/** @throws Error with the line of a step that it does not know. */
export async function assemble(): Promise<Assembled> {
  const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const last = stages.pop();
  if (last?.base !== 'gcr.io/distroless/nodejs24-debian13' || stages.some(({ base }) => base !== 'node'))
    throw new Error('Dockerfile: npm run image knows stages of node, and a last one of distroless/nodejs24-debian13');
  const temporary = mkdtempSync(join(tmpdir(), 'longshore-image-'));
  try {
    const folders = new Map<string, string>();
    for (const stage of stages) {
      const name = stage.name ?? `${folders.size}`;
      folders.set(name, await runBuildStage(stage, join(temporary, name)));
    }
    const base = await nodeBase();
    const { layers, config } = finalStage(last, base.config, folders);
    return { layers: [base.entries, ...layers], config };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
