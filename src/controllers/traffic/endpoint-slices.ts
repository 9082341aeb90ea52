/** Writes the endpoints of tasks that a core Service does not select itself. */
import { LABELS, MANAGED_BY } from '../../api/meta.ts';
import { ZONE_ATTRIBUTE } from '../../ecs/balance.ts';
import type { Container } from '../../ecs/task.ts';
import { isAlreadyExists, isNotFound } from '../../kube/errors.ts';
import { apiVersion, endpointSlices, type KubeObject } from '../../kube/resource.ts';
import type { Stored } from '../../kube/store.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import {
  type AddressType,
  type EndpointJson,
  type Slice,
  type SlicePort,
  slicesOf,
  type TaskEndpoint,
} from '../../traffic/endpoint-slices.ts';
import { sameContent } from '../records.ts';
import type { Runtime } from '../runtime.ts';
import { ownerReference } from '../tasks.ts';
import type { Keeper } from './kept-objects.ts';

/** Kubernetes' labels of EndpointSlices. */
const SERVICE_NAME = 'kubernetes.io/service-name';
const WRITER = 'endpointslice.kubernetes.io/managed-by';

interface EndpointSliceJson extends KubeObject {
  readonly addressType: AddressType;
  readonly endpoints?: readonly EndpointJson[] | null;
  readonly ports?: readonly Partial<SlicePort>[] | null;
}

export interface EndpointSliceRecord extends Stored, Slice {
  /** UID of what the core Service follows from. */
  readonly owner: string;
  readonly service: string;
}

export function endpointSliceRecord({
  metadata,
  addressType,
  endpoints,
  ports,
}: EndpointSliceJson): EndpointSliceRecord {
  const { uid, namespace = '', name, resourceVersion, ownerReferences, labels } = metadata;
  return {
    uid,
    namespace,
    name,
    resourceVersion,
    owner: ownerReferences?.find(({ controller }) => controller)?.uid ?? '',
    service: labels?.[SERVICE_NAME] ?? '',
    addressType,
    ports:
      ports?.map(({ name: port = '', port: number = 0, protocol = '' }) => ({ name: port, port: number, protocol })) ??
      [],
    endpoints: endpoints ?? [],
  };
}

/**
 * Makes the slices of one core Service what its listed tasks are. Call it once the barrier shows the keeper's own writes.
 * @param unmapped ports of the core Service that no container has.
 */
export async function keepEndpointSlices(
  runtime: Runtime,
  keeper: Keeper,
  service: string,
  unmapped: readonly SlicePort[] = [],
): Promise<void> {
  const { client, stores, barriers } = runtime;
  const { namespace, uid } = keeper;
  const known = stores.endpointSlices.by('owner', uid).filter((slice) => slice.service === service);
  const tasks = stores.tasks.by('listed', `${namespace}/${service}`);
  const wanted = slicesOf(
    service,
    namespace,
    tasks.flatMap((task) => endpointsOf(runtime, task, service, unmapped)),
    known,
  );
  for (const slice of wanted) {
    const existing = known.find(({ name }) => name === slice.name);
    if (existing !== undefined && sameContent(existing.endpoints, slice.endpoints)) continue;
    const written = await (existing === undefined
      ? client.create<KubeObject>(endpointSlices, { namespace }, sliceObject(keeper, service, slice))
      : client.patch<KubeObject>(
          endpointSlices,
          { namespace, name: slice.name },
          { metadata: { uid: existing.uid }, endpoints: slice.endpoints },
        ));
    barriers.endpointSlices.note(uid, written.metadata.resourceVersion);
  }
  for (const { name, uid: sliceUid } of known) {
    if (wanted.some((slice) => slice.name === name)) continue;
    try {
      await client.delete(endpointSlices, { namespace, name }, { preconditions: { uid: sliceUid } });
    } catch (error) {
      if (!isNotFound(error) && !isAlreadyExists(error)) throw error;
    }
  }
}

function endpointsOf(
  { nodes }: Runtime,
  task: ObservedTask,
  service: string,
  unmapped: readonly SlicePort[],
): TaskEndpoint[] {
  const { node, addresses = [], name, uid } = task;
  if (task.ended || task.stopRequested !== task.deleting) return [];
  const zone = node === undefined ? undefined : nodes.attributeOf(node, ZONE_ATTRIBUTE);
  const ports = portsOf(task, service, unmapped);
  if (ports === undefined) return [];
  return addresses.map((address) => ({
    pod: { name, uid },
    address,
    ports,
    ...(node !== undefined && { node }),
    ...(zone !== undefined && { zone }),
    terminating: task.deleting,
  }));
}

/** Of the containers that answer; undefined where the task is not behind the core Service yet, or not any more. */
function portsOf(
  { containers }: ObservedTask,
  service: string,
  unmapped: readonly SlicePort[],
): SlicePort[] | undefined {
  const own = containers.flatMap((container) =>
    (container.endpoints ?? [])
      .filter((endpoint) => endpoint.service === service)
      .map((endpoint) => ({ container, endpoint })),
  );
  const answers = ({ status, ready }: Container): boolean => status === 'RUNNING' && ready;
  if (own.length === 0) return containers.every((one) => !one.essential || answers(one)) ? [...unmapped] : undefined;
  const ports = own
    .filter(({ container }) => answers(container))
    .map(({ endpoint: { portName, port, protocol } }) => ({ name: portName, port, protocol: protocol.toUpperCase() }));
  return ports.length === 0 ? undefined : [...ports, ...unmapped];
}

const sliceObject = (keeper: Keeper, service: string, { name, addressType, ports, endpoints }: Slice): object => ({
  apiVersion: apiVersion(endpointSlices),
  kind: endpointSlices.kind,
  metadata: {
    name,
    namespace: keeper.namespace,
    labels: { [LABELS.managedBy]: MANAGED_BY, [SERVICE_NAME]: service, [WRITER]: 'longshore.dev' },
    ownerReferences: [ownerReference(keeper.kind, keeper)],
  },
  addressType,
  ports,
  endpoints,
});
