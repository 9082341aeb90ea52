/** What one run of `batch.ts` measured, and the report of all of them. */
import type { AuditedCall } from '../support/audit.ts';
import type { Subject } from './batch-runs.ts';

/** Requests of one user agent of one kind. */
export interface CallRow {
  readonly user: string;
  readonly agent: string;
  readonly verb: string;
  /** `resource/subresource`. */
  readonly resource: string;
  readonly count: number;
}

/** Seconds from the order to do the work. */
export interface Phases {
  readonly firstPod: number;
  readonly lastPod: number;
  readonly lastBound: number;
  readonly lastEnded: number;
}

export interface Measured {
  readonly subject: Subject;
  readonly round: number;
  readonly seconds: number;
  /** By process. */
  readonly usage: Readonly<Record<string, { readonly cpuSeconds: number; readonly peakRssMiB: number }>>;
  /** A few seconds after the end. */
  readonly podsLeft: number;
  readonly calls: readonly CallRow[];
  readonly phases: Phases;
  /** Longshore's, whoever did the work. */
  readonly operator: {
    readonly eventLoopP99Ms: number;
    readonly eventLoopMaxMs: number;
    readonly reconciles: number;
    readonly reconcileSeconds: number;
  };
}

const READS = new Set(['get', 'list', 'watch']);
/** Who does the work, of all who call the API server. */
const CONTROLLERS: Readonly<Record<Subject, string>> = {
  Longshore: 'longshore-operator',
  'Longshore, before': 'longshore-operator',
  'Indexed Job': 'system:serviceaccount:kube-system:job-controller',
  'pods alone': 'longshore-admin',
};

/** Without version and platform. */
const shortAgent = (agent = ''): string => {
  const [program = ''] = agent.split(' ');
  const [name = ''] = program.split('/');
  const [, component] = /\(.*\) .*\/(system:serviceaccount:\S+)$/.exec(agent) ?? [];
  return component ?? name;
};

export function rowsOf(calls: readonly AuditedCall[]): CallRow[] {
  const counts = new Map<string, CallRow>();
  for (const { stage, verb, userAgent, user, objectRef } of calls) {
    if (stage !== 'ResponseComplete' && stage !== 'ResponseStarted') continue;
    if (verb === 'watch' && stage !== 'ResponseStarted') continue;
    const resource = [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/');
    const row = { user: user.username, agent: shortAgent(userAgent), verb, resource };
    const key = JSON.stringify(row);
    counts.set(key, { ...row, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count);
}

/** From the audit log: when the API server had the first and the last of each. */
export function phasesOf(calls: readonly AuditedCall[], began: number): Phases {
  const answered = calls.filter(
    ({ stage, objectRef }) => stage === 'ResponseComplete' && objectRef?.resource === 'pods',
  );
  const times = (is: (call: AuditedCall) => boolean): number[] =>
    answered.filter(is).map(({ stageTimestamp }) => (Date.parse(stageTimestamp) - began) / 1000);
  const most = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0);
  const created = times(({ verb, objectRef }) => verb === 'create' && objectRef?.subresource === undefined);
  const ended = times(({ objectRef, user }) => objectRef?.subresource === 'status' && user.username.includes('kwok'));
  return {
    firstPod: created.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    lastPod: most(created),
    lastBound: most(times(({ objectRef }) => objectRef?.subresource === 'binding')),
    lastEnded: most(ended),
  };
}

const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

const spread = (numbers: readonly number[], digits = 1): string =>
  numbers.length === 0
    ? ''
    : `${median(numbers).toFixed(digits)} (${Math.min(...numbers).toFixed(digits)} to ${Math.max(...numbers).toFixed(digits)})`;

const table = (rows: readonly (readonly (string | number)[])[]): string => {
  const [titles = [], ...rest] = rows;
  return [titles, titles.map((_, column) => (column === 0 ? '---' : '---:')), ...rest]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
};

const writesOf = ({ calls, subject }: Measured): number =>
  calls
    .filter(({ user, verb }) => user === CONTROLLERS[subject] && !READS.has(verb))
    .reduce((sum, { count }) => sum + count, 0);

const readsOf = ({ calls, subject }: Measured): number =>
  calls
    .filter(({ user, verb }) => user === CONTROLLERS[subject] && READS.has(verb))
    .reduce((sum, { count }) => sum + count, 0);

export interface Report {
  readonly size: number;
  readonly rounds: number;
  readonly machine: string;
  readonly runs: readonly Measured[];
}

/** Median, and least to most, of all rounds. */
export function reportOf({ size, rounds, machine, runs }: Report): string {
  const subjects = [...new Set(runs.map(({ subject }) => subject))];
  const of = (subject: Subject): Measured[] => runs.filter((run) => run.subject === subject);
  const row = (title: string, value: (run: Measured) => number | undefined, digits = 1): string[] => [
    title,
    ...subjects.map((subject) =>
      spread(
        of(subject).flatMap((run) => value(run) ?? []),
        digits,
      ),
    ),
  ];
  const own = (run: Measured): boolean => CONTROLLERS[run.subject] === CONTROLLERS.Longshore;
  const worker = (run: Measured): string | undefined =>
    own(run) ? 'longshore' : run.subject === 'Indexed Job' ? 'kube-controller-manager' : undefined;
  const used = (name: string | undefined, run: Measured) => (name === undefined ? undefined : run.usage[name]);
  const ratiosTo = (subject: Subject) =>
    of('Longshore').flatMap(({ round, seconds }) =>
      of(subject)
        .filter((other) => other.round === round)
        .map((other) => seconds / other.seconds),
    );
  const summary = table([
    ['', ...subjects],
    row('order → Complete (s)', ({ seconds }) => seconds),
    row('first pod created (s)', ({ phases }) => phases.firstPod, 2),
    row('last pod created (s)', ({ phases }) => phases.lastPod),
    row('last pod bound (s)', ({ phases }) => phases.lastBound),
    row('last pod ended (s)', ({ phases }) => phases.lastEnded),
    row('writes of the controller per pod', (run) => writesOf(run) / size, 3),
    row('reads of the controller per pod', (run) => readsOf(run) / size, 3),
    row('CPU of the controller (s)', (run) => used(worker(run), run)?.cpuSeconds, 2),
    row('peak RSS of the controller (MiB)', (run) => used(worker(run), run)?.peakRssMiB, 0),
    row('CPU of kube-apiserver (s)', (run) => used('kube-apiserver', run)?.cpuSeconds),
    row('CPU of kube-scheduler (s)', (run) => used('kube-scheduler', run)?.cpuSeconds),
    row('CPU of etcd (s)', (run) => used('etcd', run)?.cpuSeconds),
    row('CPU of KWOK (s)', (run) => used('kwok', run)?.cpuSeconds),
    row('reconciles', (run) => (own(run) ? run.operator.reconciles : undefined), 0),
    row('time in reconciles (s)', (run) => (own(run) ? run.operator.reconcileSeconds : undefined), 2),
    row('event loop, p99 of its delay (ms)', (run) => (own(run) ? run.operator.eventLoopP99Ms : undefined), 0),
    row('event loop, longest delay (ms)', (run) => (own(run) ? run.operator.eventLoopMaxMs : undefined), 0),
    row('pods left', ({ podsLeft }) => podsLeft, 0),
  ]);
  const callRows = subjects.flatMap((subject) => {
    const all = of(subject).flatMap(({ calls }) => calls);
    const groups = Map.groupBy(all, ({ user, agent, verb, resource }) => JSON.stringify([user, agent, verb, resource]));
    return [...groups.values()]
      .map((group) => [group[0], group.reduce((sum, { count }) => sum + count, 0) / of(subject).length / size] as const)
      .filter(([, perPod]) => perPod >= 0.001)
      .toSorted((a, b) => b[1] - a[1])
      .map(([first, perPod]) => [
        subject,
        `${first?.user} (${first?.agent})`,
        first?.verb ?? '',
        first?.resource ?? '',
        perPod.toFixed(3),
      ]);
  });
  return [
    `## ${size} pods of 1 s, ${rounds} rounds`,
    `${machine}; all components on it; client limits of kube-controller-manager and kube-scheduler 1000/1000. Median (least to most).`,
    ...subjects
      .filter((subject) => subject !== 'Longshore')
      .map((subject) => `Longshore / ${subject}, of each round: **${spread(ratiosTo(subject), 2)}**`),
    summary,
    '### Requests per pod',
    table([['work', 'who', 'verb', 'resource', 'per pod'], ...callRows]),
  ].join('\n\n');
}
