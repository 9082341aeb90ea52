import { readFileSync } from 'node:fs';

export interface AuditedWrite {
  readonly verb: string;
  /** `resource/subresource name`. */
  readonly what: string;
  /** Epoch milliseconds at which the server answered. */
  readonly at: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly stageTimestamp: string;
}

const READS = new Set(['get', 'list', 'watch']);

/** What a user wrote in a namespace, leases and dry runs left out, as the API server's audit log has it. */
export function writesOf(auditLog: string, user: string, namespace: string): AuditedWrite[] {
  return readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"username":"${user}"`) && line.includes(`"namespace":"${namespace}"`))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(
      ({ stage, verb, requestURI, objectRef }) =>
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
