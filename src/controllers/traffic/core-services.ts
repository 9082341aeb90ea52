/** Core Services: behind one stand the tasks of a target group, or those that a name stands for. */
import { coreServices } from '../../kube/resource.ts';
import type { Runtime } from '../runtime.ts';
import { type Keeper, type Kept, type KeptRecord, keepObjects } from './kept-objects.ts';

export type CoreServiceRecord = KeptRecord;

/** @returns what is in the way. */
export const keepCoreServices = (
  runtime: Runtime,
  keeper: Keeper,
  wanted: readonly Kept[],
): Promise<string | undefined> =>
  keepObjects(
    runtime,
    { resource: coreServices, store: runtime.stores.coreServices, barrier: runtime.barriers.coreServices },
    keeper,
    wanted,
  );
