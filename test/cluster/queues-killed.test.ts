import { expect, it } from 'vitest';
import { pathOf } from '../support/kube-api.ts';
import { environmentsOf, runQueues } from '../support/queue-run.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

/** `npm run queues` does the same with 20 queues of 1,000 jobs. */
it('jobs in queues never take more than there is, and each starts once, however often the operator is killed', {
  timeout: 900_000,
}, async (context) => {
  const { name } = await suite().namespace(context);
  context.onTestFinished(async () => {
    for (const each of environmentsOf(name))
      await suite().api.call('DELETE', pathOf('computeenvironments', name, each));
  });
  const { violations } = await runQueues({
    api: suite().api,
    namespace: name,
    queues: 2,
    jobs: 100,
    ceilings: [30, 20],
    kills: 2,
    probes: 1,
    restart: async () => {
      await suite().operator.kill('SIGKILL');
      await suite().startOperator();
    },
    timeoutMs: 800_000,
  });
  expect(violations).toEqual([]);
});
