/** Users with few rights, and the policies that hold them to those. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { KubeApi, type Plural, pathOf } from './kube-api.ts';
import type { Suite } from './suite.ts';

const deploy = join(import.meta.dirname, '..', '..', 'deploy');
const AUTHORIZATION = 'rbac.authorization.k8s.io';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

async function kubectl({ cluster }: Suite, args: readonly string[], input?: string): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
}

const files = (folder: string): string[] =>
  readdirSync(join(deploy, folder))
    .filter((name) => name !== 'kustomization.yaml' && name.endsWith('.yaml'))
    .flatMap((name) => ['--filename', join(deploy, folder, name)]);

/** Applies what is shipped in a folder of deploy/. @returns what takes it away again. */
export async function install(suite: Suite, folder: 'tenancy' | 'user-roles'): Promise<() => Promise<void>> {
  await kubectl(suite, ['apply', '--server-side', ...files(folder)]);
  return () => kubectl(suite, ['delete', '--ignore-not-found', ...files(folder)]);
}

/** Binds a ClusterRole to a user in all namespaces. */
export async function bindRole(suite: Suite, role: string, user: string, namespace?: string): Promise<void> {
  const scope = namespace === undefined ? 'Cluster' : '';
  const object = {
    apiVersion: `${AUTHORIZATION}/v1`,
    kind: `${scope}RoleBinding`,
    metadata: { name: `${user}-${role}`, ...(namespace !== undefined && { namespace }) },
    roleRef: { apiGroup: AUTHORIZATION, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: AUTHORIZATION, kind: 'User', name: user }],
  };
  await kubectl(suite, ['apply', '--filename=-'], JSON.stringify(object));
}

export interface Grant {
  /** Of the user. */
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Gives each user its rights in a namespace. */
export async function grant(suite: Suite, namespace: string, grants: readonly Grant[]): Promise<void> {
  const items = grants.flatMap(({ name, rules }) => [
    { apiVersion: `${AUTHORIZATION}/v1`, kind: 'Role', metadata: { name, namespace }, rules },
    {
      apiVersion: `${AUTHORIZATION}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: AUTHORIZATION, kind: 'Role', name },
      subjects: [{ apiGroup: AUTHORIZATION, kind: 'User', name }],
    },
  ]);
  await kubectl(suite, ['apply', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** A user as the API server sees one: a client certificate, and what roles allow. */
export class Tenant {
  readonly name: string;
  readonly #api: KubeApi;
  readonly #namespace: string;

  private constructor(name: string, api: KubeApi, namespace: string) {
    this.name = name;
    this.#api = api;
    this.#namespace = namespace;
  }

  static async of(context: TestContext, suite: Suite, name: string, namespace: string): Promise<Tenant> {
    const api = new KubeApi(await suite.cluster.userKubeconfig(name, []));
    context.onTestFinished(() => api.close());
    return new Tenant(name, api, namespace);
  }

  /** What the API server would answer to a POST: `admitted`, or why not. */
  async tryCreate(plural: Plural, object: object): Promise<string> {
    return this.#try('POST', `${pathOf(plural, this.#namespace)}?dryRun=All&fieldValidation=Strict`, object);
  }

  /** Of a merge patch. */
  async tryPatch(plural: Plural, name: string, change: object, subresource = ''): Promise<string> {
    return this.#try('PATCH', `${pathOf(plural, this.#namespace, name)}${subresource}?dryRun=All`, change);
  }

  async tryDelete(plural: Plural, name: string): Promise<string> {
    return this.#try('DELETE', `${pathOf(plural, this.#namespace, name)}?dryRun=All`);
  }

  /** What `kubectl auth can-i` says of `<verb> <plural>[/<subresource>] [name]`, the plural with its group. */
  async may(text: string): Promise<boolean> {
    const [verb = '', full = '', name] = text.split(' ');
    const [qualified = '', subresource] = full.split('/');
    const [resource = '', ...group] = qualified.split('.');
    const resourceAttributes = {
      namespace: this.#namespace,
      verb,
      group: group.join('.'),
      resource,
      subresource,
      name,
    };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const body = { spec: { resourceAttributes } };
    return (await this.#api.call<{ status: { allowed: boolean } }>('POST', path, body)).status.allowed;
  }

  async create(plural: Plural, object: object): Promise<void> {
    await this.#api.call('POST', pathOf(plural, this.#namespace), object);
  }

  async #try(method: string, path: string, body?: object): Promise<string> {
    try {
      await this.#api.call(method, path, body);
      return 'admitted';
    } catch (error) {
      return (error as Error).message.replace(/^.*denied request: /s, '');
    }
  }
}
