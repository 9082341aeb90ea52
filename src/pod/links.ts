import type { V1EnvVar } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { environment } from './environment.ts';
import type { TaskContext } from './task-context.ts';

/** Docker leaves these out. */
const NOT_HANDED_ON = ['HOME', 'PATH'];

/**
 * The variables that a link gives a container on ECS, as Docker does (moby `daemon/links/links.go`): address and ports
 * of the other under its alias, and the other's own variables. Only ports and variables of the definition are known here,
 * not those of the image.
 */
export function linkVariables(container: ContainerDefinition, task: TaskContext): V1EnvVar[] {
  return container.links.flatMap((link) => {
    const [name = '', alias = name] = link.split(':');
    const target = task.containers.find((other) => other.name === name);
    if (target === undefined) return [];
    const prefix = alias.toUpperCase().replaceAll('-', '_');
    const handedOn = (environment(target, task).env ?? []).filter((variable) => !NOT_HANDED_ON.includes(variable.name));
    return [
      ...portVariables(target, prefix),
      { name: `${prefix}_NAME`, value: `/${container.name}/${alias}` },
      ...handedOn.map((variable) => ({ ...variable, name: `${prefix}_ENV_${variable.name}` })),
    ];
  });
}

function portVariables({ portMappings }: ContainerDefinition, prefix: string): V1EnvVar[] {
  const ports = portMappings
    .flatMap(({ containerPort, protocol }) => (containerPort === undefined ? [] : [{ port: containerPort, protocol }]))
    .sort((a, b) => a.protocol.localeCompare(b.protocol) || a.port - b.port);
  const url = ({ port, protocol }: (typeof ports)[number]) => `${protocol}://127.0.0.1:${port}`;
  const each = ports.flatMap((mapping) => {
    const own = `${prefix}_PORT_${mapping.port}_${mapping.protocol.toUpperCase()}`;
    return [
      { name: own, value: url(mapping) },
      { name: `${own}_ADDR`, value: '127.0.0.1' },
      { name: `${own}_PORT`, value: String(mapping.port) },
      { name: `${own}_PROTO`, value: mapping.protocol },
    ];
  });
  const [first] = ports;
  return first === undefined ? each : [{ name: `${prefix}_PORT`, value: url(first) }, ...each];
}
