/** GPUs and other accelerators of a task; rules within one requirement are in `resource-requirement.ts`. */
import type { ContainerDefinition } from './container-definition.ts';
import type { Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

const requirements = (task: TaskDefinitionFields): ContainerDefinition['resourceRequirements'] =>
  task.containerDefinitions.flatMap(({ resourceRequirements }) => resourceRequirements);

const celSome = (condition: string) =>
  `self.containerDefinitions.exists(c, has(c.resourceRequirements) && c.resourceRequirements.exists(r, ${condition}))`;

export const acceleratorRules: readonly Rule<TaskDefinitionFields>[] = [
  {
    // Text: AWS (measured 2026-09).
    message: "Unsupported field 'inferenceAccelerators'.",
    holds: ({ inferenceAccelerators }) => inferenceAccelerators.length === 0,
    cel: '!has(self.inferenceAccelerators) || size(self.inferenceAccelerators) == 0',
    field: 'inferenceAccelerators',
  },
  {
    message: 'containers that request GPUs must all use value, or all sharingStrategy',
    holds: (task) => {
      const gpus = requirements(task).filter(({ type }) => type === 'GPU');
      return gpus.every(
        ({ sharingStrategy }) => (sharingStrategy === undefined) === (gpus[0]?.sharingStrategy === undefined),
      );
    },
    cel: `!${celSome("r.type == 'GPU' && has(r.sharingStrategy)")} || !${celSome("r.type == 'GPU' && !has(r.sharingStrategy)")}`,
    field: 'containerDefinitions',
  },
  {
    message: 'only one container of a task can specify NeuronDevice resources',
    holds: ({ containerDefinitions }) =>
      containerDefinitions.filter(({ resourceRequirements }) =>
        resourceRequirements.some(({ type }) => type === 'NeuronDevice'),
      ).length <= 1,
    cel:
      'self.containerDefinitions.map(c, has(c.resourceRequirements) && ' +
      "c.resourceRequirements.exists(r, r.type == 'NeuronDevice') ? 1 : 0).sum() <= 1",
    field: 'containerDefinitions',
  },
];
