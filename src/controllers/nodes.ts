/** Nodes as container instances: which are DRAINING, which are lost with their tasks, and whether they have zones. */
import { attributesOf, type NodeAttributes, type Strategy } from '../ecs/balance.ts';
import { hostTerminated } from '../ecs/task.ts';
import type { Store, Stored } from '../kube/store.ts';
import type { Node } from '../pod/daemon.ts';
import type { ObservedTask } from '../pod/observe.ts';
import { attributeOf, ZONE } from '../pod/placement-attributes.ts';

/** The part of a Node's JSON that is read. */
interface NodeJson {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: Node['taints'] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** All that is kept of a node. */
export interface NodeRecord extends Stored, Node {
  /** Cordoned, or about to be removed: ECS's DRAINING. */
  readonly draining: boolean;
  /** Its kubelet reports. */
  readonly ready: boolean;
}

/** Taints by which autoscalers say that they remove the node: cluster-autoscaler, Karpenter. */
const REMOVAL_TAINTS: ReadonlySet<string> = new Set(['ToBeDeletedByClusterAutoscaler', 'karpenter.sh/disrupted']);

export function nodeRecord({ metadata, spec, status }: NodeJson): NodeRecord {
  const { uid, name, resourceVersion } = metadata;
  const removed =
    metadata.deletionTimestamp !== undefined || spec?.taints?.some(({ key }) => REMOVAL_TAINTS.has(key)) === true;
  return {
    uid,
    namespace: '',
    name,
    resourceVersion,
    draining: spec?.unschedulable === true || removed,
    ready: status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true,
    labels: metadata.labels ?? {},
    taints: (spec?.taints ?? []).map(({ key, value, effect }) => ({
      key,
      effect,
      ...(value !== undefined && { value }),
    })),
  };
}

/** What the schedulers ask of nodes. */
export interface NodeView {
  /** The nodes of the cluster are known. */
  areKnown(): boolean;
  isDraining(node: string): boolean;
  /** Not ready, or gone. */
  isAway(node: string): boolean;
  /** Undefined where the node has none of that name, or is not known. */
  attributeOf(node: string, name: string): string | undefined;
  /** Some node has a zone, or no node is known. */
  hasZones(): boolean;
}

/** @param known whether the store has the nodes of the cluster; while it has not, no node drains or is away, and there are zones. */
export function nodeView(store: Store<NodeRecord>, known: () => boolean): NodeView {
  return {
    areKnown: known,
    isDraining: (node) => known() && store.get('', node)?.draining === true,
    isAway: (node) => known() && store.get('', node)?.ready !== true,
    attributeOf: (node, name) => store.get('', node)?.labels[attributeOf(name)?.key ?? ''],
    hasZones: () => !known() || store.size === 0 || isZoned(store.values()),
  };
}

function isZoned(nodes: Iterable<NodeRecord>): boolean {
  for (const { labels } of nodes) if (labels[ZONE] !== undefined) return true;
  return false;
}

/**
 * Tasks as their nodes leave them. One whose pod is deleted while its node is away has ended: Kubernetes deletes it when
 * the toleration of the node's taint is over, and no kubelet is there to confirm its end (`kubernetes-mapping §2.6`).
 */
export function withNodes<T extends ObservedTask>(tasks: readonly T[], nodes: Pick<NodeView, 'isAway'>): readonly T[] {
  const isLost = ({ ended, deleting, node }: T): boolean =>
    !ended && deleting && node !== undefined && nodes.isAway(node);
  if (!tasks.some(isLost)) return tasks;
  return tasks.map((task) =>
    isLost(task) ? { ...task, ended: true, stopCause: task.stopCause ?? hostTerminated(task.node ?? '') } : task,
  );
}

/** The nodes of these tasks that are DRAINING. */
export const drainingNodes = (tasks: readonly ObservedTask[], nodes: NodeView): ReadonlySet<string> =>
  new Set(tasks.flatMap(({ node }) => (node !== undefined && nodes.isDraining(node) ? [node] : [])));

/** Attributes of the nodes of these tasks: those that the choice of tasks to stop rests on. */
export function nodeAttributes(
  tasks: readonly ObservedTask[],
  nodes: Pick<NodeView, 'attributeOf'>,
  strategies: readonly Strategy[],
): NodeAttributes {
  const names = attributesOf(strategies);
  const known = new Map<string, Readonly<Record<string, string>>>();
  for (const { node } of tasks) {
    if (node === undefined || known.has(node)) continue;
    const found = names.map((name) => [name, nodes.attributeOf(node, name)] as const);
    known.set(node, Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))));
  }
  return known;
}
