/** Log routers and those that use them (`ecs-semantics` §1.11), in a task of ECS and in a job of Batch. */
import type { Containers } from './element-rules.ts';
import type { FirelensConfiguration, LogConfiguration } from './log-configuration.ts';
import type { Rule } from './schema.ts';

interface Logging {
  readonly logConfiguration?: LogConfiguration | undefined;
  readonly firelensConfiguration?: FirelensConfiguration | undefined;
}

export function logRules<Task, Container extends Logging>({
  field,
  of,
}: Containers<Task, Container>): readonly Rule<Task>[] {
  const routers = (task: Task) =>
    of(task).filter(({ firelensConfiguration }) => firelensConfiguration !== undefined).length;
  const routed = (task: Task) =>
    of(task).filter(({ logConfiguration }) => logConfiguration?.logDriver === 'awsfirelens').length;
  const celRouter = `self.${field}.exists(c, has(c.firelensConfiguration))`;
  const celRouted = `self.${field}.exists(c, has(c.logConfiguration) && c.logConfiguration.logDriver == 'awsfirelens')`;
  return [
    {
      // Text: AWS (ecs-semantics §1.3).
      message:
        'When a firelensConfiguration object is specified, at least one container has to be configured with the awsfirelens log driver',
      holds: (task) => routers(task) === 0 || routed(task) > 0,
      cel: `!${celRouter} || ${celRouted}`,
      field,
    },
    {
      // Text: AWS (measured 2026-09).
      message:
        'When awsfirelens log driver is specified in log configuration, a firelens configuration object must be configured in one of the containers.',
      holds: (task) => routed(task) === 0 || routers(task) > 0,
      cel: `!${celRouted} || ${celRouter}`,
      field,
    },
    {
      message: 'only one container of a task may have a firelensConfiguration',
      holds: (task) => routers(task) <= 1,
      cel: `self.${field}.map(c, has(c.firelensConfiguration) ? 1 : 0).sum() <= 1`,
      field,
    },
  ];
}
