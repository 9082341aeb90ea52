/** What load balancers of AWS say of a task: conditions of its pod that the AWS Load Balancer Controller writes. */
import { type TargetGate, targetHealth } from '../ecs/target-gate.ts';
import type { ContainerTraits } from '../ecs/task.ts';
import { bindingOfCondition } from '../traffic/target-group-binding.ts';
import type { PodJson } from './observe.ts';

/** Of the gates that somebody else has put there, nothing is said. */
export function targetGatesOf(
  { spec, status }: PodJson,
  traits: Readonly<Record<string, ContainerTraits>>,
): { readonly targetGates?: readonly TargetGate[] } {
  const bindings = (spec?.readinessGates ?? []).flatMap(({ conditionType }) => bindingOfCondition(conditionType) ?? []);
  if (bindings.length === 0) return {};
  const endpoints = Object.values(traits).flatMap((container) => container.endpoints ?? []);
  const targetGates = bindings.flatMap((service): TargetGate[] => {
    const arn = endpoints.find((endpoint) => endpoint.service === service)?.arn;
    if (arn === undefined) return [];
    const condition = status?.conditions?.find(({ type }) => bindingOfCondition(type) === service);
    const health = targetHealth(condition);
    const description = health === 'HEALTHY' ? undefined : condition?.message;
    return [{ service, arn, health, ...(description && { description }) }];
  });
  return targetGates.length === 0 ? {} : { targetGates };
}
