/** Names that containers know themselves and others by. What ECS has for each container a pod has once, for all. */
import type { V1HostAlias, V1PodSpec } from '@kubernetes/client-node';
import { z } from 'zod';
import { dnsName } from '../api/names.ts';
import type { TaskContext } from './task-context.ts';

/** resolv.conf takes no more: neither Kubernetes nor the C libraries. */
const MAX_DNS_SERVERS = 3;
const MAX_SEARCH_DOMAINS = 32;
const MAX_SEARCH_LENGTH = 2048;

type Names = Pick<V1PodSpec, 'dnsConfig' | 'dnsPolicy' | 'hostAliases' | 'hostname'>;

export const nameResolution = (task: TaskContext): Names => ({ ...hostAliases(task), ...hostname(task), ...dns(task) });

/** What Kubernetes takes for a name in /etc/hosts; look-ups do not heed case. */
export const isHostName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/i.test(name);

const address = z.union([z.ipv4(), z.ipv6()]);

export const isAddress = (text: string): boolean => address.safeParse(text).success;

/** Links resolve to the task's own address, as its containers share one network; extraHosts as they say. */
function hostAliases({ containers }: TaskContext): { hostAliases?: V1HostAlias[] } {
  const entries = containers.flatMap(({ links, extraHosts }) => [
    ...links.flatMap((link) => link.split(':').map((hostname) => ({ hostname, ipAddress: '127.0.0.1' }))),
    ...extraHosts,
  ]);
  const byAddress = Map.groupBy(
    entries.filter(({ hostname, ipAddress }) => isHostName(hostname) && isAddress(ipAddress)),
    ({ ipAddress }) => ipAddress,
  );
  if (byAddress.size === 0) return {};
  return {
    hostAliases: [...byAddress].map(([ip, names]) => ({
      ip,
      hostnames: [...new Set(names.map(({ hostname }) => hostname.toLowerCase()))],
    })),
  };
}

/** That of the first container that sets one; on the node's network a pod has the node's. */
function hostname({ definition }: TaskContext): { hostname?: string } {
  const name = definition.containerDefinitions.find((container) => container.hostname !== undefined)?.hostname;
  return name === undefined || definition.networkMode === 'host' ? {} : { hostname: dnsName(name) };
}

/** Own servers take the place of the cluster's, as with Docker; search domains come after them, or after the cluster's. */
function dns({ definition, containers }: TaskContext): Pick<V1PodSpec, 'dnsConfig' | 'dnsPolicy'> {
  const nameservers = distinct(containers.flatMap(({ dnsServers }) => dnsServers).filter(isAddress));
  const domains = containers.flatMap(({ dnsSearchDomains }) => dnsSearchDomains).filter(isHostName);
  const searches = distinct(domains.map((domain) => domain.toLowerCase()));
  const own = nameservers.length > 0;
  const dnsConfig = {
    ...(own && { nameservers: nameservers.slice(0, MAX_DNS_SERVERS) }),
    ...(searches.length > 0 && { searches: upToLength(searches.slice(0, MAX_SEARCH_DOMAINS)) }),
  };
  return {
    ...(own && { dnsPolicy: 'None' }),
    // The names of the cluster still resolve on the node's network.
    ...(!own && definition.networkMode === 'host' && { dnsPolicy: 'ClusterFirstWithHostNet' }),
    ...(Object.keys(dnsConfig).length > 0 && { dnsConfig }),
  };
}

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

function upToLength(domains: readonly string[]): string[] {
  let length = -1;
  return domains.filter((domain) => {
    length += domain.length + 1;
    return length <= MAX_SEARCH_LENGTH;
  });
}
