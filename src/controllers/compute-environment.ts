/** ComputeEnvironment: what of it is in use, over all queues that share it. */
import type { ComputeEnvironmentStatus } from '../api/compute-environment.ts';
import type { Requeue } from '../kube/controller.ts';
import { computeEnvironmentFieldSupport } from '../pod/field-support.ts';
import { type ConditionInput, kstatus, withTimes } from './conditions.ts';
import { computeEnvironmentNameOf, computeEnvironmentOf } from './queue-names.ts';
import { splitKey } from './records.ts';
import type { ComputeEnvironmentRecord, Runtime, Stores } from './runtime.ts';

export async function reconcileComputeEnvironment(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [, name] = splitKey(key);
  const environment = stores.computeEnvironments.get('', name);
  if (environment === undefined || environment.deleting) return {};
  const unseen = barriers.computeEnvironments.pending(environment.uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  const now = runtime.now();
  const conditions = verdictOf(stores, environment);
  const isValid = conditions.some(({ type, status }) => type === 'Ready' && status);
  const { vcpus, memory } = runtime.queueing.dispatcher.usedOf(name);
  const status: ComputeEnvironmentStatus = {
    observedGeneration: environment.generation,
    status: isValid ? 'VALID' : 'INVALID',
    ...(!isValid && { statusReason: conditions[0]?.message }),
    // Sums of fractions are no fractions that people write.
    usedVcpus: Math.round(vcpus * 1000) / 1000,
    usedMemoryMiB: memory,
    fieldSupport: environment.spec === undefined ? [] : computeEnvironmentFieldSupport(environment.spec),
    conditions: withTimes(conditions, environment.status.conditions, environment.generation, now),
  };
  const urgent = environment.status.status !== status.status;
  const wait = await runtime.statuses.computeEnvironments.write(environment, status, { urgent, now });
  return wait > 0 ? { requeueAfterMs: wait } : {};
}

function verdictOf(stores: Stores, environment: ComputeEnvironmentRecord): ConditionInput[] {
  const { spec, problem, uid } = environment;
  if (spec === undefined) return kstatus('stalled', 'InvalidSpec', problem ?? 'the spec is not valid');
  const awsName = computeEnvironmentNameOf(environment);
  const holder = computeEnvironmentOf(stores, awsName);
  if (holder !== undefined && holder.uid !== uid) {
    const message = `compute environment "${awsName}" is the older ComputeEnvironment ${holder.name}: delete one of them, or give it another spec.computeEnvironmentName`;
    return kstatus('stalled', 'NameTaken', message);
  }
  return spec.state === 'ENABLED'
    ? kstatus('ready', 'Enabled', `compute environment "${awsName}" takes jobs`)
    : kstatus('ready', 'Disabled', `compute environment "${awsName}" takes no new jobs; those it has go on`);
}
