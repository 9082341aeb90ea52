import type { V1Container, V1Probe } from '@kubernetes/client-node';
import type { ContainerDefinition, HealthCheck } from '../api/container-definition.ts';
import type { TargetCheck } from '../traffic/registration.ts';
import { literal } from './literal.ts';
import type { TaskContext } from './task-context.ts';

/**
 * The ECS check as a readiness probe: nothing is killed for being unhealthy (design §3, decision 4). As with Docker,
 * what follows the one command of CMD-SHELL are the arguments of the shell (moby `daemon/health.go`). A pod has one
 * readiness probe a container: that of a target group comes before the container's own, which then restarts nothing,
 * but ends the container that fails it.
 */
export function health(
  container: ContainerDefinition,
  task: TaskContext,
): Pick<V1Container, 'readinessProbe' | 'livenessProbe'> {
  const { healthCheck } = container;
  const target = checkedTarget(container, task);
  if (target === undefined) return healthCheck === undefined ? {} : { readinessProbe: commandProbe(healthCheck) };
  const readinessProbe = targetProbe(target.check, target.containerPort);
  if (healthCheck === undefined) return { readinessProbe };
  const { startPeriod } = healthCheck;
  const livenessProbe = { ...commandProbe(healthCheck), ...(startPeriod > 0 && { initialDelaySeconds: startPeriod }) };
  return { readinessProbe, livenessProbe };
}

/** The first target group whose check the container answers: it has one probe. */
export function checkedTarget(
  { name }: ContainerDefinition,
  { registrations }: TaskContext,
): { readonly check: TargetCheck; readonly containerPort: number } | undefined {
  for (const { container, containerPort, targetGroup } of registrations) {
    if (container === name && targetGroup?.check !== undefined) return { check: targetGroup.check, containerPort };
  }
  return undefined;
}

function commandProbe({ command, interval, timeout, retries }: HealthCheck): V1Probe {
  const [form, ...rest] = command;
  return {
    exec: { command: (form === 'CMD-SHELL' ? ['/bin/sh', '-c', ...rest] : rest).map(literal) },
    periodSeconds: interval,
    timeoutSeconds: timeout,
    failureThreshold: retries,
    successThreshold: 1,
  };
}

function targetProbe(check: TargetCheck, containerPort: number): V1Probe {
  const port = check.port ?? containerPort;
  return {
    ...(check.protocol === 'TCP'
      ? { tcpSocket: { port } }
      : { httpGet: { path: check.path, port, scheme: check.protocol } }),
    periodSeconds: check.intervalSeconds,
    timeoutSeconds: check.timeoutSeconds,
    failureThreshold: check.unhealthyThresholdCount,
    successThreshold: 1,
  };
}
