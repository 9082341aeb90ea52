/** TargetGroup: a core Service for its targets, the endpoints that Kubernetes does not keep, and what routes to them. */
import { targetGroups } from '../api/meta.ts';
import { uniqueDnsName } from '../api/names.ts';
import type { FieldSupport } from '../api/status.ts';
import type { TargetGroupStatus } from '../api/target-group.ts';
import type { Requeue } from '../kube/controller.ts';
import { targetGroupFieldSupport } from '../pod/field-support.ts';
import { targetGroupService } from '../traffic/core-service.ts';
import { type ConditionInput, kstatus, withTimes } from './conditions.ts';
import { splitKey } from './records.ts';
import type { Runtime, Stores, TargetGroupRecord } from './runtime.ts';
import { keepCoreServices } from './traffic/core-services.ts';
import { keepEndpointSlices } from './traffic/endpoint-slices.ts';
import { IMPLEMENTATIONS, type TrafficReport } from './traffic/implementation.ts';
import type { Keeper } from './traffic/kept-objects.ts';

export const targetGroupNameOf = ({ spec, name }: TargetGroupRecord): string => spec?.name ?? name;

/** The target group that has an AWS name: the oldest of those that claim it. */
export const targetGroupOf = (stores: Stores, namespace: string, name: string): TargetGroupRecord | undefined =>
  stores.targetGroups
    .by('name', `${namespace}/${name}`)
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.uid < b.uid ? -1 : 1))[0];

/** The core Service behind which its targets stand. */
export const coreServiceOf = ({ name }: TargetGroupRecord): string => uniqueDnsName(name);

/** What somebody else has is asked for again this often: nothing tells when it goes. */
const AGAIN_MS = 60_000;

export async function reconcileTargetGroup(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const record = stores.targetGroups.get(namespace, name);
  // A deleted target group's objects go with it: they name it as their owner.
  if (record === undefined || record.deleting) return {};
  const { uid, spec } = record;
  const unseen =
    barriers.targetGroups.pending(uid) ?? barriers.coreServices.pending(uid) ?? barriers.endpointSlices.pending(uid);
  if (unseen !== undefined) return { requeueWhen: unseen };
  if (spec === undefined) {
    await report(runtime, record, kstatus('stalled', 'InvalidSpec', record.problem ?? 'the spec is not valid'));
    return {};
  }
  const awsName = targetGroupNameOf(record);
  const holder = targetGroupOf(stores, namespace, awsName);
  if (holder !== undefined && holder.uid !== uid) {
    const message = `target group "${awsName}" is the older TargetGroup ${holder.name}: delete one of them, or give it another spec.name`;
    await report(runtime, record, kstatus('stalled', 'NameTaken', message));
    return {};
  }
  const service = coreServiceOf(record);
  const keeper: Keeper = { kind: targetGroups, namespace, name, uid };
  const problem = await keepCoreServices(runtime, keeper, [{ name: service, spec: targetGroupService(service, spec) }]);
  if (problem !== undefined) {
    await report(runtime, record, kstatus('stalled', 'ServiceNotWritten', problem));
    return { requeueAfterMs: AGAIN_MS };
  }
  await keepEndpointSlices(runtime, keeper, service);
  const others: TrafficReport[] = [];
  for (const apply of IMPLEMENTATIONS) others.push(await apply(runtime, record, spec));
  await report(
    runtime,
    record,
    [
      ...kstatus('ready', 'Active', `its targets stand behind core Service ${service}`),
      ...others.flatMap(({ condition }) => condition ?? []),
    ],
    others.flatMap(({ support = [] }) => support),
  );
  return soonest(others);
}

function soonest(reports: readonly Requeue[]): Requeue {
  const delays = reports.flatMap(({ requeueAfterMs }) => requeueAfterMs ?? []);
  const events = reports.flatMap(({ requeueWhen }) => requeueWhen ?? []);
  return {
    ...(delays.length > 0 && { requeueAfterMs: Math.min(...delays) }),
    ...(events.length > 0 && { requeueWhen: Promise.race(events) }),
  };
}

async function report(
  runtime: Runtime,
  record: TargetGroupRecord,
  conditions: ConditionInput[],
  support: readonly FieldSupport[] = [],
): Promise<void> {
  const now = runtime.now();
  const status: TargetGroupStatus = {
    observedGeneration: record.generation,
    targetGroupName: targetGroupNameOf(record),
    service: coreServiceOf(record),
    fieldSupport: record.spec === undefined ? [] : [...targetGroupFieldSupport(record.spec), ...support],
    conditions: withTimes(conditions, record.status.conditions, record.generation, now),
  };
  await runtime.statuses.targetGroups.write(record, status, { urgent: true, now });
}
