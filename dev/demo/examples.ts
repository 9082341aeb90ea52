/** The examples as the demo applies them: as they are on real nodes; on simulated ones with what plays the containers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { type Environment, kubectl, type Say } from './environment.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, unknown>;
}

/** Simulated containers run nothing: these annotations make them do what the examples' commands would. */
const PLAYED: Readonly<Record<string, Record<string, string>>> = {
  essential: {
    'kwok.longshore.dev/exit-after': '15s',
    'kwok.longshore.dev/exit-code': '3',
    'kwok.longshore.dev/exit-container': 'worker',
  },
  web: { 'kwok.longshore.dev/ready-after': '3s' },
};

export class Examples {
  readonly #environment: Environment;
  readonly #folder: string;
  readonly #say: Say;

  constructor(environment: Environment, folder: string, say: Say) {
    this.#environment = environment;
    this.#folder = folder;
    this.#say = say;
  }

  /** @throws with kubectl's own words. */
  async apply(...files: readonly string[]): Promise<void> {
    const { cluster, real } = this.#environment;
    this.#say(`$ kubectl apply ${files.map((file) => `-f examples/${file}`).join(' ')}`);
    if (real) {
      await kubectl(cluster, ['apply', ...files.flatMap((file) => ['-f', join(this.#folder, file)])]);
    } else {
      const manifests = files.flatMap((file) => this.#read(file));
      const names = [...new Set(manifests.map(({ metadata }) => metadata.name))].filter((name) => name in PLAYED);
      if (names.length > 0) this.#say(`(with annotations that make simulated nodes play ${names.join(' and ')})`);
      await kubectl(cluster, ['apply', '-f', '-'], toYaml(manifests.map(played)));
    }
  }

  /** Applies the file's task definition with VERSION=2: what a release changes is an image; offline, it is a variable. */
  async applyNextVersion(file: string): Promise<void> {
    const { cluster, real } = this.#environment;
    this.#say(`$ kubectl apply -f ${file}   # its task definition with VERSION=2`);
    const definitions = this.#read(file)
      .filter(({ kind }) => kind === 'TaskDefinition')
      .map(nextVersion);
    await kubectl(cluster, ['apply', '-f', '-'], toYaml(real ? definitions : definitions.map(played)));
  }

  #read(file: string): Manifest[] {
    const text = readFileSync(join(this.#folder, file), 'utf8');
    return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  }
}

function played(manifest: Manifest): Manifest {
  const podAnnotations = manifest.kind === 'TaskDefinition' ? PLAYED[manifest.metadata.name] : undefined;
  if (podAnnotations === undefined) return manifest;
  return { ...manifest, spec: { ...manifest.spec, kubernetes: { podAnnotations } } };
}

interface ContainerWithEnvironment {
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}

function nextVersion(manifest: Manifest): Manifest {
  const containers = manifest.spec.containerDefinitions as readonly ContainerWithEnvironment[];
  const containerDefinitions = containers.map((container) => ({
    ...container,
    environment: container.environment.map((variable) =>
      variable.name === 'VERSION' ? { ...variable, value: '2' } : variable,
    ),
  }));
  return { ...manifest, spec: { ...manifest.spec, containerDefinitions } };
}

const toYaml = (manifests: readonly Manifest[]): string =>
  manifests.map((manifest) => stringify(manifest)).join('---\n');
