import { readFileSync } from 'node:fs';

export interface AuditedWrite {
  readonly verb: string;
  /** `resource/subresource name`. */
  readonly what: string;
  /** Epoch milliseconds at which the server answered. */
  readonly at: number;
}

/** One request, as the API server's audit log has it. */
export interface AuditedCall {
  readonly stage: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
}

/** Of one namespace, oldest first; its log files may have been rotated. */
export const callsIn = (files: readonly string[], namespace: string): AuditedCall[] =>
  files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"namespace":"${namespace}"`))
      .map((line) => JSON.parse(line) as AuditedCall),
  );

const READS = new Set(['get', 'list', 'watch']);

/** What a user wrote in a namespace, leases and dry runs left out, as the API server's audit log has it. */
export function writesOf(auditLog: string, user: string, namespace: string): AuditedWrite[] {
  return callsIn([auditLog], namespace)
    .filter(
      ({ stage, verb, requestURI, objectRef, user: { username } }) =>
        username === user &&
        stage === 'ResponseComplete' &&
        !READS.has(verb) &&
        objectRef?.resource !== 'leases' &&
        !requestURI.includes('dryRun='),
    )
    .map(({ verb, objectRef, stageTimestamp }) => ({
      verb,
      what: `${[objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/')} ${objectRef?.name ?? ''}`,
      at: Date.parse(stageTimestamp),
    }));
}
