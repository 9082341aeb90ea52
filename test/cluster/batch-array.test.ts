import { expect, it } from 'vitest';
import { runArray } from '../support/array-run.ts';
import { randomFrom } from '../support/random.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const seed = Number(process.env.LONGSHORE_SEED ?? Date.now() % 1_000_000);

/** `npm run array` does the same with 10,000. */
it('an array of 1000 counts every child once, however often its operator is killed', {
  timeout: 900_000,
}, async (context) => {
  const { name } = await suite().namespace(context);
  const { violations } = await runArray({
    api: suite().api,
    namespace: name,
    size: 1000,
    accounting: 'Relaxed',
    kills: 3,
    random: randomFrom(seed),
    restart: async () => {
      await suite().operator.kill('SIGKILL');
      await suite().startOperator();
    },
    timeoutMs: 800_000,
  });
  expect(violations, `LONGSHORE_SEED=${seed}`).toEqual([]);
});
