import { API_VERSION } from '../api/meta.ts';
import { uniqueDnsName } from '../api/names.ts';
import type { Fields } from './fields.ts';
import type { KindName } from './kinds.ts';

/** A Longshore object as a manifest has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: KindName;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Fields;
}

/** A manifest whose object's name is derived from AWS's name. */
export function manifestOf(
  kind: KindName,
  awsName: string,
  namespace: string | undefined,
  spec: Fields,
  annotations?: Readonly<Record<string, string>>,
): Manifest {
  return {
    apiVersion: API_VERSION,
    kind,
    metadata: {
      name: uniqueDnsName(awsName),
      ...(namespace !== undefined && { namespace }),
      ...(annotations !== undefined && { annotations }),
    },
    spec,
  };
}
