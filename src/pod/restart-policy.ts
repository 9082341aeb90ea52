import type { V1Container } from '@kubernetes/client-node';
import type { ContainerDefinition, RestartPolicy } from '../api/container-definition.ts';
import type { TaskContext } from './task-context.ts';

/** The policy that the cluster can carry out; absent where the container is never restarted in place. */
export const restartPolicyOf = (
  { restartPolicy }: ContainerDefinition,
  { features }: TaskContext,
): RestartPolicy | undefined => (restartPolicy?.enabled && features.containerRestartRules ? restartPolicy : undefined);

/**
 * Restart after every exit code but the ignored ones (design §3, decision 5). The kubelet knows no restartAttemptPeriod:
 * a run shorter than that is for the operator to see (`ecs/restart-policy.ts`).
 */
export function restart(
  container: ContainerDefinition,
  task: TaskContext,
): Pick<V1Container, 'restartPolicy' | 'restartPolicyRules'> {
  const policy = restartPolicyOf(container, task);
  if (policy === undefined) return {};
  if (policy.ignoredExitCodes.length === 0) return { restartPolicy: 'Always' };
  return {
    restartPolicy: 'Never',
    restartPolicyRules: [
      { action: 'Restart', exitCodes: { operator: 'NotIn', values: [...new Set(policy.ignoredExitCodes)] } },
    ],
  };
}
