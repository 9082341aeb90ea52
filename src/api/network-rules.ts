/** What goes with which networkMode, pidMode and ipcMode (`ecs-semantics` §1.1, §1.3, §1.7). */
import type { ContainerDefinition } from './container-definition.ts';
import { networkMode, noContainer, onFargate } from './element-rules.ts';
import { celText, type Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

// Text: AWS (ecs-semantics §1.3).
const linksOnlyInBridge: Rule<TaskDefinitionFields> = {
  refuses: (task) =>
    task.networkMode !== 'bridge' && task.containerDefinitions.some(({ links }) => links.length > 0)
      ? linksRefused(task.networkMode)
      : undefined,
  cel: "self.networkMode == 'bridge' || !self.containerDefinitions.exists(c, has(c.links) && size(c.links) > 0)",
  celMessage: celText(linksRefused, 'self.networkMode'),
  field: 'containerDefinitions',
};

function linksRefused(mode: string): string {
  return `Links are not supported when networkMode=${mode}.`;
}

const notInAwsvpc = (
  subject: string,
  breaks: (container: ContainerDefinition) => boolean,
  cel: (container: string) => string,
) =>
  noContainer({
    when: networkMode('awsvpc'),
    breaks,
    cel,
    message: (name) => `container '${name}': ${subject} not supported on container when networkMode=awsvpc.`,
  });

const given = (field: string) => (container: string) => `has(${container}.${field}) && size(${container}.${field}) > 0`;

// Text: AWS (measured 2026-09).
const fargateNetwork: Rule<TaskDefinitionFields> = {
  message: "Fargate only supports network mode 'awsvpc'.",
  holds: (task) => !onFargate.holds(task) || task.networkMode === 'awsvpc',
  cel: `!(${onFargate.cel}) || self.networkMode == 'awsvpc'`,
  field: 'networkMode',
};

// Text: AWS (measured 2026-09).
const proxyNeedsAwsvpc: Rule<TaskDefinitionFields> = {
  message: 'APPMESH proxy configuration is only supported in networkMode=awsvpc',
  holds: (task) => task.proxyConfiguration === undefined || task.networkMode === 'awsvpc',
  cel: "!has(self.proxyConfiguration) || self.networkMode == 'awsvpc'",
  field: 'proxyConfiguration',
};

// Text: AWS (measured 2026-09).
const noProxy = (name: string) => `Proxy container [${name}] does not exist.`;
const proxyExists: Rule<TaskDefinitionFields> = {
  refuses: ({ proxyConfiguration, containerDefinitions }) =>
    proxyConfiguration === undefined ||
    containerDefinitions.some(({ name }) => name === proxyConfiguration.containerName)
      ? undefined
      : noProxy(proxyConfiguration.containerName),
  cel: '!has(self.proxyConfiguration) || self.containerDefinitions.exists(c, c.name == self.proxyConfiguration.containerName)',
  celMessage: celText(noProxy, 'self.proxyConfiguration.containerName'),
  field: 'proxyConfiguration',
};

export const networkRules: readonly Rule<TaskDefinitionFields>[] = [
  fargateNetwork,
  linksOnlyInBridge,
  // Texts: AWS (measured 2026-09), but for dnsSearchDomains.
  notInAwsvpc(
    'hostname is',
    ({ hostname }) => hostname !== undefined,
    (c) => `has(${c}.hostname)`,
  ),
  notInAwsvpc('Extra hosts are', ({ extraHosts }) => extraHosts.length > 0, given('extraHosts')),
  notInAwsvpc('DNS servers are', ({ dnsServers }) => dnsServers.length > 0, given('dnsServers')),
  notInAwsvpc(
    'DNS search domains are',
    ({ dnsSearchDomains }) => dnsSearchDomains.length > 0,
    given('dnsSearchDomains'),
  ),
  notInAwsvpc(
    'Disable Networking is',
    (c) => c.disableNetworking,
    (c) => `has(${c}.disableNetworking) && ${c}.disableNetworking`,
  ),
  proxyNeedsAwsvpc,
  proxyExists,
];
