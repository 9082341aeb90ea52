import { sleep } from '../cluster/run.ts';

export interface ExampleTask {
  readonly containerDefinitions: readonly {
    readonly name: string;
    readonly image: string;
    readonly portMappings?: readonly { readonly containerPort: number }[];
  }[];
}

/** What came of an example, for people. */
export type Answer = string;

export const firstPort = ({ containerDefinitions }: ExampleTask): number | undefined =>
  containerDefinitions.flatMap(({ portMappings }) => portMappings ?? [])[0]?.containerPort;

/** Asks until there is an answer, however a program that has just started is busy. */
export async function tryPage(url: string, seconds: number): Promise<Answer> {
  const until = Date.now() + seconds * 1000;
  let problem = '';
  while (Date.now() < until) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
      const server = response.headers.get('server');
      return `runs and answers ${response.status}${server === null ? '' : ` (${server})`} on port ${new URL(url).port || 80}`;
    } catch (error) {
      problem = error instanceof Error ? String(error.cause ?? error) : String(error);
      await sleep(500);
    }
  }
  return `does not answer: ${problem}`;
}
