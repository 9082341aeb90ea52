/** What DAEMON services see of nodes, and which of them a change of a node concerns. */
import type { DaemonNode } from '../ecs/daemon-node.ts';
import type { PodTemplate } from '../pod/compile.ts';
import { daemonNode } from '../pod/daemon.ts';
import type { NodeRecord } from './nodes.ts';
import type { Runtime, ServiceRecord, Stores } from './runtime.ts';

/** The only key of the index `daemon`. */
export const DAEMON = 'DAEMON';

export const isDaemon = ({ spec }: ServiceRecord): boolean => spec?.schedulingStrategy === DAEMON;

export interface DaemonNodes {
  readonly nodes: ReadonlyMap<string, DaemonNode>;
  readonly busy: ReadonlySet<string>;
}

export class Daemons {
  /** UID of a service → what its tasks ask of nodes, as its last plan had it. */
  readonly #asked = new Map<string, PodTemplate['spec']>();

  forget(service: string): void {
    this.#asked.delete(service);
  }

  /** @param template of the newest deployment: what it asks of nodes holds for the tasks of older ones as well. */
  nodesFor({ stores }: Pick<Runtime, 'stores'>, { uid }: ServiceRecord, { spec }: PodTemplate): DaemonNodes {
    this.#asked.set(uid, spec);
    const nodes = new Map<string, DaemonNode>();
    const busy = new Set<string>();
    for (const node of stores.nodes.values()) {
      nodes.set(node.name, daemonNode(spec, node));
      if (node.draining && hasOtherTasks(stores, node.name)) busy.add(node.name);
    }
    return { nodes, busy };
  }

  /** Whether the change of a node may change what its service does. */
  concerns({ uid }: ServiceRecord, before: NodeRecord | undefined, after: NodeRecord | undefined): boolean {
    const spec = this.#asked.get(uid);
    if (spec === undefined) return true;
    const stateOf = (node: NodeRecord | undefined) => node && daemonNode(spec, node);
    return stateOf(before) !== stateOf(after);
  }
}

/** Tasks of Longshore's that are no daemons: it knows of no others. */
const hasOtherTasks = (stores: Stores, node: string): boolean =>
  stores.tasks
    .by('node', node)
    .some(({ ended, owner }) => !ended && !stores.services.by('uid', owner).some((service) => isDaemon(service)));
