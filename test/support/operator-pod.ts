/** The operator of a suite as a pod of its real node: the image, the manifests and the rights that are shipped. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LocalCluster } from '../../dev/cluster/index.ts';
import { importImage, makeImage } from '../../dev/image/index.ts';
import { NAME, overlay, SYSTEM } from './installation.ts';

export { POD_USER } from './operator-rights.ts';

const IN_SYSTEM = `--namespace=${SYSTEM}`;
const PODS = `--selector=app.kubernetes.io/name=${NAME}`;
const DEPLOYMENT = `deployment/${NAME}`;

/** Whether the operator of a file is a pod, and not a process: with `LONGSHORE_TEST_OPERATOR=pod`, where one real node stays up all the time. */
export const isPod = (nodes: string): boolean => process.env.LONGSHORE_TEST_OPERATOR === 'pod' && nodes === 'real';

async function kubectl(cluster: LocalCluster, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args);
  expect(code, `kubectl ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

/** Makes the image once a cluster, and imports it on its nodes. */
export async function provideImage({ dir }: LocalCluster): Promise<void> {
  const path = join(dir, 'image.tar');
  if (existsSync(path)) return;
  await makeImage(path);
  await importImage(dir, path);
}

/** Returns once it is ready; it stays for the files that come after. */
export async function startOperatorPod(cluster: LocalCluster): Promise<void> {
  await provideImage(cluster);
  await kubectl(cluster, 'apply', '--kustomize', overlay('cluster-wide'));
  await kubectl(cluster, 'rollout', 'status', DEPLOYMENT, IN_SYSTEM, '--timeout=200s');
}

/** For a file that starts operators itself. */
export async function stopOperatorPod(cluster: LocalCluster): Promise<void> {
  const there = await kubectl(cluster, 'get', DEPLOYMENT, IN_SYSTEM, '--ignore-not-found', '--output=name');
  if (there === '') return;
  await kubectl(cluster, 'scale', DEPLOYMENT, IN_SYSTEM, '--replicas=0');
  await kubectl(cluster, 'wait', '--for=delete', 'pods', PODS, IN_SYSTEM, '--timeout=200s');
}

/** The end of its log, of the lines that name `about`. */
export async function logOfPod(cluster: LocalCluster, about: string): Promise<string> {
  const { stdout } = await cluster.kubectl(['logs', PODS, IN_SYSTEM, '--tail=5000']);
  const lines = stdout.split('\n').filter((line) => line.includes(about));
  return lines
    .slice(-25)
    .map((line) => line.slice(0, 500))
    .join('\n');
}
