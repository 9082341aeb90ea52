/** What a task needs besides its pod: files that are read, claims that are made. */
import { ANNOTATIONS, LABELS, MANAGED_BY } from '../api/meta.ts';
import { isAlreadyExists, isNotFound } from '../kube/errors.ts';
import { configMaps, type KubeObject, persistentVolumeClaims } from '../kube/resource.ts';
import type { PodTemplate } from '../pod/compile.ts';
import { withEnvironmentFiles } from '../pod/environment-files.ts';
import { type Claim, claimSpec } from '../pod/volume-sources.ts';
import type { Runtime } from './runtime.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * The template as tasks that start now are to have it: claims made, environment files read. ECS reads them at each start.
 * @throws EnvironmentFileError, ApiError
 */
export async function prepareTemplate(
  runtime: Runtime,
  namespace: string,
  template: PodTemplate,
): Promise<PodTemplate> {
  for (const claim of template.claims) await ensureClaim(runtime, namespace, claim);
  const names = new Set([...template.files.values()].flat().map(({ name }) => name));
  const data = new Map<string, ConfigMap['data']>();
  for (const name of names) data.set(name, await readConfigMap(runtime, namespace, name));
  return withEnvironmentFiles(template, ({ name, key }) => data.get(name)?.[key]);
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
          labels: { [LABELS.managedBy]: MANAGED_BY },
          annotations: { [ANNOTATIONS.volume]: claim.volume },
        },
        spec: claimSpec(claim),
      },
    );
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
