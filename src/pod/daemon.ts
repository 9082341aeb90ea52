/** Tasks of DAEMON services: pods for one node each, as a DaemonSet makes them, and which nodes are to have one. */
import type { V1Affinity, V1NodeSelectorRequirement, V1PodSpec, V1Taint, V1Toleration } from '@kubernetes/client-node';
import type { DaemonNode } from '../ecs/daemon-node.ts';

/** What is looked at of a node. */
export interface Node {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Pick<V1Taint, 'key' | 'value' | 'effect'>[];
  readonly ready: boolean;
  readonly draining: boolean;
}

type Scheduling = Pick<V1PodSpec, 'nodeSelector' | 'affinity' | 'tolerations' | 'hostNetwork'>;

const NODE_NAME = 'metadata.name';

/**
 * What the DaemonSet controller adds (pkg/controller/daemon/util, AddOrUpdateDaemonPodTolerations), but for
 * node.kubernetes.io/unschedulable: a node that is cordoned is DRAINING, and takes no task.
 */
export function daemonTolerations(hostNetwork: boolean): V1Toleration[] {
  const tolerate = (effect: string, ...conditions: readonly string[]): V1Toleration[] =>
    conditions.map((condition) => ({ key: `node.kubernetes.io/${condition}`, operator: 'Exists', effect }));
  return [
    ...tolerate('NoExecute', 'not-ready', 'unreachable'),
    ...tolerate('NoSchedule', 'disk-pressure', 'memory-pressure', 'pid-pressure'),
    ...tolerate('NoSchedule', ...(hostNetwork ? ['network-unavailable'] : [])),
  ];
}

/** The affinity of a pod that may run on this node alone; the constraints on nodes were looked at when it was chosen. */
export const onlyOn = (node: string, affinity: V1Affinity = {}): V1Affinity => ({
  ...affinity,
  nodeAffinity: {
    ...affinity.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: NODE_NAME, operator: 'In', values: [node] }] }],
    },
  },
});

/** The node that {@link onlyOn} was asked for. */
export function targetOf(affinity: V1Affinity | undefined): string | undefined {
  const [term] = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return term?.matchFields?.find(({ key }) => key === NODE_NAME)?.values?.[0];
}

/** As the DaemonSet controller decides it (nodeShouldRunDaemonPod), and DRAINING beside it. */
export function daemonNode(spec: Scheduling, node: Node): DaemonNode {
  const untolerated = node.taints.filter((taint) => !spec.tolerations?.some((other) => tolerates(other, taint)));
  const isKept = ({ effect }: Pick<V1Taint, 'effect'>): boolean => effect !== 'NoExecute';
  if (!matches(spec, node) || !untolerated.every(isKept)) return 'excluded';
  if (node.draining) return 'draining';
  return node.ready && untolerated.every(({ effect }) => effect === 'PreferNoSchedule') ? 'active' : 'closed';
}

function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: V1Toleration, taint: Node['taints'][0]) {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  return operator === 'Exists' || (key !== '' && value === (taint.value ?? ''));
}

function matches({ nodeSelector = {}, affinity }: Scheduling, { labels }: Node): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return (
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    (terms === undefined ||
      terms.some(({ matchExpressions = [] }) => matchExpressions.every((one) => requires(one, labels))))
  );
}

const WHOLE_NUMBER = /^[+-]?\d+$/;

/** k8s.io/apimachinery/pkg/labels, Requirement.Matches. */
function requires(
  { key, operator, values = [] }: V1NodeSelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default: {
      const [limit = ''] = values;
      if (value === undefined || !WHOLE_NUMBER.test(value)) return false;
      return operator === 'Gt' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
    }
  }
}
