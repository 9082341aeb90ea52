/** What is shown of the services and jobs: as a table on a terminal, as a sentence each where lines are kept. */
import type { SeenBatchJob, SeenService } from './watcher.ts';

const COLUMNS = ['SERVICE', 'STATUS', 'TASKDEF', 'DESIRED', 'PENDING', 'RUNNING', 'NEWEST EVENT'] as const;

export function table(services: readonly SeenService[], jobs: readonly SeenBatchJob[]): string[] {
  const rows = services.flatMap(serviceRows);
  const lines = rows.length === 0 ? [] : aligned([[...COLUMNS], ...rows]);
  return [...lines, ...jobs.map((job) => `job ${jobSentence(job)}`)];
}

function serviceRows({ metadata, status }: SeenService): string[][] {
  const deployments = status?.deployments ?? [];
  const newest = (status?.events?.[0]?.message ?? '').replace(/^\(service [^)]+\) /, '');
  if (deployments.length === 0) return [[metadata.name, '', '', '', '', '', newest]];
  return deployments.map((deployment, position) => [
    position === 0 ? metadata.name : '',
    deployment.status,
    deployment.taskDefinition,
    String(deployment.desiredCount),
    String(deployment.pendingCount),
    String(deployment.runningCount),
    position === 0 ? newest : '',
  ]);
}

function aligned(rows: readonly string[][]): string[] {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const isCount = (column: number): boolean => column >= 3 && column <= 5;
  return rows.map((row) =>
    row
      .map((cell, column) => (isCount(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** `web: PRIMARY web:2 desired 10 pending 10 running 0; ACTIVE web:1 desired 5 pending 0 running 5` */
export function serviceSentence({ metadata, status }: SeenService): string {
  const deployments = (status?.deployments ?? []).map(
    ({ status: state, taskDefinition, desiredCount, pendingCount, runningCount }) =>
      `${state} ${taskDefinition} desired ${desiredCount} pending ${pendingCount} running ${runningCount}`,
  );
  return `${metadata.name}: ${deployments.length === 0 ? 'no deployment yet' : deployments.join('; ')}`;
}

/** `squares: PENDING, 4 of 20 SUCCEEDED` */
export function jobSentence({ metadata, status }: SeenBatchJob): string {
  const { size, statusSummary } = status?.arrayProperties ?? {};
  const state = status?.status ?? 'not seen by the operator yet';
  if (size === undefined || statusSummary === undefined) return `${metadata.name}: ${state}`;
  const counts = Object.entries(statusSummary).filter(([, count]) => count > 0);
  return `${metadata.name}: ${state}, of ${size} ${counts.map(([name, count]) => `${count} ${name}`).join(', ')}`;
}
