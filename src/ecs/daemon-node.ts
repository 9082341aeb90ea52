/** Nodes as DAEMON services see them. */
import { createHash } from 'node:crypto';
import type { ServiceTask } from './service-plan.ts';

export interface DaemonTask extends ServiceTask {
  /** The only node that it may run on. */
  readonly target?: string;
}

/** What a node is to a DAEMON service. */
export type DaemonNode =
  /** It is to have one task. */
  | 'active'
  /** It takes no task at present, as it is not ready or has a taint; one that runs there stays. */
  | 'closed'
  /** It is DRAINING: it takes no task, and one that runs there stops after the tasks of others. */
  | 'draining'
  /** The placement constraints, or taints that are meant for running tasks, exclude it. */
  | 'excluded';

/** Empty only for a task that was not started for a node. */
export const nodeOf = ({ target, node }: DaemonTask): string => target ?? node ?? '';

const SLOTS = 10n ** 15n;

/** A node's slot: its name as a number of at most 15 digits, so that names of tasks hold it. */
export const nodeSlot = (node: string): number =>
  Number(createHash('sha256').update(node).digest().readBigUInt64BE() % SLOTS);
