/** The core Services under which the tasks of a service are found. */
import { services } from '../../api/meta.ts';
import { dnsName } from '../../api/names.ts';
import { coreServices } from '../../kube/resource.ts';
import type { ObservedTask } from '../../pod/observe.ts';
import { discoveryService } from '../../traffic/core-service.ts';
import type { DiscoveryName } from '../../traffic/discovery.ts';
import type { SlicePort } from '../../traffic/endpoint-slices.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Runtime, ServiceRecord } from '../runtime.ts';
import { type ServiceDeployment, serviceNameOf } from '../service-deployments.ts';
import type { Trouble } from '../service-revision.ts';
import { templateOf } from '../service-template.ts';
import { keepCoreServices } from './core-services.ts';
import { keepEndpointSlices } from './endpoint-slices.ts';
import type { Keeper } from './kept-objects.ts';

/** Reason of the condition of a service that waits for a name of another. */
export const NAME_TAKEN = 'NameTaken';

export interface Named {
  /** Whose name is in the way. */
  readonly trouble?: Trouble;
  /** The write that failed: it must not keep the tasks from what is due. */
  readonly failure?: unknown;
}

/**
 * Makes the names of a service core Services: those of its PRIMARY deployment, and of the one that is to be made, since a
 * deployment whose name somebody else has is not to begin. A name stays until the last task that is found by it is gone.
 * @param next names of the deployment that is to be made
 */
export async function keepNames(
  runtime: Runtime,
  service: ServiceRecord,
  cluster: ClusterView,
  primary: ServiceDeployment | undefined,
  tasks: readonly ObservedTask[],
  next: readonly DiscoveryName[] = [],
): Promise<Named> {
  try {
    const trouble = await keep(runtime, service, cluster, primary, tasks, next);
    return trouble === undefined ? {} : { trouble };
  } catch (failure) {
    return { failure };
  }
}

async function keep(
  runtime: Runtime,
  service: ServiceRecord,
  cluster: ClusterView,
  primary: ServiceDeployment | undefined,
  tasks: readonly ObservedTask[],
  next: readonly DiscoveryName[],
): Promise<Trouble | undefined> {
  const { stores } = runtime;
  const { namespace, name, uid } = service;
  const known = stores.coreServices.by('owner', uid);
  const current = primary === undefined ? [] : templateOf(runtime, service, primary, cluster.spec).names;
  const wanted = new Map<string, DiscoveryName>();
  // What runs is found as its deployment says, until the next one is PRIMARY.
  for (const one of [...current, ...next]) if (!wanted.has(one.name)) wanted.set(one.name, one);
  if (wanted.size === 0 && known.length === 0) return undefined;
  const inUse = new Set(tasks.flatMap(({ ended, traffic = [] }) => (ended ? [] : traffic.map((one) => one.service))));
  const leaving = known.filter((one) => inUse.has(one.name) && !wanted.has(one.name));

  const taken = [...wanted.values()].flatMap((one) => {
    const holder = stores.coreServices.get(namespace, one.name)?.owner ?? uid;
    return holder === uid ? [] : [`"${one.name}" is the name of ${describe(runtime, holder)}`];
  });
  // An address cannot be taken from a core Service: one that is to have none, or to get one, is made anew.
  const outdated = known.filter((one) => {
    const { headless } = wanted.get(one.name) ?? {};
    return headless !== undefined && headless !== ('clusterIP' in one.spec && one.spec.clusterIP === 'None');
  });
  const keeper: Keeper = { kind: services, namespace, name, uid };
  const objects = [...wanted.values()].filter(
    (one) =>
      (stores.coreServices.get(namespace, one.name)?.owner ?? uid) === uid &&
      !outdated.some((old) => old.name === one.name),
  );
  const label = dnsName(serviceNameOf(service));
  const problem = await keepCoreServices(runtime, keeper, [
    ...objects.map((one) => ({ name: one.name, spec: discoveryService(one, label) })),
    ...leaving,
  ]);
  for (const one of objects) await keepEndpointSlices(runtime, keeper, one.name, unmapped(one));
  for (const one of leaving) await keepEndpointSlices(runtime, keeper, one.name);
  const [first] = taken;
  if (first !== undefined) return { reason: NAME_TAKEN, message: first, stalled: true };
  return problem === undefined ? undefined : { reason: 'ServiceNotWritten', message: problem, stalled: true };
}

const unmapped = ({ ports }: DiscoveryName): SlicePort[] =>
  ports
    .filter(({ container }) => container === undefined)
    .map(({ name, port, protocol }) => ({ name, port, protocol: protocol.toUpperCase() }));

/** In the words of its kind: `Service "orders"`. */
function describe({ stores }: Runtime, uid: string): string {
  for (const { name } of stores.services.by('uid', uid)) return `another Service, "${name}"`;
  for (const { name } of stores.targetGroups.by('uid', uid)) return `the TargetGroup "${name}"`;
  return `a ${coreServices.kind} that is not this one's`;
}
