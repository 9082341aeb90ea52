/** Simulated nodes of one test alone: what happens to them happens to nobody else's tasks. */
import type { TestContext } from 'vitest';
import { simulatedNode } from '../../dev/cluster/kwok.ts';
import { pathOf } from './kube-api.ts';
import type { Suite, TestNamespace } from './suite.ts';

const OWNER = 'longshore.dev/test';

export interface OwnNodes {
  readonly names: readonly string[];
  /** `spec.kubernetes` of what runs there. */
  readonly kubernetes: { readonly nodeSelector: object; readonly tolerations: readonly object[] };
}

/** Makes `count` nodes that take no pods but those with the `kubernetes` of the result. */
export async function ownNodes(
  suite: Suite,
  ns: TestNamespace,
  context: TestContext,
  count: number,
): Promise<OwnNodes> {
  const names = Array.from({ length: count }, (_, index) => `${ns.name}-${index}`);
  await Promise.all(names.map((name, index) => ownNode(suite, ns, context, name, index)));
  return {
    names,
    kubernetes: { nodeSelector: { [OWNER]: ns.name }, tolerations: [{ key: OWNER, operator: 'Exists' }] },
  };
}

/** Makes one more of them; the test may delete it. @param index the zone: a, b, c in turn. */
export async function ownNode(
  suite: Suite,
  ns: TestNamespace,
  { onTestFinished }: TestContext,
  name: string,
  index = 0,
  allocatable: object = {},
): Promise<void> {
  const { status, ...node } = simulatedNode(name, index, { [OWNER]: ns.name });
  const taints = [{ key: OWNER, value: ns.name, effect: 'NoSchedule' }];
  await suite.api.call('POST', pathOf('nodes'), {
    ...node,
    spec: { taints },
    status: { ...status, allocatable: { ...status.allocatable, ...allocatable } },
  });
  onTestFinished(async () => {
    const { code, stderr } = await suite.cluster.kubectl([
      'delete',
      'node',
      name,
      '--ignore-not-found',
      '--wait=false',
    ]);
    if (code !== 0) throw new Error(stderr);
  });
}
