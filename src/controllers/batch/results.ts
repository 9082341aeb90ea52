/** What became of every attempt of an array, child by child, in ConfigMaps that go with the BatchJob (design/2026-11-23-results.md). */
import { ANNOTATIONS, batchJobs, LABELS, MANAGED_BY } from '../../api/meta.ts';
import { dnsName, hashedDnsName } from '../../api/names.ts';
import type { ChildAttempt } from '../../batch/attempt.ts';
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../kube/errors.ts';
import { configMaps } from '../../kube/resource.ts';
import type { BatchJobRecord, Runtime } from '../runtime.ts';
import { ownerReference } from '../tasks.ts';
import { attemptStatus } from './ended-attempt.ts';

/** On a chunk: the children whose attempts it holds, as "3000-3999". */
export const INDEXES = 'longshore.dev/array-indexes';

/** Attempts that a chunk holds at most: 1000 of less than 1000 bytes stay below the 1 MiB that a ConfigMap may have. */
const ATTEMPTS = 1000;
/** As Batch bounds the reason of an attempt (AttemptContainerDetail). */
const REASON_CHARACTERS = 255;
/** A reason as JSON: two of them and the rest of an attempt are less than 1000 bytes, whatever characters they have. */
const REASON_BYTES = 390;
/** Chunks that are written at a time. */
const ABREAST = 8;

/**
 * Adds attempts to what is on record; those that are there already stay as they are or are said again, so that it may be
 * repeated. Where the job or its namespace goes meanwhile nothing is left to be kept, and nothing is.
 * @throws ApiError, ConnectionError: some may be missing, and all are to be written again.
 */
export async function writeResults(
  runtime: Pick<Runtime, 'client'>,
  job: BatchJobRecord,
  attempts: readonly ChildAttempt[],
): Promise<void> {
  const children = childrenOfChunk(job);
  const chunks = [...Map.groupBy(attempts, ({ index }) => Math.floor(index / children))];
  for (let from = 0; from < chunks.length; from += ABREAST) {
    const written = chunks.slice(from, from + ABREAST).map(([chunk, held]) => writeChunk(runtime, job, chunk, held));
    await Promise.all(written);
  }
}

/** Children whose attempts are in one chunk: all that they may have. */
const childrenOfChunk = ({ spec }: BatchJobRecord): number =>
  Math.floor(ATTEMPTS / (spec?.retryStrategy.attempts ?? 1));

/** `<job>-<hash of its UID>-results-<n>`: a job that is made anew has chunks of its own. */
export const chunkName = ({ name, uid }: BatchJobRecord, chunk: number): string =>
  `${hashedDnsName(name, uid, 50)}-results-${chunk}`;

async function writeChunk(
  { client }: Pick<Runtime, 'client'>,
  job: BatchJobRecord,
  chunk: number,
  attempts: readonly ChildAttempt[],
): Promise<void> {
  const { namespace, spec } = job;
  const name = chunkName(job, chunk);
  const data = Object.fromEntries(
    attempts.map((attempt) => [`${attempt.index}.${attempt.attempt}`, resultOf(attempt)]),
  );
  const add = () => client.patch(configMaps, { namespace, name }, { data });
  try {
    await add();
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const children = childrenOfChunk(job);
    const first = chunk * children;
    const last = Math.min(first + children, spec?.arrayProperties?.size ?? 0) - 1;
    const jobName = spec?.jobName ?? job.name;
    const made = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace,
        labels: { [LABELS.managedBy]: MANAGED_BY, [LABELS.batchJob]: dnsName(jobName) },
        annotations: { [ANNOTATIONS.batchJob]: jobName, [INDEXES]: `${first}-${last}` },
        // The deletion of a job does not wait for its results.
        ownerReferences: [{ ...ownerReference(batchJobs, job), blockOwnerDeletion: false }],
      },
      data,
    };
    try {
      await client.create(configMaps, { namespace }, made);
    } catch (failure) {
      if (isNamespaceTerminating(failure)) return;
      if (!isAlreadyExists(failure)) throw failure;
      await add();
    }
  }
}

/** One attempt as JSON, with the fields of `status.attempts`. */
export const resultOf = (attempt: ChildAttempt): string => JSON.stringify(attemptStatus(attempt, bounded));

function bounded(text: string): string {
  let kept = '';
  let bytes = 2;
  for (const character of [...text.toWellFormed()].slice(0, REASON_CHARACTERS)) {
    bytes += Buffer.byteLength(JSON.stringify(character)) - 2;
    if (bytes > REASON_BYTES) break;
    kept += character;
  }
  return kept;
}
