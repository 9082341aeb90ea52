import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { writesOf } from '../support/audit.ts';
import { beginRollBesideJob, endRollBesideJob } from '../support/chaos-scenario.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

/** The operator renews its lease about sixty times in it. `npm run soak` looks for up to 10 minutes. */
const IDLE_MS = 120_000;
/** The count of an event that came again is written up to 10 s later. */
const SETTLE_MS = 12_000;
/** Of each object, by somebody else, one after the other: what comes again must not seem new either. */
const TOUCHES = 3;
const KINDS = ['pods', 'services', 'taskdefinitions', 'batchjobs', 'controllerrevisions'] as const;
const USER = 'idle-operator';

/** A note on each object, of no meaning to the operator: it looks at all of them again. @returns how many. */
async function touchEverything(ns: TestNamespace): Promise<number> {
  const objects = KINDS.flatMap((kind) => ns.history.all(kind).map(({ metadata: { name } }) => ({ kind, name })));
  const note = { metadata: { annotations: { 'example.com/seen': `${Date.now()}` } } };
  await Promise.all(objects.map(({ kind, name }) => ns.patch(kind, name, note)));
  return objects.length;
}

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
    let touches = 0;
    for (let part = 0; part < TOUCHES; part += 1) {
      touches += await touchEverything(ns);
      await delay(IDLE_MS / TOUCHES);
    }

    const writes = writesOf(suite().auditLog, USER, ns.name);
    expect(writes.filter(({ at }) => at < from)).not.toEqual([]);
    expect(writes.filter(({ at }) => at >= from)).toEqual([]);
    expect(ns.history.length).toBe(recorded + touches);
    expect(Date.parse(await lease())).toBeGreaterThan(Date.parse(renewed));
  });
});
