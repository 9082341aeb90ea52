/**
 * A PodDisruptionBudget for each service, from its lower bound: what ECS keeps running while an instance drains holds
 * for `kubectl drain` and autoscalers as well (`kubernetes-mapping §2.6`).
 */
import { LABELS, MANAGED_BY, services } from '../api/meta.ts';
import { dnsName } from '../api/names.ts';
import type { ServiceSpec } from '../api/service.ts';
import { bounds } from '../ecs/bounds.ts';
import { isAlreadyExists, isForbidden, isNotFound } from '../kube/errors.ts';
import { type KubeObject, podDisruptionBudgets } from '../kube/resource.ts';
import type { Stored } from '../kube/store.ts';
import { keyOf } from './records.ts';
import type { Runtime, ServiceRecord } from './runtime.ts';
import { ownerReference } from './tasks.ts';

interface BudgetJson extends KubeObject {
  readonly spec?: { readonly minAvailable?: number | string };
}

export interface BudgetRecord extends Stored {
  /** UID of the Service. */
  readonly owner: string;
  /** -1 where it is no number: somebody else wrote it. */
  readonly minAvailable: number;
}

export function budgetRecord({ metadata, spec }: BudgetJson): BudgetRecord {
  const { uid, namespace = '', name, resourceVersion, ownerReferences } = metadata;
  const minAvailable = typeof spec?.minAvailable === 'number' ? spec.minAvailable : -1;
  const owner = ownerReferences?.find(({ controller }) => controller)?.uid ?? '';
  return { uid, namespace, name, resourceVersion, owner, minAvailable };
}

/**
 * A bound above the desired count could never be met: it would hold every drain up for ever. So would one for DAEMON,
 * whose tasks are not replaced on another node.
 */
const lowerBound = ({ desiredCount = 0, deploymentConfiguration }: ServiceSpec): number => {
  const { minimumHealthyPercent, maximumPercent } = deploymentConfiguration;
  return Math.min(bounds(desiredCount, minimumHealthyPercent, maximumPercent).min, desiredCount);
};

/** Services as they were when their budget was refused: the same again would be refused again. */
const refused = new WeakSet<ServiceRecord>();

/**
 * Makes the service's budget what its lower bound asks for; there is none where that is 0. Writes only what has changed.
 * A budget of the same name that is not the service's stays as it is: the service then has none.
 * @returns the write that failed, if any: it must not keep the tasks from what is due.
 */
export async function keepBudget(
  runtime: Runtime,
  service: ServiceRecord,
  spec: ServiceSpec,
  serviceName: string,
): Promise<{ readonly failure?: unknown }> {
  const { stores, barriers, logger } = runtime;
  const { uid } = service;
  // The own write that is still to be seen wakes the service when it is.
  if (!runtime.seesBudgets() || refused.has(service) || barriers.budgets.pending(uid) !== undefined) return {};
  const [known] = stores.budgets.by('owner', uid);
  const minAvailable = lowerBound(spec);
  if (known === undefined ? minAvailable === 0 : known.minAvailable === minAvailable) return {};
  try {
    const written = await write(runtime, service, known, minAvailable, serviceName);
    if (written !== undefined) barriers.budgets.note(uid, written.metadata.resourceVersion);
    return {};
  } catch (error) {
    if (isNotFound(error)) return {};
    if (!isForbidden(error) && !isAlreadyExists(error)) return { failure: error };
    refused.add(service);
    logger.warn({ service: keyOf(service), err: error }, 'the service has no PodDisruptionBudget');
    return {};
  }
}

async function write(
  { client }: Runtime,
  service: ServiceRecord,
  known: BudgetRecord | undefined,
  minAvailable: number,
  serviceName: string,
): Promise<KubeObject | undefined> {
  const { namespace, name } = service;
  if (known !== undefined) {
    const { uid } = known;
    const at = { namespace, name: known.name };
    if (minAvailable > 0)
      return client.patch<KubeObject>(podDisruptionBudgets, at, { metadata: { uid }, spec: { minAvailable } });
    await client.delete(podDisruptionBudgets, at, { preconditions: { uid } });
    return undefined;
  }
  return client.create<KubeObject>(
    podDisruptionBudgets,
    { namespace },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: {
        name,
        namespace,
        labels: { [LABELS.managedBy]: MANAGED_BY },
        ownerReferences: [ownerReference(services, service)],
      },
      spec: {
        minAvailable,
        // A task that is not ready does no work: it must not hold a drain up.
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector: {
          matchLabels: { [LABELS.service]: dnsName(serviceName) },
          matchExpressions: [{ key: LABELS.stopped, operator: 'DoesNotExist' }],
        },
      },
    },
  );
}
