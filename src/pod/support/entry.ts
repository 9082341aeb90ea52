/** What becomes of a field of AWS's on Kubernetes: the vocabulary of the support tables beside this file. */

import { type ServiceModel, shapeOf } from '../../aws-model/model.ts';
import type { ClusterFeatures } from '../cluster-features.ts';

/**
 * Exact: as on AWS. Approximated: honoured, but not in every detail. Ignored: accepted without effect.
 * Refused: not taken yet; the API server names it as an unknown field, or says what is allowed instead.
 */
export type Support = 'Exact' | 'Approximated' | 'Ignored' | 'Refused';

export interface Verdict {
  readonly support: Support;
  /** What differs from AWS, and why; empty for Exact. */
  readonly reason: string;
  /** Tests that show it on a real container or API server, as `file > title`. An Exact field has one at least. */
  readonly shownBy: readonly string[];
  /** Refused by a rule of the schema, which has the field. */
  readonly byRule?: true;
}

/** A verdict that hangs on what else the definition says. */
export interface Conditional {
  /** Each by the case in which it holds, worded to stand behind "when". */
  readonly cases: Readonly<Record<string, Verdict>>;
  /** The case that holds for a field of this structure of this spec, both as parsed, in a cluster that has these features. */
  choose(structure: object, spec: object, features: ClusterFeatures): string;
}

/** The field has fields of its own, and each of them has an entry. */
export const BY_ITS_FIELDS = 'by its fields';

export type Entry = Verdict | Conditional | typeof BY_ITS_FIELDS;

/** Fields of one structure, by AWS's name. */
export type Table = Readonly<Record<string, Entry>>;

/** Structures by the name that AWS's model gives them. A structure's fields may be spread over several topics. */
export type Topic = Readonly<Record<string, Table>>;

export const exact = (...shownBy: [string, ...string[]]): Verdict => ({ support: 'Exact', reason: '', shownBy });

export const approximated = (reason: string, ...shownBy: string[]): Verdict => ({
  support: 'Approximated',
  reason,
  shownBy,
});

export const ignored = (reason: string, ...shownBy: string[]): Verdict => ({ support: 'Ignored', reason, shownBy });

export const refused = (reason: string): Verdict => ({ support: 'Refused', reason, shownBy: [] });

/** A rule of the schema refuses it and says what is allowed. */
export const refusedByRule = (reason: string): Verdict => ({ ...refused(reason), byRule: true });

/**
 * A verdict by cases.
 * @param cases in the order in which the documentation lists them
 * @param choose names the case that holds
 */
export const conditional = <Structure extends object, Spec extends object, Case extends string>(
  cases: Readonly<Record<Case, Verdict>>,
  choose: (structure: Structure, spec: Spec, features: ClusterFeatures) => Case,
): Conditional => ({ cases, choose });

/** One verdict for every field of these structures, as what holds them has that verdict. */
export const whole = (model: ServiceModel, verdict: Verdict, ...structures: readonly string[]): Topic =>
  Object.fromEntries(
    structures.map((name) => {
      const fields = Object.keys(shapeOf(model, name).members ?? {});
      return [name, Object.fromEntries(fields.map((field) => [field, verdict]))];
    }),
  );

/**
 * The topics as one table.
 * @throws Error where two topics have one field
 */
export function combine(...topics: readonly Topic[]): Topic {
  const combined = new Map<string, Map<string, Entry>>();
  for (const topic of topics) {
    for (const [structure, table] of Object.entries(topic)) {
      const fields = combined.get(structure) ?? new Map<string, Entry>();
      combined.set(structure, fields);
      for (const [field, entry] of Object.entries(table)) {
        if (fields.has(field)) throw new Error(`${structure}.${field} has an entry in two topics`);
        fields.set(field, entry);
      }
    }
  }
  return Object.fromEntries([...combined].map(([structure, fields]) => [structure, Object.fromEntries(fields)]));
}
