/** What a name or ARN of AWS means in a namespace: its Cluster's mappings first, then what can only be meant locally. */
import type { ClusterSpec } from '../api/cluster.ts';
import type { FileMapping, FileSystemMapping } from '../api/cluster-mappings.ts';
import { type Arn, arnName, dnsName, hashedDnsName, parseArn } from '../api/names.ts';

/** A reference that means nothing here. */
export interface Unresolved {
  /** Why, and what to do about it. */
  readonly unresolved: string;
}

export interface SecretKey {
  readonly secretName: string;
  readonly key: string;
}

/** An ARN of another account or region than the cluster declares: the words that say so. */
export function foreign(arn: Arn | undefined, { account, region }: ClusterSpec): string | undefined {
  if (arn === undefined) return undefined;
  if (account !== undefined && arn.account !== '' && arn.account !== account)
    return `it is of account ${arn.account}, and this cluster stands for ${account}`;
  if (region !== undefined && arn.region !== '' && arn.region !== region)
    return `it is of region ${arn.region}, and this cluster stands for ${region}`;
  return undefined;
}

/** A bare name is the namespace's own; an ARN only where the cluster declares its account and region. */
function isLocal(arn: Arn | undefined, cluster: ClusterSpec): boolean {
  if (arn === undefined) return true;
  return cluster.account !== undefined && cluster.region !== undefined && foreign(arn, cluster) === undefined;
}

export const noMapping = (
  text: string,
  where: string,
  entry: string,
  arn: Arn | undefined,
  cluster: ClusterSpec,
): string => {
  const elsewhere = foreign(arn, cluster);
  const because = elsewhere === undefined ? '' : ` (${elsewhere})`;
  return `"${text}" has no mapping${because}: add ${entry} to spec.mappings.${where} of the namespace's Cluster`;
};

interface SecretReference {
  readonly arn?: Arn;
  readonly service: 'SecretsManager' | 'ParameterStore';
  /** Without what follows the secret's name: json-key, version-stage, version-id. */
  readonly base: string;
  /** As its users call it: without the six characters that Secrets Manager appends. */
  readonly name: string;
  readonly jsonKey?: string;
  /** A version that is not the current one, in the words of the External Secrets Operator. */
  readonly version?: string;
}

const APPENDED = /-[A-Za-z0-9]{6}$/;

/** Reads `valueFrom` and `credentialsParameter` (`ecs-semantics §1.3`); without an ARN it is the name of a parameter. */
function parseSecret(text: string): SecretReference | undefined {
  const arn = parseArn(text);
  if (arn === undefined) return { service: 'ParameterStore', base: text, name: text };
  if (arn.service === 'ssm') {
    const [, path = ''] = /^parameter\/(.+)$/.exec(arn.resource) ?? [];
    // A hierarchy's names begin with a slash, which the ARN has only once.
    return { arn, service: 'ParameterStore', base: text, name: path.includes('/') ? `/${path}` : path };
  }
  const [type, id = '', jsonKey = '', stage = '', versionId = ''] = arn.resource.split(':');
  if (arn.service !== 'secretsmanager' || type !== 'secret') return undefined;
  const version = versionId !== '' ? `uuid/${versionId}` : stage === 'AWSCURRENT' ? '' : stage;
  return {
    arn,
    service: 'SecretsManager',
    base: text.split(':').slice(0, 7).join(':'),
    name: id.replace(APPENDED, ''),
    ...(jsonKey !== '' && { jsonKey }),
    ...(version !== '' && { version }),
  };
}

const SECRET_KEY = /^[-._a-zA-Z0-9]{1,253}$/;
/** Key of a Secret that holds one value. */
export const VALUE = 'value';

/** Where the value of `secrets[].valueFrom` is. */
export function resolveSecret(text: string, cluster: ClusterSpec): SecretKey | Unresolved {
  const unmapped = (because: string): Unresolved => ({ unresolved: because });
  const reference = parseSecret(text);
  const entry = '{valueFrom, secretName, key}';
  if (reference === undefined)
    return unmapped(`"${text}" is neither the ARN of a Secrets Manager secret nor the ARN or name of an SSM parameter`);
  const { arn, service, base, name, jsonKey, version } = reference;
  const { secrets, secretStores } = cluster.mappings;
  const exact = secrets.find(({ valueFrom }) => valueFrom === text);
  const mapped =
    exact ??
    (version !== undefined
      ? undefined
      : (secrets.find(({ valueFrom }) => valueFrom === base) ??
        secrets.find(({ valueFrom }) => valueFrom === base.replace(APPENDED, '')) ??
        (isLocal(arn, cluster) ? secrets.find(({ valueFrom }) => valueFrom === name) : undefined)));
  const key = mapped?.key ?? jsonKey ?? VALUE;
  if (mapped !== undefined) return checked({ secretName: mapped.secretName, key }, text);
  if (foreign(arn, cluster) === undefined && secretStores.some((store) => store.service === service))
    return { secretName: externalSecretName(text), key: VALUE };
  if (version !== undefined)
    return unmapped(
      `"${text}" names a version, and Secrets have none: add ${entry} with exactly this valueFrom to spec.mappings.secrets of the namespace's Cluster`,
    );
  if (!isLocal(arn, cluster)) return unmapped(noMapping(text, 'secrets', entry, arn, cluster));
  return checked({ secretName: dnsName(name, 253), key }, text);
}

function checked(found: SecretKey, text: string): SecretKey | Unresolved {
  if (SECRET_KEY.test(found.key)) return found;
  return {
    unresolved: `"${text}": "${found.key}" cannot be a key of a Secret (letters, digits, -, _ and . can): add {valueFrom, secretName, key} to spec.mappings.secrets of the namespace's Cluster`,
  };
}

/** Name of the ExternalSecret, and of the Secret that it makes, for one `valueFrom`. */
export const externalSecretName = (text: string): string => hashedDnsName(parseSecret(text)?.name ?? text, text, 100);

/** What the External Secrets Operator is to fetch for a `valueFrom` that a store of the cluster serves. */
export interface ExternalSecret {
  /** Of the object and of the Secret that it makes. */
  readonly name: string;
  readonly valueFrom: string;
  readonly store: ClusterSpec['mappings']['secretStores'][number];
  readonly remoteKey: string;
  readonly property?: string;
  readonly version?: string;
}

/** Undefined where another mapping serves it, or none does. */
export function externalSecret(text: string, cluster: ClusterSpec): ExternalSecret | undefined {
  const resolved = resolveSecret(text, cluster);
  const name = externalSecretName(text);
  const reference = parseSecret(text);
  const store = cluster.mappings.secretStores.find(({ service }) => service === reference?.service);
  if (reference === undefined || store === undefined) return undefined;
  if ('unresolved' in resolved || resolved.secretName !== name) return undefined;
  const { arn, service, base, jsonKey, version } = reference;
  return {
    name,
    valueFrom: text,
    store,
    remoteKey: service === 'ParameterStore' && arn !== undefined ? reference.name : base,
    ...(jsonKey !== undefined && { property: jsonKey }),
    ...(version !== undefined && { version }),
  };
}

/** The Secret with the registry credentials that `repositoryCredentials.credentialsParameter` names. */
export function resolvePullSecret(text: string, cluster: ClusterSpec): { readonly name: string } | Unresolved {
  const resolved = resolveSecret(text, {
    ...cluster,
    // What a store would make of {username, password} is no dockerconfigjson.
    mappings: { ...cluster.mappings, secretStores: [] },
  });
  return 'unresolved' in resolved ? resolved : { name: resolved.secretName };
}

/** The ServiceAccount that stands for `taskRoleArn`. */
export function resolveRole(text: string, cluster: ClusterSpec): { readonly serviceAccountName: string } | Unresolved {
  const arn = parseArn(text);
  const { roles } = cluster.mappings;
  const found =
    roles.find(({ role }) => role === text) ??
    (foreign(arn, cluster) === undefined
      ? // A role goes by its name as well; of two ARNs both have an account that counts.
        roles.find(
          ({ role }) => (arn === undefined) !== (parseArn(role) === undefined) && arnName(role) === arnName(text),
        )
      : undefined);
  if (found !== undefined) return { serviceAccountName: found.serviceAccountName };
  return { unresolved: noMapping(text, 'roles', '{role, serviceAccountName}', arn, cluster) };
}

/** Where the S3 object of `environmentFiles[].value` is. */
export function resolveFile(text: string, cluster: ClusterSpec): FileMapping | Unresolved {
  const found = cluster.mappings.files.find(({ value }) => value === text);
  return found ?? { unresolved: noMapping(text, 'files', '{value, configMapKeyRef}', undefined, cluster) };
}

/** What holds the files of a file system, or of the access point where one is named. */
export function resolveFileSystem(
  fileSystem: string,
  accessPoint: string | undefined,
  cluster: ClusterSpec,
): FileSystemMapping | Unresolved {
  const text = accessPoint ?? fileSystem;
  const arn = parseArn(text);
  const { fileSystems } = cluster.mappings;
  const found =
    fileSystems.find(({ id }) => id === text) ??
    (foreign(arn, cluster) === undefined ? fileSystems.find(({ id }) => id === arnName(text)) : undefined);
  return found ?? { unresolved: noMapping(text, 'fileSystems', '{id, claimName}', arn, cluster) };
}

/** What takes the place of an image: the longest prefix that fits the name as given, or as Docker completes it. */
export function resolveImage(image: string, cluster: ClusterSpec): string {
  const forms = [image, completeImage(image)];
  const fits = cluster.mappings.images
    .flatMap(({ prefix, replacement }) => {
      const form = forms.find((name) => name.startsWith(prefix));
      return form === undefined ? [] : [{ length: prefix.length, image: replacement + form.slice(prefix.length) }];
    })
    .sort((a, b) => b.length - a.length);
  return fits[0]?.image ?? image;
}

/** `nginx` is `docker.io/library/nginx`, `team/app` is `docker.io/team/app`. */
export function completeImage(image: string): string {
  const [first = '', ...rest] = image.split('/');
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]/.test(first) || first === 'localhost' ? image : `docker.io/${image}`;
}
