import type { V1Container } from '@kubernetes/client-node';
import type { ContainerDefinition } from '../api/container-definition.ts';
import { literal } from './literal.ts';
import type { TaskContext } from './task-context.ts';

/** The variables of a container; of two with one name the last counts. */
export function environment(
  { environment: variables }: ContainerDefinition,
  _task: TaskContext,
): Pick<V1Container, 'env'> {
  const last = new Map(variables.map(({ name, value }) => [name, value]));
  return { env: [...last].map(([name, value]) => ({ name, value: literal(value) })) };
}
