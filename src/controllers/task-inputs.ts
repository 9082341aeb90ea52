/** What a task needs besides its pod: secrets that are fetched, claims that are made, files that are read. */
import { isDeepStrictEqual } from 'node:util';
import { ANNOTATIONS, LABELS, MANAGED_BY } from '../api/meta.ts';
import { isAlreadyExists, isNotFound, NotYetError } from '../kube/errors.ts';
import { apiVersion, configMaps, externalSecrets, type KubeObject, persistentVolumeClaims } from '../kube/resource.ts';
import type { PodTemplate } from '../pod/compile.ts';
import { EnvironmentFileError, withEnvironmentFiles } from '../pod/environment-files.ts';
import { type ExternalSecret, VALUE } from '../pod/references.ts';
import { type Claim, claimMetadata, claimSpec } from '../pod/volume-sources.ts';
import type { ClusterView } from './cluster-view.ts';
import type { Runtime } from './runtime.ts';

/** What a task needs is not there yet, or is nothing that ECS would start a task with. The start is tried again. */
export class TaskInputError extends NotYetError {
  constructor(message: string) {
    super(`ResourceInitializationError: ${message}`);
    this.name = 'TaskInputError';
  }
}

/**
 * The template as tasks that start now are to have it: secrets fetched, claims made, environment files read. ECS reads
 * them at each start.
 * @throws TaskInputError, ApiError
 */
export async function prepareTemplate(
  runtime: Runtime,
  namespace: string,
  cluster: ClusterView,
  template: PodTemplate,
): Promise<PodTemplate> {
  await Promise.all(template.externalSecrets.map((secret) => ensureSecret(runtime, namespace, cluster, secret)));
  await Promise.all(template.claims.map((claim) => ensureClaim(runtime, namespace, claim)));
  const names = new Set([...template.files.values()].flat().map(({ name }) => name));
  const data = new Map<string, ConfigMap['data']>();
  for (const name of names) data.set(name, await readConfigMap(runtime, namespace, name));
  try {
    return withEnvironmentFiles(template, ({ name, key }) => data.get(name)?.[key]);
  } catch (error) {
    if (error instanceof EnvironmentFileError) throw new TaskInputError(error.message);
    throw error;
  }
}

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

async function readConfigMap(runtime: Runtime, namespace: string, name: string): Promise<ConfigMap['data']> {
  try {
    return (await runtime.client.get<ConfigMap>(configMaps, { namespace, name })).data ?? {};
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** A shared Docker volume outlives its tasks and whoever ran them: the claim has no owner, and nothing deletes it. */
async function ensureClaim(runtime: Runtime, namespace: string, claim: Claim): Promise<void> {
  try {
    await runtime.client.create(
      persistentVolumeClaims,
      { namespace },
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: claim.name,
          namespace,
          ...claimMetadata(claim),
        },
        spec: claimSpec(claim),
      },
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

interface ExternalSecretObject extends KubeObject {
  readonly spec: { readonly secretStoreRef?: unknown; readonly data?: unknown };
  readonly status?: {
    /** `<generation>-<hash>` of what was synced last. */
    readonly syncedResourceVersion?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

/**
 * Has the External Secrets Operator fetch a secret; Longshore never sees its value. The object belongs to the Cluster, whose
 * store it names, and goes with it. Whoever comes second finds it, so that a crash or a lost answer makes no other one.
 * @throws TaskInputError until the Secret is there.
 */
async function ensureSecret(
  runtime: Runtime,
  namespace: string,
  { owner }: ClusterView,
  secret: ExternalSecret,
): Promise<void> {
  const { name, valueFrom } = secret;
  const waiting = (because: string) => new TaskInputError(`secret "${valueFrom}" is not there yet: ${because}`);
  const synced = `ExternalSecret ${name} is being synced`;
  const spec = externalSecretSpec(secret);
  const ownerReferences = owner === undefined ? [] : [owner];
  const found = await findSecret(runtime, namespace, name);
  if (found === undefined) {
    const labels = { [LABELS.managedBy]: MANAGED_BY };
    const annotations = { [ANNOTATIONS.valueFrom]: valueFrom };
    const metadata = { name, namespace, labels, annotations, ownerReferences };
    const object = { apiVersion: apiVersion(externalSecrets), kind: externalSecrets.kind, metadata, spec };
    try {
      await runtime.client.create(externalSecrets, { namespace }, object);
    } catch (error) {
      if (isNotFound(error))
        throw waiting(`the API server has no ${object.apiVersion}: install the External Secrets Operator`);
      if (!isAlreadyExists(error)) throw error;
    }
    throw waiting(synced);
  }
  const { uid, generation, deletionTimestamp } = found.metadata;
  if (deletionTimestamp !== undefined) throw waiting(`ExternalSecret ${name} is being deleted`);
  const isOwned = owner === undefined || found.metadata.ownerReferences?.some((known) => known.uid === owner.uid);
  if (
    !isOwned ||
    !isDeepStrictEqual(found.spec.secretStoreRef, spec.secretStoreRef) ||
    !refers(found.spec.data, spec.data)
  ) {
    // A Cluster that was made again takes over what the garbage collector would delete with the one before.
    await runtime.client.patch(externalSecrets, { namespace, name }, { metadata: { uid, ownerReferences }, spec });
    throw waiting(synced);
  }
  const { syncedResourceVersion, conditions } = found.status ?? {};
  const ready = conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'False') throw waiting(`ExternalSecret ${name}: ${ready.message ?? 'not ready'}`);
  const isCurrent = syncedResourceVersion === undefined || syncedResourceVersion.startsWith(`${generation}-`);
  if (ready?.status !== 'True' || !isCurrent) throw waiting(synced);
}

async function findSecret(
  runtime: Runtime,
  namespace: string,
  name: string,
): Promise<ExternalSecretObject | undefined> {
  try {
    return await runtime.client.get<ExternalSecretObject>(externalSecrets, { namespace, name });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

const externalSecretSpec = ({ name, store, remoteKey, property, version }: ExternalSecret) => ({
  refreshInterval: '1h',
  secretStoreRef: { kind: store.kind, name: store.name },
  target: { name, creationPolicy: 'Owner' },
  data: [
    {
      secretKey: VALUE,
      remoteRef: {
        key: remoteKey,
        ...(property !== undefined && { property }),
        ...(version !== undefined && { version }),
      },
    },
  ],
});

/** Whether what is there says this; the server has put its defaults beside it. */
function refers(there: unknown, wanted: ReturnType<typeof externalSecretSpec>['data']): boolean {
  const [item]: unknown[] = Array.isArray(there) ? there : [];
  const reference: unknown = typeof item === 'object' && item !== null ? Reflect.get(item, 'remoteRef') : undefined;
  if (typeof reference !== 'object' || reference === null) return false;
  const { key, property, version } = wanted[0]?.remoteRef ?? {};
  return isDeepStrictEqual(
    [key, property, version],
    ['key', 'property', 'version'].map((field) => Reflect.get(reference, field)),
  );
}
