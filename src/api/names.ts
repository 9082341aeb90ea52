import { createHash } from 'node:crypto';

const HASH_LENGTH = 8;
const DNS_LABEL = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

const hashOf = (awsName: string) => createHash('sha256').update(awsName).digest('hex').slice(0, HASH_LENGTH);

const trimDashes = (text: string) => text.replace(/^-+|-+$/g, '');

const mapped = (awsName: string) => trimDashes(awsName.toLowerCase().replace(/[^a-z0-9-]/g, '-'));

function withHash(awsName: string, maxLength: number): string {
  const stem = trimDashes(mapped(awsName).slice(0, Math.max(0, maxLength - HASH_LENGTH - 1)));
  return stem === '' ? hashOf(awsName).slice(0, maxLength) : `${stem}-${hashOf(awsName)}`;
}

/**
 * DNS-1123 label for an AWS name: lower case, `_` becomes `-`, dashes at the ends go; a short hash where the name was cut.
 * Two AWS names may give one label (`a_b`, `a-b`): for what must not collide take {@link uniqueDnsName}.
 * A DNS-1123 label stays as it is.
 *
 * @param maxLength from 9, default 63
 */
export function dnsName(awsName: string, maxLength = 63): string {
  const name = mapped(awsName);
  return name !== '' && name.length <= maxLength ? name : withHash(awsName, maxLength);
}

/**
 * As {@link dnsName}, with a short hash of the AWS name whenever the label differs from it: different AWS names give
 * different labels, for object names. A DNS-1123 label stays as it is.
 *
 * @param maxLength from 9, default 63
 */
export function uniqueDnsName(awsName: string, maxLength = 63): string {
  return DNS_LABEL.test(awsName) && awsName.length <= maxLength ? awsName : withHash(awsName, maxLength);
}

/** As {@link dnsName}, always with a short hash, of `of`: for names that must not meet those of a user. */
export function hashedDnsName(awsName: string, of: string, maxLength = 63): string {
  return `${dnsName(awsName, maxLength - HASH_LENGTH - 1)}-${hashOf(of)}`;
}

/** `arn:partition:service:region:account:resource`, taken apart. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** Everything behind the account, e.g. `service/cluster/web`. */
  readonly resource: string;
}

/** Takes an ARN apart; undefined when the text is not one. */
export function parseArn(text: string): Arn | undefined {
  const match = /^arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):([0-9]*|aws):(.+)$/.exec(text);
  if (match === null) return undefined;
  const [, partition = '', service = '', region = '', account = '', resource = ''] = match;
  return { partition, service, region, account, resource };
}

/** Resource types whose name is not the last part of the resource. */
const NAME_POSITION: Readonly<Record<string, number>> = { targetgroup: 1, loadbalancer: 2 };

/**
 * The name in an ARN or in its resource part, without revision: `web` for `arn:aws:ecs:eu-west-1:111122223333:service/prod/web`,
 * `targetgroup/web/6d0ecf831eec9f09`, `job-queue/web` and `web`.
 */
export function arnName(arnOrName: string): string {
  const resource = parseArn(arnOrName)?.resource ?? arnOrName;
  const parts = resource.split(/[/]/);
  const position = parts.length > 1 ? NAME_POSITION[parts[0] ?? ''] : undefined;
  return (position === undefined ? parts.at(-1) : parts[position]) ?? resource;
}

/** What a `taskDefinition` field names. */
export interface TaskDefinitionReference {
  /** AWS name of the family. */
  readonly family: string;
  /** Absent: the newest ACTIVE revision. */
  readonly revision?: number;
  /** Where the ARN says it is; absent for a bare name. */
  readonly arn?: Arn;
}

export interface ReferenceError {
  readonly error: string;
}

/**
 * Reads `web`, `web:3`, `task-definition/web:3` or `arn:aws:ecs:region:account:task-definition/web:3`.
 * Tell the outcomes apart with `'error' in result`.
 */
export function parseTaskDefinitionReference(text: string): TaskDefinitionReference | ReferenceError {
  const arn = parseArn(text);
  const refused = {
    error: `'${text}' names no task definition; allowed: family, family:revision, task-definition/family:revision, or the ARN of one`,
  };
  if (arn !== undefined && (arn.service !== 'ecs' || !arn.resource.startsWith('task-definition/'))) return refused;
  const match = /^(?:task-definition\/)?([A-Za-z0-9_-]{1,255})(?::([1-9][0-9]{0,6}))?$/.exec(arn?.resource ?? text);
  if (match === null) return refused;
  const [, family = '', revision] = match;
  return {
    family,
    ...(revision === undefined ? {} : { revision: Number(revision) }),
    ...(arn === undefined ? {} : { arn }),
  };
}
