/** What stands in for a CloudWatch alarm: a Prometheus query, or a condition of any object. A source that fails says INSUFFICIENT_DATA. */
import type { AlarmMapping, ClusterMappings } from '../api/cluster-mappings.ts';
import type { AlarmState } from '../ecs/deployment-alarms.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';

export interface AlarmAnswer {
  readonly state: AlarmState;
  /** Why there is no data. */
  readonly because?: string;
}

const noData = (because: string): AlarmAnswer => ({ state: 'INSUFFICIENT_DATA', because });

/** What of an answer is read: results of an alarm are few. */
const MAX_ANSWER_BYTES = 1_048_576;

/** Never throws. */
export async function askAlarm(
  client: KubeClient,
  namespace: string,
  { alarms, alarmEvaluation: { prometheusUrl, timeoutSeconds } }: ClusterMappings,
  name: string,
): Promise<AlarmAnswer> {
  const mapping = alarms.find(({ alarmName }) => alarmName === name);
  if (mapping === undefined) return noData('the Cluster of the namespace has no mappings.alarms of that name');
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    if (mapping.condition !== undefined) return await askCondition(client, namespace, mapping.condition, signal);
    if (prometheusUrl === undefined) return noData('the Cluster has no mappings.alarmEvaluation.prometheusUrl');
    return await askPrometheus(prometheusUrl, mapping.query ?? '', signal);
  } catch (error) {
    if (signal.aborted) return noData(`no answer within ${timeoutSeconds} s`);
    return noData(reasonOf(error));
  }
}

/** fetch puts what went wrong into the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** An instant query: a vector with an element is ALARM, one without is OK (Prometheus HTTP API, /api/v1/query). */
async function askPrometheus(url: string, query: string, signal: AbortSignal): Promise<AlarmAnswer> {
  const at = new URL('api/v1/query', url.endsWith('/') ? url : `${url}/`);
  at.searchParams.set('query', query);
  const answer = await fetch(at, { signal, redirect: 'manual', headers: { accept: 'application/json' } });
  const text = await textOf(answer);
  if (text === undefined) return noData(`Prometheus answers more than ${MAX_ANSWER_BYTES} bytes`);
  const { status, error, data } = parsed(text);
  if (status === 'error') return noData(`Prometheus: ${error}`);
  if (answer.status !== 200 || status !== 'success') return noData(`Prometheus answers with HTTP ${answer.status}`);
  if (data?.resultType !== 'vector' || !Array.isArray(data.result))
    return noData(`the query gives a ${data?.resultType}, and an alarm is a vector`);
  return { state: data.result.length > 0 ? 'ALARM' : 'OK' };
}

async function textOf({ body }: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface PrometheusAnswer {
  readonly status?: string;
  readonly error?: string;
  readonly data?: { readonly resultType?: string; readonly result?: unknown };
}

function parsed(text: string): PrometheusAnswer {
  try {
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null ? answer : {};
  } catch {
    return {};
  }
}

interface WithConditions extends KubeObject {
  readonly status?: { readonly conditions?: readonly { readonly type?: string; readonly status?: string }[] };
}

async function askCondition(
  client: KubeClient,
  namespace: string,
  { apiVersion, kind, name, type, status }: NonNullable<AlarmMapping['condition']>,
  signal: AbortSignal,
): Promise<AlarmAnswer> {
  const resource = await resourceOf(client, apiVersion, kind, signal);
  if (resource === undefined) return noData(`the API server has no ${kind} of ${apiVersion}`);
  const at = resource.namespaced ? { namespace, name } : { name };
  let object: WithConditions;
  try {
    object = await client.get<WithConditions>(resource, at, { signal });
  } catch (error) {
    if (isNotFound(error)) return noData(`there is no ${kind} ${name}`);
    throw error;
  }
  const condition = object.status?.conditions?.find((one) => one.type === type);
  if (condition === undefined) return noData(`${kind} ${name} has no condition ${type}`);
  return { state: condition.status === status ? 'ALARM' : 'OK' };
}

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** The plural of a kind, as the API server's discovery has it. */
async function resourceOf(
  client: KubeClient,
  apiVersion: string,
  kind: string,
  signal: AbortSignal,
): Promise<Resource | undefined> {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  try {
    const { resources } = await client.discover<ResourceList>({ group, version }, { signal });
    const found = resources.find((one) => one.kind === kind && !one.name.includes('/'));
    return found && { group, version, plural: found.name, kind, namespaced: found.namespaced };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
