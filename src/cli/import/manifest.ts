/** The object that an input of AWS becomes. */
import { API_VERSION } from '../../api/meta.ts';
import { uniqueDnsName } from '../../api/names.ts';
import type { Fields } from '../fields.ts';
import type { KindName } from '../kinds.ts';
import type { AwsInput, Change } from './aws-input.ts';

/** A Longshore object as a manifest has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: KindName;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Fields;
}

export interface Imported {
  readonly manifest: Manifest;
  readonly from: AwsInput;
  readonly changes: readonly Change[];
}

/** The manifest of an input that AWS's model has nothing against: `spec` is the input, the object's name is derived from AWS's name. */
export function toManifest(from: AwsInput, namespace: string | undefined): Imported {
  const { input } = from;
  const name = uniqueDnsName(String(input.family));
  const manifest: Manifest = {
    apiVersion: API_VERSION,
    kind: 'TaskDefinition',
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: input,
  };
  return { manifest, from, changes: from.changes };
}
