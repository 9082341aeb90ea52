/**
 * A model of what the ECS agent makes of one task (`ecs-semantics §1.5, §2.3`): which containers run and which never do.
 * Written from the specification and without time, to be compared with what Longshore does with real containers.
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
  /** Its command does not exist. */
  | 'cannot start';

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
  'cannot start': 'failed to start',
};

/** What has become of each container when nothing more happens by itself; the task is stopped where one that is essential failed. */
export function settle(containers: readonly ModelContainer[]): { fates: Map<string, Fate>; failedEssential: boolean } {
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
  const failed = (fate: Fate | undefined): boolean => fate === 'never ran: 143' || fate === 'failed to start';
  return { fates, failedEssential: containers.some(({ name, essential }) => essential && failed(fates.get(name))) };
}
