/** The examples as the demo applies them: as they are on real nodes; on simulated ones with what plays the containers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
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

export const playedFamilies = Object.keys(PLAYED);

export function readManifests(folder: string): Manifest[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), 'utf8')))
    .map((document) => document.toJS() as Manifest);
}

export function played(manifest: Manifest): Manifest {
  const podAnnotations = manifest.kind === 'TaskDefinition' ? PLAYED[manifest.metadata.name] : undefined;
  return podAnnotations === undefined
    ? manifest
    : { ...manifest, spec: { ...manifest.spec, kubernetes: { podAnnotations } } };
}

interface ContainerWithEnvironment {
  readonly name: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}

/** The next version of the web task definition: what a release changes is an image; offline, it is a variable. */
export function nextVersion(web: Manifest, version: string): Manifest {
  const containers = web.spec.containerDefinitions as readonly ContainerWithEnvironment[];
  return {
    ...web,
    spec: {
      ...web.spec,
      containerDefinitions: containers.map((container) => ({
        ...container,
        environment: container.environment.map((variable) =>
          variable.name === 'VERSION' ? { ...variable, value: version } : variable,
        ),
      })),
    },
  };
}

export const toYaml = (manifests: readonly Manifest[]): string =>
  manifests.map((manifest) => stringify(manifest)).join('---\n');
