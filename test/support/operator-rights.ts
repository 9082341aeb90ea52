/** The operator of the tests has the role that is shipped, and no other right. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import type { LocalCluster } from '../../dev/cluster/index.ts';

/** The user that operators of the tests call the API server as, unless a test names another. */
export const OPERATOR_USER = 'longshore-operator';

/** The user that the operator calls the API server as where it is a pod. */
export const POD_USER = 'system:serviceaccount:longshore-system:longshore';

const deploy = join(import.meta.dirname, '..', '..', 'deploy');

const AUTHORIZATION = 'rbac.authorization.k8s.io';

/** Gives the roles of an operator of all namespaces, whose lease is in `default`, to a user. */
export async function grantOperatorRights(cluster: LocalCluster, user: string): Promise<void> {
  const read = async (file: string) => parse(await readFile(join(deploy, file), 'utf8'));
  const [role, lease] = await Promise.all([read('base/role.yaml'), read('operator/leader-election-role.yaml')]);
  const inDefault = { ...lease, metadata: { ...lease.metadata, namespace: 'default' } };
  const binding = ({ kind, metadata: { name, namespace } }: typeof role) => ({
    apiVersion: `${AUTHORIZATION}/v1`,
    kind: `${kind}Binding`,
    metadata: { name: `${name}-of-tests`, namespace },
    roleRef: { apiGroup: AUTHORIZATION, kind, name },
    subjects: [{ apiGroup: AUTHORIZATION, kind: 'User', name: user }],
  });
  const items = [role, inDefault, binding(role), binding(inDefault)];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { code, stderr } = await cluster.kubectl(['apply', '--filename=-'], { input });
  if (code !== 0) throw new Error(`kubectl apply of the operator's roles failed: ${stderr}`);
  await untilAllowed(cluster, user, 'update', 'leases', 'default');
  await untilAllowed(cluster, user, 'watch', 'pods');
}

/** The API server sees roles some time after they were written. */
export async function untilAllowed(
  cluster: LocalCluster,
  user: string,
  verb: string,
  resource: string,
  namespace?: string,
): Promise<void> {
  const where = namespace === undefined ? '--all-namespaces' : `--namespace=${namespace}`;
  const asked = ['auth', 'can-i', verb, resource, where, `--as=${user}`];
  while ((await cluster.kubectl(asked)).code !== 0) await delay(50);
}
