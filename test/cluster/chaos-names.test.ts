/** A task's name is the lock that nothing else can be where an answer is lost and no watch shows what was done. */
import { describe, expect, it, type TestContext } from 'vitest';
import { BYSTANDER } from '../support/chaos-scenario.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { kwok, service, taskDefinition } from '../support/manifests.ts';
import type { Operator } from '../support/operator.ts';
import { untilSteady } from '../support/services.ts';
import { type Manifest, OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';
import { until } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const POD_START = /^POST .*\/pods$/;

/** Fails each time it is tried. */
const job: Manifest = {
  kind: 'BatchJob',
  name: 'job',
  spec: {
    containerProperties: {
      image: 'busybox:1.36',
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
    },
    retryStrategy: { attempts: 2 },
    kubernetes: { podAnnotations: kwok({ exitCode: 1 }) },
  },
};

interface Work {
  readonly ns: TestNamespace;
  readonly proxy: FaultProxy;
  /** Starts an operator whose calls go through the proxy. */
  readonly operate: () => Operator;
}

async function begin(context: TestContext): Promise<Work> {
  const ns = await suite().namespace(context);
  const proxy = await FaultProxy.start(await suite().cluster.userKubeconfig(OPERATOR_USER, []));
  context.onTestFinished(() => proxy.stop());
  const operate = (): Operator => {
    const operator = suite().newOperator(['--no-leader-elect', '--namespace', ns.name], proxy.kubeconfig);
    context.onTestFinished(() => operator.kill('SIGKILL'));
    context.onTestFailed(() => console.error(operator.describe()));
    return operator;
  };
  return { ns, proxy, operate };
}

const startsOf = (proxy: FaultProxy): number => proxy.writes.filter((write) => POD_START.test(write)).length;

/** The next start's answer is lost, and no watch shows its pod before the operator has tried once more. */
function loseNextStart(proxy: FaultProxy): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const blindUntil = (): Promise<unknown> => {
    const before = startsOf(proxy);
    const again = until(proxy, 'the start to be tried again', () => startsOf(proxy) > before);
    again.then(() => resolve(), reject);
    return again;
  };
  proxy.set({ write: 1, of: POD_START, moment: 'after', blindUntil });
  return promise;
}

/** Labels of every pod there ever was. */
const madeIn = ({ history }: TestNamespace): Readonly<Record<string, string>>[] =>
  history.entries.flatMap(({ kind, type, object }) =>
    kind === 'pods' && type === 'ADDED' ? [object.metadata.labels ?? {}] : [],
  );

/** Whoever starts a task too many has started it before it answers this. */
async function lookedAtEverything(ns: TestNamespace): Promise<void> {
  await ns.create(taskDefinition(BYSTANDER));
  await ns.until('an answer', () => ns.history.get('taskdefinitions', BYSTANDER)?.status);
}

describe.concurrent('an operator', () => {
  it('that has seen neither the answer nor the pod makes a task of a service once', async (context) => {
    const { ns, proxy, operate } = await begin(context);
    await operate().ready();
    const lost = loseNextStart(proxy);
    await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
    await lost;
    await untilSteady(ns.history, 'web', 2);
    await lookedAtEverything(ns);
    expect(madeIn(ns)).toHaveLength(2);
  });

  it('that has seen neither the answer nor the pod makes an attempt of a Batch job once', async (context) => {
    const { ns, proxy, operate } = await begin(context);
    await operate().ready();
    const lost = loseNextStart(proxy);
    await ns.create(job);
    await lost;
    await loseNextStart(proxy);
    await ns.until('the job to fail', () => ns.history.get('batchjobs', 'job')?.status?.status === 'FAILED');
    await lookedAtEverything(ns);
    expect(madeIn(ns).map((labels) => labels['longshore.dev/attempt'])).toEqual(['1', '2']);
  });

  it('makes no second task where a start of the operator before it comes late', async (context) => {
    const { ns, proxy, operate } = await begin(context);
    const late = proxy.hold(POD_START, { deliverLate: true });
    const first = operate();
    await ns.create(taskDefinition('web'), service('web'), job);
    await until(proxy, 'both starts to be on their way', () => late.waiting === 2);
    await first.kill('SIGKILL');
    const second = suite().newOperator(['--no-leader-elect', '--namespace', ns.name]);
    context.onTestFinished(() => second.kill('SIGKILL'));
    await untilSteady(ns.history, 'web', 1);
    await ns.until('the job to be tried', () => madeIn(ns).length === 2);
    const before = proxy.answers.length;
    late.release();
    await until(proxy, 'the late starts to be answered', () => proxy.answers.length === before + 2);
    expect(proxy.answers.slice(before)).toEqual([409, 409]);
  });
});
