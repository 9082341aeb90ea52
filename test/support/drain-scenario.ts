/** A service that is scaled in behind a target group, with tasks whose endpoints Longshore writes: none is told to end too early. */
import type { CrashPoints } from './crash-points.ts';
import { duplicates, momentsOf, startsAboveBound } from './invariants.ts';
import { kwok, service, sidecarContainer, targetGroup, taskDefinition, webContainer } from './manifests.ts';
import type { EndpointSlice, NamespaceHistory, Pod } from './recorder.ts';
import { runningPods, untilSteady } from './services.ts';

type Scenario = Omit<ConstructorParameters<typeof CrashPoints>[1], 'sample'>;

const DELAY_SECONDS = 17;
/** That its containers wait by themselves. */
const PAUSE_SECONDS = 15;

const web = { ...webContainer, portMappings: [{ containerPort: 80 }] };
const loadBalancers = [{ targetGroupArn: 'edge', containerName: 'web', containerPort: 80 }];

const slicesOf = (history: NamespaceHistory): EndpointSlice[] =>
  history.all('endpointslices').filter(({ metadata }) => metadata.name.startsWith('edge-ipv4-'));
const targetsOf = (history: NamespaceHistory): string[] =>
  slicesOf(history).flatMap(({ endpoints }) => (endpoints ?? []).map(({ targetRef }) => targetRef?.name ?? ''));
const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((name) => others.includes(name));
const isComplete = (history: NamespaceHistory, tasks: number): boolean => {
  const names = runningPods(history, 'web').map(({ metadata }) => metadata.name);
  return names.length === tasks && isSame(targetsOf(history), names);
};

/** Those that were told to end before their delay was over, or while they were targets. */
function earlyEnds(history: NamespaceHistory): string[] {
  const seen = new Set<string>();
  return history.entries.flatMap(({ kind, object, seenAt }) => {
    if (kind !== 'pods') return [];
    const { metadata, spec } = object as Pod;
    if (spec.activeDeadlineSeconds === undefined || seen.has(metadata.name)) return [];
    seen.add(metadata.name);
    const until = Date.parse(metadata.annotations?.['longshore.dev/draining-until'] ?? '');
    const isTarget = metadata.labels?.['traffic.longshore.dev/edge'] !== undefined;
    const early = Number.isNaN(until) || seenAt < until - PAUSE_SECONDS * 1000;
    return early || isTarget ? [`${metadata.name} was told to end ${early ? 'early' : 'as a target'}`] : [];
  });
}

export const DRAIN: Scenario = {
  run: async (ns) => {
    const kubernetes = { podAnnotations: kwok({ exitAfter: '100ms', exitCode: 0, exitContainer: 'sidecar' }) };
    await ns.create(
      targetGroup('edge', DELAY_SECONDS),
      taskDefinition('web', { kubernetes }, [web, sidecarContainer]),
      service('web', { desiredCount: 2, loadBalancers }),
    );
    await untilSteady(ns.history, 'web', 2);
    await ns.until('both behind the target group', () => isComplete(ns.history, 2));
    await ns.patch('services', 'web', { spec: { desiredCount: 1 } });
    await ns.until('the end of one', () => isComplete(ns.history, 1) && ns.history.all('pods').length === 1);
    await untilSteady(ns.history, 'web', 1);
  },
  end: (history) => ({
    running: runningPods(history, 'web').length,
    slices: slicesOf(history).length,
  }),
  undisturbed: {
    running: 1,
    slices: 1,
  },
  violations: (history) => {
    const moments = momentsOf(history, 'web');
    return [...startsAboveBound(moments), ...duplicates(history), ...earlyEnds(history)];
  },
  writes: 12,
};
