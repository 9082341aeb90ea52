/** What names of Cloud Map are in a cluster: those of core Services, which its DNS serves as NAME and NAME.NAMESPACE. */
import type { ClusterSpec } from '../api/cluster.ts';
import { CORE_SERVICE_NAME } from '../api/cluster-mappings.ts';
import { parseArn } from '../api/names.ts';
import { noMapping, type Unresolved } from '../pod/references.ts';

const LONGEST = 63;
const isCoreServiceName = (name: string): boolean => name.length <= LONGEST && CORE_SERVICE_NAME.test(name);

/** What DNS labels of core Services are, for whoever has to choose another. */
const ALLOWED = 'at most 63 of a-z, 0-9 and -, starting with a letter';

/** The core Service that stands for a Cloud Map service: by its mapping, or by its name. */
export function registryName(text: string, cluster: ClusterSpec): { readonly name: string } | Unresolved {
  const found = cluster.mappings.serviceRegistries.find(({ registryArn }) => registryArn === text);
  if (found !== undefined) return { name: found.serviceName };
  const arn = parseArn(text);
  if (arn !== undefined)
    return { unresolved: noMapping(text, 'serviceRegistries', '{registryArn, serviceName}', arn, cluster) };
  if (isCoreServiceName(text)) return { name: text };
  return {
    unresolved: `"${text}" is no ARN, and cannot be the name of a core Service (${ALLOWED}): add {registryArn, serviceName} to spec.mappings.serviceRegistries of the namespace's Cluster`,
  };
}

export interface Where {
  /** Of the Service. */
  readonly namespace: string;
  /** Name or ARN of the Cloud Map namespace, where one is given. */
  readonly cloudMap?: string | undefined;
}

export interface AliasName {
  readonly name: string;
  /** Which name of AWS's does not resolve here, and what does. */
  readonly note?: string;
}

/** Of a Cloud Map namespace; its ARN has none in it. */
const nameOf = (cloudMap: string | undefined): string | undefined =>
  cloudMap === undefined || parseArn(cloudMap) !== undefined ? undefined : cloudMap;

const refused = (text: string, { namespace }: Where): Unresolved => ({
  unresolved: `"${text}" does not resolve in this cluster; allowed: a name (${ALLOWED}), or one followed by .${namespace}`,
});

const note = (given: string, name: string, namespace: string): string =>
  `"${given}" does not resolve in this cluster, "${name}" and "${name}.${namespace}" do: give clients one of them, or run the services in a namespace called as that of Cloud Map`;

/** What `clientAliases[].dnsName` is: a label, or one in this namespace. */
export function aliasName(dnsName: string, where: Where): AliasName | Unresolved {
  const [label = '', ...rest] = dnsName.split('.');
  if (!isCoreServiceName(label)) return refused(dnsName, where);
  const domain = rest.join('.');
  const { namespace } = where;
  if (domain === '' || domain === namespace || domain === `${namespace}.svc`) return { name: label };
  if (domain.startsWith(`${namespace}.svc.`)) return { name: label };
  return domain === nameOf(where.cloudMap)
    ? { name: label, note: note(dnsName, label, namespace) }
    : refused(dnsName, where);
}

/** AWS's default of dnsName: `discoveryName.namespace`, the namespace being that of Cloud Map. */
export function discoveredName(discoveryName: string, where: Where): AliasName | Unresolved {
  if (!isCoreServiceName(discoveryName)) return refused(discoveryName, where);
  const cloudMap = nameOf(where.cloudMap);
  if (cloudMap === undefined || cloudMap === where.namespace) return { name: discoveryName };
  return { name: discoveryName, note: note(`${discoveryName}.${cloudMap}`, discoveryName, where.namespace) };
}
