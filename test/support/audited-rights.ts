/** Which rights a user has used, and which it lacked: from the audit log of the API server. */
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RIGHTS } from '../../dev/generate/rights.ts';

/** `<group> <resource>[/<subresource>] <verb>`; the core group is `core`. */
export type UsedRight = string;

export interface AuditedRights {
  readonly used: readonly UsedRight[];
  /** Each with the place of one request that was refused. */
  readonly denied: readonly string[];
}

interface AuditedRequest {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly objectRef?: { readonly apiGroup?: string; readonly resource?: string; readonly subresource?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export const rightOf = (group: string, resource: string, verb: string): UsedRight =>
  `${group === '' ? 'core' : group} ${resource} ${verb}`;

/** Of all clusters whose folders are `dir` or below it. */
export async function auditedRights(dir: string, users: readonly string[]): Promise<AuditedRights> {
  const used = new Set<UsedRight>();
  const denied = new Map<UsedRight, string>();
  for await (const file of glob('**/logs*/audit*.log', { cwd: dir })) {
    for await (const line of createInterface({ input: createReadStream(join(dir, file)) })) {
      if (!users.some((user) => line.includes(`"username":"${user}"`))) continue;
      const { stage, verb, requestURI, objectRef, annotations } = JSON.parse(line) as AuditedRequest;
      // A watch is answered while it goes on, anything else once.
      if (objectRef?.resource === undefined || (stage === 'ResponseStarted' && verb !== 'watch')) continue;
      const resource = [objectRef.resource, objectRef.subresource].filter(Boolean).join('/');
      const right = rightOf(objectRef.apiGroup ?? '', resource, verb);
      if (annotations?.['authorization.k8s.io/decision'] === 'forbid') denied.set(right, `${right}: ${requestURI}`);
      else used.add(right);
    }
  }
  return { used: [...used].sort(), denied: [...denied.values()].sort() };
}

/** Writes what a run has seen where `npm test` looks for it, if it asks. */
export function report(rights: AuditedRights): void {
  const folder = process.env.LONGSHORE_RIGHTS_REPORT;
  if (folder !== undefined) writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(rights));
}

/** What all runs have used. */
export const readReports = (folder: string): ReadonlySet<UsedRight> =>
  new Set(
    readdirSync(folder).flatMap((file) => (JSON.parse(readFileSync(join(folder, file), 'utf8')) as AuditedRights).used),
  );

/** Rights of the role that a run of all tests need not use. */
const MAY_BE_IDLE: readonly { readonly rights: RegExp; readonly because: string }[] = [
  {
    rights: / get$/,
    because: 'looks at what is there already: after an answer that was lost, at points that a seed chooses',
  },
  {
    rights: /^(gateway\.networking\.k8s\.io|networking\.k8s\.io|elbv2\.k8s\.aws) \w+ list$|^core serviceaccounts list$/,
    because: 'caches that are filled on demand list only where the API server refuses to stream',
  },
  {
    rights: /^(networking\.k8s\.io ingresses|elbv2\.k8s\.aws targetgroupbindings) patch$/,
    because: 'puts back what somebody changed',
  },
  { rights: /^events\.k8s\.io events list$|^coordination\.k8s\.io leases /, because: 'seen on real nodes only' },
];

/** Rights of the operator's role that none of all suites has used. */
export function idleRights(used: ReadonlySet<UsedRight>): string[] {
  const granted = RIGHTS.flatMap(({ group, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => rightOf(group, resource, verb))),
  );
  return granted.filter((right) => !used.has(right) && !MAY_BE_IDLE.some(({ rights }) => rights.test(right)));
}
