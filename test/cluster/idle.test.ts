import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { writesOf } from '../support/audit.ts';
import { beginRollBesideJob, endRollBesideJob } from '../support/chaos-scenario.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

/** The operator renews its lease about sixty times in it. `npm run soak` looks for up to 10 minutes. */
const IDLE_MS = 120_000;
/** The count of an event that came again is written up to 10 s later. */
const SETTLE_MS = 12_000;
const USER = 'idle-operator';

describe('an operator that has nothing to do', () => {
  it(`writes nothing for ${IDLE_MS / 1000} s but its lease`, { timeout: 240_000 }, async (context) => {
    const ns = await suite().namespace(context);
    const kubeconfig = await suite().cluster.userKubeconfig(USER, ['system:masters']);
    const operator = suite().newOperator(
      ['--namespace', ns.name, '--leader-elect-resource-namespace', ns.name],
      kubeconfig,
    );
    context.onTestFinished(() => operator.kill('SIGTERM'));
    await operator.logged('became the leader');
    await beginRollBesideJob(ns, { desiredCount: 3 });
    await endRollBesideJob(ns, { desiredCount: 3 });
    const lease = async (): Promise<string> =>
      (await ns.kubectl(['get', 'lease', 'longshore', '-o', 'jsonpath={.spec.renewTime}'])).trim();
    await delay(SETTLE_MS);
    const renewed = await lease();
    const from = Date.now();
    const recorded = ns.history.length;
    await delay(IDLE_MS);

    const writes = writesOf(suite().auditLog, USER, ns.name);
    expect(writes.filter(({ at }) => at < from)).not.toEqual([]);
    expect(writes.filter(({ at }) => at >= from)).toEqual([]);
    expect(ns.history.length).toBe(recorded);
    expect(Date.parse(await lease())).toBeGreaterThan(Date.parse(renewed));
  });
});
