/** Generated dependency graphs, and task definitions with real containers that behave as they say. */
import type { Behaviour, Condition, ModelContainer } from './ecs-agent.ts';
import { randomFrom } from './random.ts';

const BEHAVIOURS: readonly Behaviour[] = [
  'runs',
  'turns healthy',
  'turns healthy',
  'stays sick',
  'exits with 0',
  'exits with 0',
  'exits with 3',
  'exits unchecked',
  'cannot start',
  'cannot be pulled',
];

/** Registration refuses COMPLETE and SUCCESS of an essential container, and HEALTHY of one without a check. */
const CONDITIONS: Record<Behaviour, readonly Condition[]> = {
  runs: ['START'],
  'turns healthy': ['START', 'HEALTHY', 'HEALTHY'],
  'stays sick': ['START', 'HEALTHY', 'COMPLETE'],
  'exits with 0': ['START', 'SUCCESS', 'SUCCESS', 'COMPLETE'],
  'exits with 3': ['START', 'SUCCESS', 'COMPLETE', 'COMPLETE'],
  'exits unchecked': ['START', 'HEALTHY'],
  'cannot start': ['START', 'SUCCESS', 'COMPLETE'],
  'cannot be pulled': ['START', 'SUCCESS', 'COMPLETE'],
};

/** The essential container `app`, and two or three others; at times one of them is essential as well. */
export function dependencyGraph(seed: number): ModelContainer[] {
  const random = randomFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const others = 2 + Math.floor(random() * 2);
  const containers: ModelContainer[] = [];
  for (let index = 0; index <= others; index++) {
    const isApp = index === others;
    const dependsOn = containers
      .filter(() => random() < (isApp ? 0.7 : 0.45))
      .map(({ name, behaviour, essential }) => {
        const possible = CONDITIONS[behaviour].filter((one) => !essential || one === 'START' || one === 'HEALTHY');
        return { container: name, condition: pick(possible) };
      });
    const behaviour = isApp ? 'runs' : pick(BEHAVIOURS);
    const essential = isApp || random() < 0.15;
    containers.push({ name: isApp ? 'app' : `c${index}`, essential, behaviour, dependsOn });
  }
  // The order in the file must not matter.
  return containers
    .map((container) => ({ container, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ container }) => container);
}

export const describeGraph = (containers: readonly ModelContainer[]): string =>
  containers
    .map(({ name, essential, behaviour, dependsOn }) => {
      const edges = dependsOn.map(({ container, condition }) => `${container}=${condition}`).join(',');
      return `${name}(${essential ? 'essential, ' : ''}${behaviour})${edges === '' ? '' : ` after ${edges}`}`;
    })
    .join('; ');

/** The code with which a container answers SIGTERM. */
export const answerOf = (containers: readonly ModelContainer[], name: string): number =>
  20 + containers.findIndex((container) => container.name === name);

/**
 * A task definition of which containers that run write `<name> up` and `<name> told` into the file `log` of a folder of the
 * node. Its app exits with 9 once there is a file `end`. Nobody is busy while nothing happens: there are many at once.
 */
export function definitionOf(containers: readonly ModelContainer[], folder: string): object {
  const command = ({ name, behaviour }: ModelContainer): string[] => {
    if (behaviour === 'cannot start') return ['/no/such/command'];
    const trap = `trap 'echo ${name} told >> /node/log; exit ${answerOf(containers, name)}' TERM;`;
    const code = behaviour === 'exits with 3' ? 3 : 0;
    if (behaviour.startsWith('exits')) return ['sh', '-c', `${trap} sleep 0.5; exit ${code}`];
    const until = name === 'app' ? 'until [ -e /node/end ]; do sleep 1; done; exit 9' : 'sleep 100000 & wait';
    return ['sh', '-c', `${trap} echo ${name} up >> /node/log; sleep 0.5; touch /tmp/up; ${until}`];
  };
  const isAwaited = (name: string): boolean =>
    containers.some(({ dependsOn }) =>
      dependsOn.some(({ container, condition }) => container === name && condition === 'HEALTHY'),
    );
  const check = ({ name, behaviour }: ModelContainer): object => {
    const startTimeout = behaviour === 'stays sick' ? { startTimeout: 2 } : {};
    if (!isAwaited(name)) return startTimeout;
    const passes = { command: ['CMD-SHELL', 'test -e /tmp/up'], interval: 5, timeout: 30 };
    const fails = { command: ['CMD', 'false'], interval: 30 };
    return { ...startTimeout, healthCheck: behaviour === 'turns healthy' ? passes : fails };
  };
  return {
    volumes: [{ name: 'node', host: { sourcePath: folder } }],
    containerDefinitions: containers.map((container) => ({
      name: container.name,
      image: container.behaviour === 'cannot be pulled' ? 'nosuch/image:1' : 'busybox:1.37',
      memory: 8,
      stopTimeout: 20,
      essential: container.essential,
      command: command(container),
      mountPoints: [{ sourceVolume: 'node', containerPath: '/node' }],
      dependsOn: container.dependsOn.map(({ container: containerName, condition }) => ({ containerName, condition })),
      ...check(container),
    })),
  };
}
