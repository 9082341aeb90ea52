/** The zones that tasks may run in, for AZ rebalancing. */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceSpec } from '../api/service.ts';
import { isRebalanced } from '../api/zone-rebalancing.ts';
import type { Change, Store } from '../kube/store.ts';
import type { PodTemplate } from '../pod/compile.ts';
import { daemonNode } from '../pod/daemon.ts';
import { ZONE } from '../pod/placement-attributes.ts';
import type { NodeRecord } from './nodes.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';

interface Found {
  /** Of the nodes as they were then. */
  readonly version: number;
  /** What the service's tasks ask of nodes. */
  readonly spec: PodTemplate['spec'];
  readonly zones: ReadonlySet<string>;
}

export class Zones {
  readonly #nodes: Store<NodeRecord>;
  /** UID of a service → what was found for its last plan, and is found again until a node changes. */
  readonly #found = new Map<string, Found>();
  #version = 0;

  constructor(nodes: Store<NodeRecord>) {
    this.#nodes = nodes;
  }

  forget(service: string): void {
    this.#found.delete(service);
  }

  /** @returns UIDs of services to which a change of a node opens a zone. */
  note({ type, object, previous }: Change<NodeRecord>): string[] {
    const [before, after] = type === 'deleted' ? [previous ?? object, undefined] : [previous, object];
    if (isDeepStrictEqual(before && asked(before), after && asked(after))) return [];
    this.#version++;
    const zone = after?.labels[ZONE];
    if (after === undefined || zone === undefined) return [];
    return [...this.#found].flatMap(([uid, { spec, zones }]) =>
      !zones.has(zone) && daemonNode(spec, after) === 'active' ? [uid] : [],
    );
  }

  /** Those of nodes that take tasks of this template. */
  of({ uid }: ServiceRecord, { spec }: PodTemplate): ReadonlySet<string> {
    const known = this.#found.get(uid);
    if (known?.version === this.#version && known.spec === spec) return known.zones;
    const zones = new Set<string>();
    for (const node of this.#nodes.values()) {
      const zone = node.labels[ZONE];
      if (zone !== undefined && !zones.has(zone) && daemonNode(spec, node) === 'active') zones.add(zone);
    }
    this.#found.set(uid, { version: this.#version, spec, zones });
    return zones;
  }
}

/** What decides whether a node takes tasks; a report of its kubelet changes nothing of it. */
const asked = ({ ready, draining, labels, taints }: NodeRecord) => ({ ready, draining, labels, taints });

/** Undefined where the zones of the service's tasks are not looked after. */
export function zonesOf(
  { zones, nodes }: Pick<Runtime, 'zones' | 'nodes'>,
  service: ServiceRecord,
  spec: ServiceSpec,
  template: () => PodTemplate,
): readonly string[] | undefined {
  return nodes.areKnown() && isRebalanced(spec) ? [...zones.of(service, template())] : undefined;
}
