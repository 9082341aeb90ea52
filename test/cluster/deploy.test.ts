/** The manifests in deploy/, as an API server takes them. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import { buildOperator } from '../../dev/build/operator.ts';
import { permissions } from '../../dev/generate/roles.ts';
import { accountKubeconfig, deniedOf, install, NAME, overlay, rendered, SYSTEM } from '../support/installation.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import { untilSteady } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

async function installed(context: TestContext, folder: string): Promise<void> {
  const uninstall = await install(suite().cluster, folder);
  context.onTestFinished(uninstall);
}

async function kubectl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await suite().cluster.kubectl(args);
  expect(code, `kubectl ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout.trim();
}

const mayNot = async (verb: string, resource: string, account: string, ...where: string[]): Promise<void> => {
  const answer = await suite().cluster.kubectl(['auth', 'can-i', verb, resource, ...where, `--as=${account}`]);
  expect(`${answer.stdout}${answer.stderr}`).toMatch(/^no\b/m);
};

it('deploy/overlays/namespaced has a Role alone, in whatever namespace it is put', async (context) => {
  const { name } = await suite().namespace(context);
  const folder = mkdtempSync(join(suite().cluster.dir, 'namespaced-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  const resources = [relative(folder, overlay('namespaced'))];
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ namespace: name, resources }));
  const objects = await rendered(suite().cluster, folder);
  expect(objects.filter(({ metadata }) => metadata.namespace !== name)).toEqual([]);
  expect(objects.map(({ kind }) => kind)).not.toContain('ClusterRole');

  await installed(context, folder);
  await kubectl('rollout', 'status', `deployment/${NAME}`, `--namespace=${name}`, '--timeout=150s');
  const account = `system:serviceaccount:${name}:${NAME}`;
  await kubectl('auth', 'can-i', 'create', 'pods', `--namespace=${name}`, `--as=${account}`);
  await mayNot('create', 'pods', account, '--namespace=default');
});

it('deploy/overlays/ha runs two, of which a drain leaves one; the bundle has enough with the rights of their account', async (context) => {
  const { cluster, auditLog } = suite();
  await installed(context, overlay('ha'));
  const folder = mkdtempSync(join(cluster.dir, 'bundle-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  await buildOperator(join(folder, 'dist'));
  copyFileSync(join(import.meta.dirname, '..', '..', 'package.json'), join(folder, 'package.json'));
  await kubectl('rollout', 'status', `deployment/${NAME}`, `--namespace=${SYSTEM}`, '--timeout=150s');
  const allowed = '--for=jsonpath={.status.disruptionsAllowed}=1';
  await kubectl('wait', allowed, `poddisruptionbudget/${NAME}`, `--namespace=${SYSTEM}`, '--timeout=150s');

  const account = `system:serviceaccount:${SYSTEM}:${NAME}`;
  await mayNot('update', 'leases', account, '--namespace=kube-system');
  await mayNot('get', 'secrets', account, '--all-namespaces');
  // What docs/install.md shows.
  const list = await kubectl('auth', 'can-i', '--list', `--namespace=${SYSTEM}`, `--as=${account}`);
  const ofEveryAccount = /^selfsubject|^ |^Resources/;
  const said = list.split('\n').filter((line) => !ofEveryAccount.test(line));
  const shown = permissions().map(({ resource, verbs }) => `${resource} [] [] [${verbs.toSorted().join(' ')}]`);
  const sorted = (line: string) =>
    line.replace(/ {2,}/g, ' ').replace(/\[([a-z ]+)\]$/, (_, verbs) => `[${verbs.split(' ').sort().join(' ')}]`);
  expect(said.map(sorted).sort()).toEqual(shown.sort());
  const kubeconfig = await accountKubeconfig(cluster, SYSTEM);
  const operator = suite().newOperator([], kubeconfig, join(folder, 'dist', 'longshore.js'));
  context.onTestFinished(() => operator.kill('SIGTERM'));
  context.onTestFailed(() => console.error(operator.describe()));
  await operator.ready();
  const ns = await suite().namespace(context);
  await ns.create(taskDefinition('web'), service('web', { desiredCount: 2 }));
  await untilSteady(ns.history, 'web', 2);
  expect(deniedOf(auditLog, account)).toEqual([]);
});
