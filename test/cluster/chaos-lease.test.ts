/** Operators that lose their lease at the same moment: never do two write, and one goes on. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, type TestContext } from 'vitest';
import { writesOf } from '../support/audit.ts';
import {
  BYSTANDER,
  beginRollBesideJob,
  endOf,
  endRollBesideJob,
  TWO_BATCHES,
  undisturbedEnd,
  untilMidway,
  violationsOf,
} from '../support/chaos-scenario.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { taskDefinition } from '../support/manifests.ts';
import type { Operator } from '../support/operator.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { until } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const LEASE_MS = 15_000;
const LEASE_FLAGS = [
  `--leader-elect-lease-duration=${LEASE_MS / 1000}s`,
  '--leader-elect-renew-deadline=12s',
  '--leader-elect-retry-period=1s',
];
const EVERY_CALL = /^/;
const LEASE_CALLS = /\/leases/;
const LEASE_WRITES = /^PUT .*\/leases/;

interface Candidate {
  readonly user: string;
  /** Its only way to the API server. */
  readonly proxy: FaultProxy;
  readonly operator: Operator;
}

async function candidate(context: TestContext, ns: TestNamespace, user: string): Promise<Candidate> {
  const proxy = await FaultProxy.start(await suite().cluster.userKubeconfig(user, ['system:masters']));
  context.onTestFinished(() => proxy.stop());
  const flags = [`--namespace=${ns.name}`, `--leader-elect-resource-namespace=${ns.name}`, ...LEASE_FLAGS];
  const operator = suite().newOperator(flags, proxy.kubeconfig);
  context.onTestFinished(() => operator.kill('SIGKILL'));
  context.onTestFailed(() => console.error(`${user}:\n${operator.describe()}`));
  return { user, proxy, operator };
}

/** The first of them leads, in the middle of a rollout. */
async function midway(context: TestContext, [first, ...others]: readonly [string, ...string[]]) {
  const ns = await suite().namespace(context);
  const leader = await candidate(context, ns, first);
  await leader.operator.ready();
  const followers = await Promise.all(others.map((user) => candidate(context, ns, user)));
  await Promise.all(followers.map(({ operator }) => operator.logged('longshore starts')));
  await beginRollBesideJob(ns, TWO_BATCHES);
  await untilMidway(ns);
  return { ns, leader, followers };
}

async function leads({ operator }: Candidate): Promise<boolean> {
  const metrics = await fetch(`http://127.0.0.1:${operator.healthPort}/metrics`);
  return (await metrics.text()).includes('leader_election_master_status{name="longshore"} 1');
}

/** The work is done as if nothing had been in the way, by two that took turns: the second of them leads still. */
async function expectHandover(ns: TestNamespace, before: Candidate, after: readonly Candidate[]): Promise<void> {
  await endRollBesideJob(ns, TWO_BATCHES);
  expect(endOf(ns.history)).toEqual(undisturbedEnd(TWO_BATCHES));
  expect(violationsOf(ns.history)).toEqual([]);
  expect(before.operator.describe()).toContain('lost the lease');
  const leading = await Promise.all(after.map(leads));
  const leaders = after.filter((_, index) => leading[index]).map(({ user }) => user);
  expect(leaders).toHaveLength(1);
  const writes = [before, ...after].flatMap(({ user }) =>
    writesOf(suite().auditLog, user, ns.name).map(({ at }) => ({ user, at })),
  );
  const turns = writes
    .sort((a, b) => a.at - b.at)
    .map(({ user }) => user)
    .filter((user, index, users) => user !== users[index - 1]);
  expect(turns).toEqual([before.user, ...leaders]);
}

describe.concurrent('operators', () => {
  it('cut off from the API server until the lease has run out race for it, and one goes on', async (context) => {
    const { ns, leader, followers } = await midway(context, ['cut-off-1', 'cut-off-2', 'cut-off-3']);
    const cuts = [leader, ...followers].map(({ proxy }) => proxy.hold(EVERY_CALL));
    const cutAt = Date.now();
    expect(await leader.operator.ended()).toBe(1);
    await delay(cutAt + LEASE_MS - Date.now());
    const races = followers.map(({ proxy }) => ({ proxy, hold: proxy.hold(LEASE_WRITES) }));
    for (const cut of cuts) cut.release();
    await Promise.all(races.map(({ proxy, hold }) => until(proxy, 'both to go for the lease', () => hold.waiting > 0)));
    for (const { hold } of races) hold.release();
    await expectHandover(ns, leader, followers);
  });

  it('whose lease is deleted while its holder cannot hear of it wait until that one has ended', async (context) => {
    const { ns, leader, followers } = await midway(context, ['deleted-1', 'deleted-2']);
    leader.proxy.hold(LEASE_CALLS);
    await ns.kubectl(['delete', 'lease', 'longshore']);
    const tookOver = followers.map(({ operator }) => operator.logged('became the leader'));
    await Promise.race([leader.operator.ended(), ...tookOver]);
    // Work for whoever believes to lead now.
    await ns.create(taskDefinition(BYSTANDER));
    expect(await leader.operator.ended()).toBe(1);
    await Promise.all(tookOver);
    const fresh = await candidate(context, ns, 'deleted-3');
    await fresh.operator.logged('longshore starts');
    await expectHandover(ns, leader, [...followers, fresh]);
  });

  it('whose lease somebody else takes leave the work to nobody until that lease has run out', async (context) => {
    const { ns, leader, followers } = await midway(context, ['taken-1', 'taken-2']);
    const spec = { holderIdentity: 'somebody else', leaseDurationSeconds: LEASE_MS / 1000 };
    await ns.kubectl(['patch', 'lease', 'longshore', '--type=merge', `--patch=${JSON.stringify({ spec })}`]);
    expect(await leader.operator.ended()).toBe(1);
    const fresh = await candidate(context, ns, 'taken-3');
    await fresh.operator.logged('longshore starts');
    await expectHandover(ns, leader, [...followers, fresh]);
  });
});
