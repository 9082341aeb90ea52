/** Objects of a cluster, named as kubectl names them: `taskdefinition/web`. */
import {
  batchJobs,
  computeEnvironments,
  jobQueues,
  type ResourceDescriptor,
  services,
  taskDefinitions,
  tasks,
} from '../../api/meta.ts';
import { uniqueDnsName } from '../../api/names.ts';
import { KubeClient } from '../../kube/client.ts';
import { loadConnection } from '../../kube/connection.ts';
import { isNotFound } from '../../kube/errors.ts';
import { controllerRevisions } from '../../kube/resource.ts';
import { type Fields, isFields, isText } from '../fields.ts';
import { RefusedError } from '../problem.ts';

export interface LiveOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  /** Of a task definition: a registered revision; absent: what the object says now. */
  readonly revision?: number;
}

export interface LiveReference {
  readonly resource: ResourceDescriptor;
  readonly name: string;
}

/** What `kind/name` names; undefined where the text is no such name. */
export function liveReference(text: string): LiveReference | undefined {
  const [, kind = '', name = ''] = /^([a-z]+)(?:\.longshore\.dev)?\/([^/]+)$/i.exec(text) ?? [];
  const wanted = kind.toLowerCase();
  const resource = [taskDefinitions, services, batchJobs, tasks, jobQueues, computeEnvironments].find(
    ({ plural, singular, shortNames }) =>
      plural === wanted || singular === wanted || shortNames.some((one) => one === wanted),
  );
  return resource === undefined ? undefined : { resource, name };
}

/**
 * Reads the object; of a task definition with a revision, what was registered under that number.
 * @throws RefusedError where there is no such object, or no cluster
 */
export async function readLive({ resource, name }: LiveReference, options: LiveOptions): Promise<Fields> {
  const source = `${resource.singular}/${name}`;
  const connection = await loadConnection(options).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RefusedError({ source, message: `no cluster to read it from: ${reason}` });
  });
  const namespace = options.namespace ?? connection.namespace;
  const client = new KubeClient(connection, { userAgent: 'longshore-cli', maxConnections: 1 });
  try {
    const object = await client.get<Fields>(resource, { namespace, name }).catch((error: unknown) => {
      if (options.revision !== undefined && isNotFound(error)) return undefined;
      throw error;
    });
    if (options.revision === undefined) return object ?? {};
    return await readRevision(client, namespace, { name, object }, options.revision);
  } catch (error) {
    if (error instanceof RefusedError || !(error instanceof Error)) throw error;
    const where = `${resource.namespaced ? `namespace ${namespace} of ` : ''}${connection.server}`;
    throw new RefusedError({
      source,
      message: isNotFound(error) ? `is not in ${where}` : `${where}: ${error.message}`,
    });
  } finally {
    await client.close();
  }
}

/** Revisions outlive the object that registered them: without it, its name is taken for that of the family. */
async function readRevision(
  client: KubeClient,
  namespace: string,
  { name, object }: { readonly name: string; readonly object: Fields | undefined },
  revision: number,
): Promise<Fields> {
  const spec = isFields(object?.spec) ? object.spec : {};
  const family = isText(spec.family) ? spec.family : name;
  const record = await client
    .get<Fields>(controllerRevisions, { namespace, name: `taskdefinition-${uniqueDnsName(family, 200)}-${revision}` })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      throw new RefusedError({
        source: `taskdefinition/${name}`,
        message: `revision ${revision} of family ${family} is not in namespace ${namespace}`,
      });
    });
  return { ...taskDefinition(family), spec: record.data };
}

const taskDefinition = (family: string): Fields => ({ kind: 'TaskDefinition', metadata: { name: family } });
