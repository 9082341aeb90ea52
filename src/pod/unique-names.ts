import { dnsName, uniqueDnsName } from '../api/names.ts';

/**
 * Pod names for the containers or volumes of one task definition: the derived DNS name, with a short hash where two
 * AWS names derive the same one (`App` and `app`).
 * @returns AWS name → name in the pod.
 */
export function uniqueNames(awsNames: readonly string[]): ReadonlyMap<string, string> {
  const derived = Map.groupBy(awsNames, (name) => dnsName(name));
  return new Map(
    awsNames.map((name) => {
      const dns = dnsName(name);
      return [name, derived.get(dns)?.length === 1 ? dns : uniqueDnsName(name)];
    }),
  );
}
