/** Longshore's own CRDs, as they are in crds/. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { GROUP } from '../../api/meta.ts';
import type { CrdSchema } from './schema.ts';

export interface CustomResource {
  readonly kind: string;
  readonly plural: string;
  readonly version: string;
  readonly namespaced: boolean;
  readonly schema: CrdSchema;
  /** Where kubectl scale finds the number of tasks, e.g. `.spec.desiredCount`. */
  readonly specReplicasPath?: string;
}

interface CrdFile {
  readonly spec: {
    readonly scope: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: CrdSchema };
      readonly subresources?: { readonly scale?: { readonly specReplicasPath: string } };
    }[];
  };
}

const FOLDER = new URL('../../../crds/', import.meta.url);

let loaded: readonly CustomResource[] | undefined;

/** Every kind and version that the committed CRDs serve. */
export function customResources(): readonly CustomResource[] {
  loaded ??= readdirSync(FOLDER)
    .filter((name) => name.startsWith(`${GROUP}_`))
    .flatMap((name) => resourcesOf(parse(readFileSync(new URL(name, FOLDER), 'utf8')) as CrdFile));
  return loaded;
}

const resourcesOf = ({ spec: { scope, names, versions } }: CrdFile): CustomResource[] =>
  versions.map(({ name, schema, subresources }) => ({
    ...names,
    version: name,
    namespaced: scope === 'Namespaced',
    schema: schema.openAPIV3Schema,
    ...(subresources?.scale !== undefined && { specReplicasPath: subresources.scale.specReplicasPath }),
  }));
