/**
 * The part of a CNI plugin that enforces NetworkPolicies, for one pod of a real node, and for policies without rules: the
 * network of the local cluster enforces none.
 */
import type { V1NetworkPolicy } from '@kubernetes/client-node';
import type { TestContext } from 'vitest';
import { mustRun } from '../../dev/cluster/run.ts';
import { readState } from '../../dev/cluster/state.ts';
import { pathOf } from './kube-api.ts';
import type { Pod } from './recorder.ts';
import type { Suite } from './suite.ts';

/** Runs a command in the network of the real node. */
export const onNode = (suite: Suite, command: string, ...args: string[]): Promise<string> =>
  mustRun('nsenter', [`--net=${nodeNetwork(suite)}`, '--', command, ...args]);

/** The file that holds the network namespace of the real node. */
export function nodeNetwork({ cluster }: Suite): string {
  const dir = readState(cluster.dir)?.real?.nodes[0]?.dir;
  if (dir === undefined) throw new Error('the cluster has no real node');
  return `${dir}/netns`;
}

/** Closes the pod's address as far as the policies of its namespace say so that select it. */
export async function enforcePolicies(suite: Suite, pod: Pod, { onTestFinished }: TestContext): Promise<void> {
  const { namespace, labels = {} } = pod.metadata;
  const { podIP = '' } = pod.status ?? {};
  const { items } = await suite.api.call<{ items: V1NetworkPolicy[] }>('GET', pathOf('networkpolicies', namespace));
  const selecting = items.flatMap(({ spec }) => {
    const wanted = Object.entries(spec?.podSelector?.matchLabels ?? {});
    return spec !== undefined && wanted.every(([key, value]) => labels[key] === value) ? [spec] : [];
  });
  const isClosed = (type: 'Ingress' | 'Egress', rules: 'ingress' | 'egress'): boolean =>
    selecting.some(({ policyTypes }) => policyTypes?.includes(type)) &&
    selecting.every((spec) => (spec[rules] ?? []).length === 0);
  const rules = [
    ...(isClosed('Egress', 'egress') ? ['FORWARD', 'INPUT'].map((chain) => [chain, '--source', podIP]) : []),
    ...(isClosed('Ingress', 'ingress') ? ['FORWARD', 'OUTPUT'].map((chain) => [chain, '--destination', podIP]) : []),
  ];
  for (const [chain = '', ...match] of rules) {
    await onNode(suite, 'iptables', '-w', '-I', chain, '1', ...match, '-j', 'REJECT');
    onTestFinished(async () => {
      await onNode(suite, 'iptables', '-w', '-D', chain, ...match, '-j', 'REJECT');
    });
  }
}
