import type { V1Container, V1Probe } from '@kubernetes/client-node';
import type { ContainerDefinition, HealthCheck } from '../api/container-definition.ts';
import { literal } from './literal.ts';

/**
 * The ECS check as a readiness probe: nothing is killed for being unhealthy (design §3, decision 4). As with Docker,
 * what follows the one command of CMD-SHELL are the arguments of the shell (moby `daemon/health.go`).
 */
export const health = ({ healthCheck }: ContainerDefinition): Pick<V1Container, 'readinessProbe'> =>
  healthCheck === undefined ? {} : { readinessProbe: readiness(healthCheck) };

function readiness({ command, interval, timeout, retries }: HealthCheck): V1Probe {
  const [form, ...rest] = command;
  return {
    exec: { command: (form === 'CMD-SHELL' ? ['/bin/sh', '-c', ...rest] : rest).map(literal) },
    periodSeconds: interval,
    timeoutSeconds: timeout,
    failureThreshold: retries,
    successThreshold: 1,
  };
}
