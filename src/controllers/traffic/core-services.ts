/** Core Services: behind one stand the tasks of a target group, or those that a name stands for. */
import { coreServices } from '../../kube/resource.ts';
import { isBindingService } from '../../traffic/target-group-binding.ts';
import type { Runtime } from '../runtime.ts';
import { type Keeper, type Kept, type KeptRecord, keepObjects } from './kept-objects.ts';

export type CoreServiceRecord = KeptRecord;

export const isOfBinding = ({ name, spec }: KeptRecord): boolean => isBindingService(name, spec);

/**
 * @param isKept of the keeper's core Services, those that go when they are not wanted. Default: all but those of bindings.
 * @returns what is in the way.
 */
export const keepCoreServices = (
  runtime: Runtime,
  keeper: Keeper,
  wanted: readonly Kept[],
  isKept: (record: KeptRecord) => boolean = (record) => !isOfBinding(record),
): Promise<string | undefined> =>
  keepObjects(
    runtime,
    { resource: coreServices, store: runtime.stores.coreServices, barrier: runtime.barriers.coreServices, isKept },
    keeper,
    wanted,
  );
