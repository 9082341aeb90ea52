/** TaskDefinition: every change of `spec` registers an immutable revision (`ecs-semantics §1.13`). */
import type { TaskDefinitionStatus } from '../api/task-definition.ts';
import { compatibilities } from '../ecs/compatibilities.ts';
import type { Requeue } from '../kube/controller.ts';
import { fieldSupport } from '../pod/field-support.ts';
import { taskProblems } from '../pod/problems.ts';
import { clusterView } from './cluster-view.ts';
import { type ConditionInput, kstatus, rfc3339, withTimes } from './conditions.ts';
import { splitKey } from './records.ts';
import { clusterProblems, resolvedRefs } from './references.ts';
import type { Runtime } from './runtime.ts';
import {
  deregister,
  familyOf,
  holderOf,
  isRegistered,
  KEPT_REVISIONS,
  pruneRevisions,
  registerRevision,
  revisionsOf,
} from './task-revisions.ts';

export async function reconcileTaskDefinition(runtime: Runtime, key: string): Promise<Requeue> {
  const { stores, barriers } = runtime;
  const [namespace, name] = splitKey(key);
  const record = stores.taskDefinitions.get(namespace, name);
  if (record === undefined || record.deleting) return {};
  const family = familyOf(record);
  const unseen = barriers.taskDefinitions.pending(record.uid) ?? barriers.revisions.pending(`${namespace}/${family}`);
  if (unseen !== undefined) return { requeueWhen: unseen };

  let revisions = revisionsOf(stores, namespace, family);
  const holder = holderOf(stores, namespace, family);
  let conditions: ConditionInput[];
  if (record.spec === undefined) {
    conditions = kstatus('stalled', 'InvalidSpec', record.problem ?? 'the spec is not valid');
  } else if (holder !== undefined && holder.uid !== record.uid) {
    const message = `family "${family}" belongs to the older TaskDefinition ${holder.name}: choose another spec.family, or delete one of them`;
    conditions = kstatus('stalled', 'FamilyTaken', message);
  } else {
    if (!isRegistered(record, revisions[0])) {
      const revision = await registerRevision(runtime, record, family, (revisions[0]?.number ?? 0) + 1);
      runtime.logger.info(
        { taskDefinition: key, family, revision: revision.number },
        `registered ${family}:${revision.number}`,
      );
      revisions = [revision, ...revisions];
    }
    const asked = await deregister(runtime, record, family, revisions);
    revisions = asked.revisions;
    conditions =
      asked.problem === undefined
        ? kstatus('ready', 'Registered', `revision ${family}:${revisions[0]?.number} is registered`)
        : kstatus('stalled', 'InvalidAnnotation', asked.problem);
  }

  if (record.spec !== undefined) {
    const cluster = clusterView(stores, namespace);
    conditions.push(resolvedRefs([...clusterProblems(cluster), ...taskProblems(record.spec, cluster.spec)]));
  }

  const status: TaskDefinitionStatus = {
    observedGeneration: record.generation,
    family,
    ...(revisions[0] !== undefined && { latestRevision: revisions[0].number }),
    revisions: revisions.slice(0, KEPT_REVISIONS).map(({ number, createdAt, deregisteredAt }) => ({
      revision: number,
      status: deregisteredAt === undefined ? 'ACTIVE' : 'INACTIVE',
      registeredAt: rfc3339(createdAt),
      ...(deregisteredAt !== undefined && { deregisteredAt: rfc3339(deregisteredAt) }),
    })),
    compatibilities: record.spec === undefined ? [] : compatibilities(record.spec),
    fieldSupport: record.spec === undefined ? [] : fieldSupport(record.spec, runtime.features),
    conditions: withTimes(conditions, record.status.conditions, record.generation, runtime.now()),
  };
  await runtime.statuses.taskDefinitions.write(record, status, { urgent: true, now: runtime.now() });
  await pruneRevisions(runtime, namespace, family, revisions);
  return {};
}
