/** Longshore as its users install it: with a kustomization of deploy/. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { LocalCluster } from '../../dev/cluster/index.ts';
import type { AuditedCall } from './audit.ts';

/** Name of the account, its role and its Deployment. */
export const NAME = 'longshore';
/** Namespace of the overlays for a whole cluster. */
export const SYSTEM = 'longshore-system';

export const overlay = (name: string): string => join(import.meta.dirname, '..', '..', 'deploy', 'overlays', name);

export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** What the kustomization in a folder stands for. */
export async function rendered(cluster: LocalCluster, folder: string): Promise<Manifest[]> {
  const { code, stdout, stderr } = await cluster.kubectl(['kustomize', folder]);
  expect(code, stderr).toBe(0);
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

/**
 * Applies the kustomization in a folder, and expects no word of warning.
 * @returns what takes it away again, the kinds excepted.
 */
export async function install(cluster: LocalCluster, folder: string): Promise<() => Promise<void>> {
  const objects = (await rendered(cluster, folder)).filter(({ kind }) => kind !== 'CustomResourceDefinition');
  const uninstall = async (): Promise<void> => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    // First what runs: without its roles it would be refused what it asks for until it has ended.
    const running = `--selector=app.kubernetes.io/name=${NAME}`;
    for (const { metadata } of objects.filter(({ kind }) => kind === 'Deployment')) {
      const at = `--namespace=${metadata.namespace}`;
      await cluster.kubectl(['delete', 'deployment', metadata.name, at, '--ignore-not-found']);
      await cluster.kubectl(['wait', 'pods', at, running, '--for=delete', '--timeout=120s']);
    }
    const deleted = await cluster.kubectl(['delete', '--ignore-not-found', '--filename=-'], { input });
    expect(deleted.code, deleted.stderr).toBe(0);
  };
  const { code, stderr } = await cluster.kubectl(['apply', '--kustomize', folder]);
  if (code !== 0) await uninstall();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return uninstall;
}

/** A kubeconfig of the operator's account, with a token as its pods have one. */
export async function accountKubeconfig(cluster: LocalCluster, namespace: string): Promise<string> {
  const token = await cluster.kubectl(['create', 'token', NAME, `--namespace=${namespace}`]);
  expect(token.code, token.stderr).toBe(0);
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8'));
  const users = [{ name: NAME, user: { token: token.stdout.trim() } }];
  const [{ name: of }] = config.clusters;
  const contexts = [{ name: NAME, context: { cluster: of, user: NAME, namespace } }];
  const path = join(cluster.dir, `account-of-${namespace}.kubeconfig`);
  writeFileSync(path, JSON.stringify({ ...config, users, contexts, 'current-context': NAME }));
  return path;
}

/** What a user asked for and has no right to, each once, as the API server's audit log has it: verb and path. */
export function deniedOf(auditLog: string, user: string): string[] {
  const decision = '"authorization.k8s.io/decision":"forbid"';
  const denied = readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => line.includes(`"username":"${user}"`) && line.includes(decision))
    .map((line) => JSON.parse(line) as AuditedCall)
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
  return [...new Set(denied)];
}
