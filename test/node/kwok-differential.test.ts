/** A pod goes the same way on a simulated node as on a real one: each thing that `kwok-stages.yaml` plays. */
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { inside } from '../support/containers.ts';
import { kwok } from '../support/manifests.ts';
import { courseOf, type PodStage } from '../support/pod-course.ts';
import type { ContainerState, Pod } from '../support/recorder.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a pod on a simulated node' : `a pod on a simulated node (skipped: ${why})`;

/** Long enough that the kubelet has written what it is at before it is at the next. */
const STOP_SECONDS = 10;

/** Ends with the code that somebody puts into /tmp/end; at SIGTERM, as `onTerm` has it. */
const container = (name: string, onTerm = `sleep ${STOP_SECONDS}; exit 143`, fields: object = {}) => ({
  name,
  image: 'busybox:1.37',
  command: ['sh', '-c', `trap '${onTerm}' TERM; until [ -e /tmp/end ]; do sleep 0.1; done; exit $(cat /tmp/end)`],
  ...fields,
});
const stopsSlowly = kwok({ stopAfter: `${STOP_SECONDS}s` });
const probed = { readinessProbe: { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1, timeoutSeconds: 60 } };
const sidecar = container('sidecar', undefined, { restartPolicy: 'Always' });
const once = { name: 'once', image: 'busybox:1.37', command: ['true'] };
const ignores = container('main', ':');

type Step = 'ready' | 'deadline' | 'delete' | { readonly container: string; readonly code: number };

const exits = (name: string, code: number): Step => ({ container: name, code });
interface Course {
  readonly spec: object;
  /** How KWOK plays what the containers do by themselves. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly stages: number;
}

const main = { containers: [container('main')] };
const two = { containers: [container('main'), container('other')] };
const withSidecar = { initContainers: [sidecar, once], containers: [container('main')] };
const short = { terminationGracePeriodSeconds: STOP_SECONDS };
const never = kwok({ stopAfter: '1000h' });

const courses: Readonly<Record<string, Course>> = {
  'whose container exits with 0': { spec: main, steps: [exits('main', 0)], stages: 2 },
  'whose container exits with 3': { spec: main, steps: [exits('main', 3)], stages: 2 },
  'of which one container exits, then the other': {
    spec: two,
    steps: [exits('main', 3), exits('other', 0)],
    stages: 3,
  },
  'of which both exit with 0': { spec: two, steps: [exits('other', 0), exits('main', 0)], stages: 3 },
  'that becomes ready late': {
    spec: { containers: [container('main', undefined, probed)] },
    annotations: kwok({ readyAfter: '1000h' }),
    steps: ['ready', exits('main', 1)],
    stages: 3,
  },
  'of which one container is ready late and one exits': {
    spec: { containers: [container('main', undefined, probed), container('other')] },
    annotations: kwok({ readyAfter: '1000h' }),
    steps: ['ready', exits('other', 1), exits('main', 1)],
    stages: 4,
  },
  'with a sidecar that outlives its main container': {
    spec: withSidecar,
    annotations: stopsSlowly,
    steps: [exits('main', 0)],
    stages: 3,
  },
  'beyond its deadline': { spec: two, annotations: stopsSlowly, steps: ['deadline'], stages: 3 },
  'beyond its deadline, whose containers end with 0': {
    spec: { containers: [container('main', `sleep ${STOP_SECONDS}; exit 0`)] },
    annotations: { ...stopsSlowly, ...kwok({ stopCode: 0 }) },
    steps: ['deadline'],
    stages: 3,
  },
  'beyond its deadline, of which one container has ended': {
    spec: two,
    annotations: stopsSlowly,
    steps: [exits('main', 3), 'deadline'],
    stages: 4,
  },
  'beyond its deadline and then its grace period': {
    spec: { ...short, containers: [ignores] },
    annotations: never,
    steps: ['deadline'],
    stages: 3,
  },
  'beyond its deadline, with a sidecar': {
    spec: { ...withSidecar, terminationGracePeriodSeconds: 60 },
    annotations: stopsSlowly,
    steps: ['deadline'],
    stages: 3,
  },
  'that is deleted': { spec: main, annotations: stopsSlowly, steps: ['delete'], stages: 4 },
  'that is deleted and ends with 0': {
    spec: { containers: [container('main', `sleep ${STOP_SECONDS}; exit 0`)] },
    annotations: { ...stopsSlowly, ...kwok({ stopCode: 0 }) },
    steps: ['delete'],
    stages: 4,
  },
  'that is deleted and killed at the end of its grace period': {
    spec: { ...short, containers: [ignores] },
    annotations: never,
    steps: ['delete'],
    stages: 4,
  },
  'that is deleted after its end': { spec: main, steps: [exits('main', 3), 'delete'], stages: 4 },
  'that is deleted beyond its deadline': {
    spec: { ...short, containers: [ignores] },
    annotations: never,
    steps: ['deadline', 'delete'],
    stages: 5,
  },
};

const statusesOf = ({ status }: Pod): readonly ContainerState[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
];
const conditionOf = (pod: Pod, type: string) => pod.status?.conditions?.find((condition) => condition.type === type);
const isOver = ({ status }: Pod): boolean => status?.phase === 'Failed' || status?.phase === 'Succeeded';

/** Whether the pod shows what a step does. */
function shows(step: Step, pod: Pod | undefined): boolean {
  if (step === 'delete') return pod === undefined;
  if (pod === undefined) return false;
  if (step === 'ready') return conditionOf(pod, 'Ready')?.status === 'True';
  if (step === 'deadline') return conditionOf(pod, 'Ready')?.reason === 'PodFailed';
  const ended = statusesOf(pod).filter(({ state }) => state?.terminated !== undefined);
  if (ended.length === statusesOf(pod).length) return isOver(pod);
  return ended.some(({ name }) => name === step.container);
}

/** On a real node the container is asked; on a simulated one, KWOK. */
async function take(ns: TestNamespace, node: string, step: Step): Promise<void> {
  const pod = ns.history.get('pods', node) as Pod;
  const annotate = (annotations: object) => ns.patch('pods', node, { metadata: { annotations } });
  const isReal = node.startsWith('real');
  if (step === 'deadline') await ns.patch('pods', node, { spec: { activeDeadlineSeconds: 1 } });
  else if (step === 'delete') await ns.delete('pods', node);
  else if (step === 'ready')
    await (isReal ? inside(ns, pod, 'main', 'touch /tmp/ready') : annotate(kwok({ readyAfter: '1ms' })));
  else if (isReal) await inside(ns, pod, step.container, `echo ${step.code} > /tmp/code && mv /tmp/code /tmp/end`);
  else await annotate(kwok({ exitAfter: '1ms', exitCode: step.code, exitContainer: step.container }));
}

async function run(ns: TestNamespace, node: string, course: Course): Promise<(PodStage | 'gone')[]> {
  await ns.createRaw('pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: node, annotations: course.annotations },
    spec: { restartPolicy: 'Never', nodeSelector: { 'kubernetes.io/hostname': node }, ...course.spec },
  });
  const now = () => ns.history.get('pods', node);
  await ns.until(`${node} to run`, () => now()?.status?.phase === 'Running');
  for (const step of course.steps) {
    await take(ns, node, step);
    await ns.until(`${node} after ${JSON.stringify(step)}`, () => shows(step, now()));
  }
  await ns.until(`${node} to be over`, () => {
    const pod = now();
    return pod === undefined || isOver(pod);
  });
  return courseOf(ns.history, node);
}

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real,kwok=1', operator: false });

  for (const [name, course] of Object.entries(courses)) {
    it(`${name} has the statuses that a kubelet writes`, async (context) => {
      const ns = await suite().namespace(context);
      const [real, simulated] = await Promise.all(['real-1', 'kwok-0'].map((node) => run(ns, node, course)));
      expect(simulated).toEqual(real);
      expect(real).toHaveLength(course.stages);
    });
  }
});
