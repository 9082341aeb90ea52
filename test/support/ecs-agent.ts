/**
 * A model of what the ECS agent makes of one task (`ecs-semantics §1.5, §2.3`): which containers run, which never do, in
 * which order they stop, and why the task ends. Written from the specification and without time, to be compared with
 * what Longshore does with real containers.
 */

export type Condition = 'START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY';

/** How a container behaves once it has started. */
export type Behaviour =
  /** Runs until it is told to stop. */
  | 'runs'
  /** The same, and its check passes after a while. */
  | 'turns healthy'
  /** The same, its check never passes, and others wait for it for a short startTimeout only. */
  | 'stays sick'
  | 'exits with 0'
  | 'exits with 3'
  /** Exits with 0, and its check has never passed. */
  | 'exits unchecked'
  /** Its command does not exist. */
  | 'cannot start'
  /** Its image does not exist. */
  | 'cannot be pulled';

export interface ModelContainer {
  readonly name: string;
  readonly essential: boolean;
  readonly behaviour: Behaviour;
  readonly dependsOn: readonly { readonly container: string; readonly condition: Condition }[];
}

export type Fate = 'waits' | 'runs' | 'exited 0' | 'exited 3' | 'never ran: 143' | 'failed to start';

const AFTER_START: Record<Behaviour, Fate> = {
  runs: 'runs',
  'turns healthy': 'runs',
  'stays sick': 'runs',
  'exits with 0': 'exited 0',
  'exits with 3': 'exited 3',
  'exits unchecked': 'exited 0',
  'cannot start': 'failed to start',
  'cannot be pulled': 'failed to start',
};

export interface Outcome {
  /** What becomes of each container when nothing stops the task. */
  readonly fates: ReadonlyMap<string, Fate>;
  /** Essential containers that end the task by themselves: the first of them to come to its fate does. */
  readonly fatal: readonly string[];
  /** Of two that run: the first has ended before the second is told to stop. */
  readonly stopOrder: readonly (readonly [dependent: string, dependency: string])[];
}

export function outcomeOf(containers: readonly ModelContainer[]): Outcome {
  const fates = settle(containers);
  const runs = (name: string): boolean => fates.get(name) === 'runs';
  return {
    fates,
    fatal: containers
      .filter(({ name, essential }) => essential && !['waits', 'runs'].includes(fates.get(name) ?? ''))
      .map(({ name }) => name),
    stopOrder: containers.flatMap(({ name, dependsOn }) =>
      dependsOn
        .filter(({ container }) => runs(name) && runs(container))
        .map(({ container }) => [name, container] as const),
    ),
  };
}

function settle(containers: readonly ModelContainer[]): Map<string, Fate> {
  const fates = new Map<string, Fate>(containers.map(({ name }) => [name, 'waits']));
  const resolution = ({ container, condition }: ModelContainer['dependsOn'][number]): 'met' | 'never' | 'open' => {
    const target = containers.find(({ name }) => name === container);
    const fate = fates.get(container);
    if (fate === 'never ran: 143' || fate === 'failed to start') return 'never';
    if (fate === 'waits') return 'open';
    if (condition === 'START') return 'met';
    if (condition === 'HEALTHY') {
      if (fate !== 'runs') return 'open';
      return target?.behaviour === 'turns healthy' ? 'met' : target?.behaviour === 'stays sick' ? 'never' : 'open';
    }
    if (fate === 'runs') return target?.behaviour === 'stays sick' ? 'never' : 'open';
    return condition === 'COMPLETE' || fate === 'exited 0' ? 'met' : 'never';
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const { name, behaviour, dependsOn } of containers) {
      if (fates.get(name) !== 'waits') continue;
      const resolutions = dependsOn.map(resolution);
      const fate = resolutions.includes('never')
        ? 'never ran: 143'
        : resolutions.every((one) => one === 'met')
          ? AFTER_START[behaviour]
          : 'waits';
      changed ||= fate !== 'waits';
      fates.set(name, fate);
    }
  }
  return fates;
}

/** What was seen of a task with real containers. */
export interface SeenTask {
  readonly stopCode: string;
  readonly stoppedReason: string;
  readonly containers: ReadonlyMap<string, SeenContainer>;
  /** Containers in the order in which they were told to stop. */
  readonly told: readonly string[];
  /** Its user stopped it with this text: otherwise an essential container ended it. */
  readonly userStop?: string;
}

export interface SeenContainer {
  readonly exitCode?: number;
  readonly reason?: string;
  /** Epoch milliseconds, whole seconds; undefined where it never ran. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** The code with which it answers SIGTERM. */
  readonly answer: number;
}

/** Where Kubernetes cannot do what the agent does. A difference that is none of these is a mistake. */
export const DEVIATIONS = {
  /** The containers of a pod are told to stop together: a pod has an order for its sidecars only. */
  'stopped together': 'ContainerDependency.containerName',
  /**
   * The kubelet starts the next container of the list where one does not start. It is the operator that then ends the
   * task, because that one is essential.
   */
  'ran behind an essential container that did not start': 'ContainerDependency.condition, START',
} as const;

export interface Difference {
  readonly what: string;
  readonly deviation?: keyof typeof DEVIATIONS;
}

/** The code of a container that is killed: told to stop before it was ready to listen, when its task ends early. */
const KILLED = 137;
const DEPENDENCY = /^CannotStartContainerError: dependency on container /;
const START_FAILURE = /^Cannot(Start|Pull)ContainerError: /;

/** All in which a real task differs from the model. */
export function differences(containers: readonly ModelContainer[], seen: SeenTask): Difference[] {
  const outcome = outcomeOf(containers);
  return [
    ...endDifferences(containers, outcome, seen),
    ...containers.flatMap((container) => containerDifferences(containers, container, outcome, seen)),
    ...outcome.stopOrder.flatMap(([dependent, dependency]): Difference[] => {
      const [later, earlier] = [seen.told.indexOf(dependency), seen.told.indexOf(dependent)];
      if (later === -1 || earlier < later) return [];
      return [{ what: `${dependency} was told to stop before ${dependent}`, deviation: 'stopped together' }];
    }),
  ];
}

/** Why it stopped, to the letter where the specification has the letter. */
function endDifferences(containers: readonly ModelContainer[], outcome: Outcome, seen: SeenTask): Difference[] {
  const causes = outcome.fatal.map((name): [code: string, reason: RegExp] => {
    const fate = outcome.fates.get(name);
    if (fate === 'never ran: 143') return ['TaskFailedToStart', DEPENDENCY];
    if (fate === 'failed to start') return ['TaskFailedToStart', START_FAILURE];
    return ['EssentialContainerExited', /^Essential container in task exited$/];
  });
  // One that runs ends when it is asked to.
  if (causes.length === 0) {
    const essentialRuns = containers.some(({ name, essential }) => essential && outcome.fates.get(name) === 'runs');
    causes.push(
      seen.userStop === undefined && essentialRuns
        ? ['EssentialContainerExited', /^Essential container in task exited$/]
        : ['UserInitiated', new RegExp(`^${seen.userStop}$`)],
    );
  }
  const { stopCode, stoppedReason } = seen;
  if (causes.some(([code, reason]) => code === stopCode && reason.test(stoppedReason))) return [];
  return [{ what: `the task ended with ${stopCode}: ${stoppedReason}, not with ${causes.join(' or ')}` }];
}

function containerDifferences(
  containers: readonly ModelContainer[],
  { name, dependsOn }: ModelContainer,
  { fates, fatal }: Outcome,
  { containers: all, userStop }: SeenTask,
): Difference[] {
  const seen = all.get(name);
  if (seen === undefined) return [{ what: `${name} is not recorded` }];
  const found: Difference[] = [];
  const fate = fates.get(name) ?? 'waits';
  const { exitCode, reason = '', startedAt } = seen;

  const unstarted = dependsOn.find(({ container, condition }) => {
    const target = containers.find((one) => one.name === container);
    return condition === 'START' && target?.essential === true && fates.get(container) === 'failed to start';
  });
  const ran = startedAt !== undefined;
  if (ran && (fate === 'waits' || fate === 'never ran: 143')) {
    const behind = 'ran behind an essential container that did not start';
    return [{ what: `${name} ran, and it ${fate}`, ...(unstarted !== undefined && { deviation: behind }) }];
  }
  for (const { container, condition } of dependsOn) {
    const target = all.get(container);
    const from = condition === 'COMPLETE' || condition === 'SUCCESS' ? target?.finishedAt : target?.startedAt;
    if (ran && !(from !== undefined && startedAt >= from))
      found.push({ what: `${name} started at ${startedAt}, ${container} was ${condition} at ${from}` });
  }

  const codes: Record<Fate, readonly (number | undefined)[]> = {
    runs: userStop === undefined && fatal.length === 0 ? [seen.answer, 9] : [seen.answer],
    'exited 0': [0],
    'exited 3': [3],
    'never ran: 143': [143],
    // The runtime's code, where it was asked to start it at all.
    'failed to start': [exitCode],
    waits: [undefined],
  };
  // Where an essential container ends the task, others are stopped on their way to their fate.
  const early = fatal.length > 0 ? [undefined, ...(ran ? [seen.answer, KILLED] : [])] : [];
  if (![...codes[fate], ...early].includes(exitCode))
    found.push({ what: `${name} ${fate}, and its exit code is ${exitCode}` });
  if (fatal.length > 0 && exitCode === undefined) return found;
  if (fate === 'never ran: 143' && !DEPENDENCY.test(reason)) found.push({ what: `${name} ${fate}: ${reason}` });
  if (fate === 'failed to start' && !START_FAILURE.test(reason)) found.push({ what: `${name} ${fate}: ${reason}` });
  if (fate !== 'never ran: 143' && fate !== 'failed to start' && reason !== '')
    found.push({ what: `${name} ${fate}, and has a reason: ${reason}` });
  return found;
}
