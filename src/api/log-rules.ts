/** Log routers and those that use them (`ecs-semantics` §1.11). */
import type { Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

const routers = ({ containerDefinitions }: TaskDefinitionFields) =>
  containerDefinitions.filter(({ firelensConfiguration }) => firelensConfiguration !== undefined);
const routed = ({ containerDefinitions }: TaskDefinitionFields) =>
  containerDefinitions.filter(({ logConfiguration }) => logConfiguration?.logDriver === 'awsfirelens');

const celRouter = 'self.containerDefinitions.exists(c, has(c.firelensConfiguration))';
const celRouted =
  "self.containerDefinitions.exists(c, has(c.logConfiguration) && c.logConfiguration.logDriver == 'awsfirelens')";

export const logRules: readonly Rule<TaskDefinitionFields>[] = [
  {
    // Text: AWS (ecs-semantics §1.3).
    message:
      'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver',
    holds: (task) => routers(task).length === 0 || routed(task).length > 0,
    cel: `!${celRouter} || ${celRouted}`,
    field: 'containerDefinitions',
  },
  {
    // Text: AWS (measured 2026-09).
    message:
      'When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.',
    holds: (task) => routed(task).length === 0 || routers(task).length > 0,
    cel: `!${celRouted} || ${celRouter}`,
    field: 'containerDefinitions',
  },
  {
    message: 'only one container of a task may have a firelensConfiguration',
    holds: (task) => routers(task).length <= 1,
    cel: 'self.containerDefinitions.map(c, has(c.firelensConfiguration) ? 1 : 0).sum() <= 1',
    field: 'containerDefinitions',
  },
];
