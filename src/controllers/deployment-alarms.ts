/** Deployment alarms (`ecs-semantics §3.9`): asks for their states while a deployment is in progress, and records what they were. */
import type { ServiceSpec } from '../api/service.ts';
import {
  type AlarmReading,
  type AlarmVerdict,
  BAKE_TIME_MINUTES,
  firstRecord,
  judgeAlarms,
} from '../ecs/deployment-alarms.ts';
import type { DeploymentFailure } from '../ecs/deployment-failure.ts';
import type { ServicePlan } from '../ecs/service-plan.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { type AlarmAnswer, askAlarm } from './alarm-sources.ts';
import type { ClusterView } from './cluster-view.ts';
import { type ConditionInput, rfc3339 } from './conditions.ts';
import { sameContent } from './records.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { recordAlarms, type ServiceDeployment } from './service-deployments.ts';

/** Questions of one service under way at a time. */
const ABREAST = 10;

interface Known {
  readonly deployment: string;
  readonly reading?: AlarmReading;
  readonly answers: ReadonlyMap<string, AlarmAnswer>;
  /** Resolves when the next reading is there; never rejects. */
  readonly asking?: Promise<void>;
}

/** The newest states of the alarms of services with a deployment in progress. Lost in a restart, and asked for again. */
export class AlarmReadings {
  readonly #known = new Map<string, Known>();
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * What is known since the deployment began; asks again where that is older than the interval.
   * @param deployment its 19 digits.
   */
  of(
    { uid, namespace }: ServiceRecord,
    names: readonly string[],
    { spec: { mappings } }: ClusterView,
    { deployment, now }: { readonly deployment: string; readonly now: number },
  ): Known {
    const before = this.#known.get(uid);
    const known: Known = before?.deployment === deployment ? before : { deployment, answers: new Map() };
    const isFresh =
      known.reading !== undefined &&
      now < known.reading.at + mappings.alarmEvaluation.intervalSeconds * 1000 &&
      names.every((name) => known.answers.has(name));
    if (isFresh || known.asking !== undefined) return known;
    const asking = this.#ask(names, (name) => askAlarm(this.#client, namespace, mappings, name)).then((answers) => {
      const states = new Map([...answers].map(([name, { state }]) => [name, state] as const));
      // Otherwise the deployment is over, or another one has begun.
      if (this.#known.get(uid)?.asking === asking)
        this.#known.set(uid, { deployment, answers, reading: { at: now, states } });
    });
    const next = { ...known, asking };
    this.#known.set(uid, next);
    return next;
  }

  forget(uid: string): void {
    this.#known.delete(uid);
  }

  async #ask(names: readonly string[], ask: (name: string) => Promise<AlarmAnswer>): Promise<Map<string, AlarmAnswer>> {
    const waiting = [...new Set(names)];
    const answers = new Map<string, AlarmAnswer>();
    const work = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) answers.set(name, await ask(name));
    };
    await Promise.all(Array.from({ length: ABREAST }, work));
    return answers;
  }
}

/** What the alarms say of the newest deployment before its plan is made. */
export interface AlarmWatch {
  readonly verdict: AlarmVerdict;
  readonly bakeTimeMs: number;
  readonly known: Known;
  /** When to ask again, epoch milliseconds; later than now. */
  readonly askAt: number;
}

/**
 * Undefined where no alarm is watched: none is wanted, nothing is in progress, or the deployment is the way back from
 * another one, whose alarm may still be in ALARM. `wait` resolves when the states with which the deployment begins are
 * known: none of its tasks starts before.
 */
export async function watchAlarms(
  runtime: Runtime,
  service: ServiceRecord,
  { deploymentConfiguration: { alarms, bakeTimeInMinutes = BAKE_TIME_MINUTES } }: ServiceSpec,
  cluster: ClusterView,
  primary: ServiceDeployment,
): Promise<AlarmWatch | { readonly wait: Promise<void> } | undefined> {
  const isOver = primary.completed || primary.failed || primary.since !== undefined;
  if (alarms?.enable !== true || alarms.alarmNames.length === 0 || isOver) {
    runtime.alarms.forget(service.uid);
    return undefined;
  }
  const now = runtime.now();
  const known = runtime.alarms.of(service, alarms.alarmNames, cluster, { deployment: primary.id, now });
  const { reading, asking } = known;
  const before = primary.record.alarms;
  if (before === undefined && reading === undefined) return { wait: asking ?? Promise.resolve() };
  const bakeTimeMs = bakeTimeInMinutes * 60_000;
  const first = before ?? firstRecord(reading as AlarmReading);
  const verdict = judgeAlarms(first, reading, { steady: false, bakeTimeMs, now });
  if (!sameContent(before, verdict.record)) await recordAlarms(runtime, service, primary, verdict.record);
  const { intervalSeconds } = cluster.spec.mappings.alarmEvaluation;
  // While an answer is on its way, that is what there is to wait for.
  const askAt = asking === undefined && reading !== undefined ? reading.at + intervalSeconds * 1000 : Infinity;
  return { verdict, bakeTimeMs, known, askAt };
}

export function alarmFailure(watch: AlarmWatch | undefined): DeploymentFailure | undefined {
  if (watch?.verdict.phase !== 'failed') return undefined;
  return alarmed(watch.verdict.record.fired);
}

export const alarmed = (names: readonly string[] = []): DeploymentFailure => ({
  kind: 'alarms',
  detail: names.join(', '),
});

/** The plan with what the alarms add to it: a deployment that bakes is not over yet. */
export async function withBakeTime(
  runtime: Runtime,
  service: ServiceRecord,
  primary: ServiceDeployment,
  watch: AlarmWatch | undefined,
  plan: ServicePlan<ObservedTask>,
): Promise<{ plan: ServicePlan<ObservedTask>; watch: AlarmWatch | undefined }> {
  if (watch === undefined || watch.verdict.phase === 'failed') return { plan, watch };
  const { bakeTimeMs, known, askAt } = watch;
  const now = runtime.now();
  const verdict = judgeAlarms(watch.verdict.record, known.reading, { steady: plan.steady, bakeTimeMs, now });
  if (!sameContent(watch.verdict.record, verdict.record)) await recordAlarms(runtime, service, primary, verdict.record);
  const next = { ...watch, verdict };
  if (verdict.phase === 'ignored' || verdict.phase === 'passed') return { plan, watch: next };
  // The last word counts from the end of the bake time on.
  const bakedAt = verdict.bakedAt !== undefined && now < verdict.bakedAt ? verdict.bakedAt : Infinity;
  const wakeAt = Math.min(plan.wakeAt ?? Infinity, askAt, bakedAt);
  if (!plan.steady) return { plan: { ...plan, wakeAt }, watch: next };
  const until = `waiting for the end of the bake time, ${rfc3339(verdict.bakedAt ?? now)}`;
  const deployments = plan.deployments.map((deployment) =>
    deployment.status === 'PRIMARY' ? { ...deployment, completed: false, blockedBy: until } : deployment,
  );
  return { plan: { ...plan, steady: false, deployments, wakeAt }, watch: next };
}

/** Whether the alarms are watched, and if not, why. */
export function alarmCondition(id: string, { verdict, known }: AlarmWatch): ConditionInput {
  const type = 'AlarmsMonitored';
  const { ignoredFor = [] } = verdict.record;
  if (verdict.phase === 'ignored') {
    const message = `no alarm counts for deployment ecs-svc/${id}: in ALARM when it began: ${ignoredFor.join(', ')}`;
    return { type, status: false, reason: 'AlarmAtStart', message };
  }
  const silent = [...known.answers].filter(([, { state }]) => state === 'INSUFFICIENT_DATA');
  if (silent.length > 0) {
    const texts = silent.map(([name, { because }]) => `alarm "${name}": ${because}`);
    return { type, status: false, reason: 'InsufficientData', message: texts.join('; ').slice(0, 4096) };
  }
  return { type, status: true, reason: 'Monitoring', message: 'all alarms can be read' };
}
