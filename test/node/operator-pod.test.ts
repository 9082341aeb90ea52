/** The operator as its users run it: the image, the manifests of deploy/ and their rights, in pods of a real kubelet. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { podProcesses } from '../../dev/cluster/node-faults.ts';
import { shell } from '../support/containers.ts';
import { deniedOf, install, NAME, overlay, SYSTEM } from '../support/installation.ts';
import { duplicates } from '../support/invariants.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import { POD_USER, provideImage } from '../support/operator-pod.ts';
import type { Pod } from '../support/recorder.ts';
import { podsOf, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'the operator as a pod' : `the operator as a pod (skipped: ${why})`;

const WAIT_MS = 300_000;

const web = shell('web', "trap 'exit 0' TERM; while :; do sleep 0.2; done", {
  healthCheck: { command: ['CMD-SHELL', 'true'], interval: 5 },
});
const squares = {
  kind: 'BatchJob',
  name: 'squares',
  spec: {
    arrayProperties: { size: 2 },
    containerProperties: {
      image: 'busybox:1.37',
      command: ['true'],
      resourceRequirements: [
        { type: 'VCPU', value: '0.25' },
        { type: 'MEMORY', value: '16' },
      ],
    },
  },
} as const;

const untilJobEnded = (ns: TestNamespace): Promise<string> =>
  ns.until(
    'the job to end',
    () => {
      const status = ns.history.get('batchjobs', 'squares')?.status?.status;
      return status === 'SUCCEEDED' || status === 'FAILED' ? status : undefined;
    },
    WAIT_MS,
  );

const identityOf = ({ metadata, status }: Pod) => ({
  name: metadata.name,
  uid: metadata.uid,
  restarts: status?.containerStatuses?.map(({ restartCount }) => restartCount),
});

/** One that has ended with the one before it is no longer there. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

describe.skipIf(!possible)(title, () => {
  const suite = useSuite({ nodes: 'real', operator: false });
  beforeAll(() => provideImage(suite().cluster));

  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await suite().cluster.kubectl(args);
    expect(code, `kubectl ${args.join(' ')}: ${stderr}`).toBe(0);
    return stdout.trim();
  }

  /** Installs the kustomization in a folder and returns once its operators are ready. */
  async function installed(context: TestContext, folder: string, namespace: string): Promise<void> {
    context.onTestFinished(await install(suite().cluster, folder));
    const at = `--namespace=${namespace}`;
    context.onTestFailed(async () => {
      const pods = `--selector=app.kubernetes.io/name=${NAME}`;
      for (const args of [
        ['describe', 'pods', pods],
        ['logs', pods, '--prefix', '--tail=20'],
      ])
        console.error((await suite().cluster.kubectl([...args, at])).stdout);
    });
    await kubectl('rollout', 'status', `deployment/${NAME}`, at, `--timeout=${WAIT_MS}ms`);
  }

  it('does its work with the rights it has, and goes on over its own update and the loss of its leader', async (context) => {
    const at = `--namespace=${SYSTEM}`;
    await installed(context, overlay('ha'), SYSTEM);
    const holder = async (): Promise<string> =>
      kubectl('get', 'lease', NAME, at, '--output=jsonpath={.spec.holderIdentity}');
    const ns = await suite().namespace(context);
    await ns.create(taskDefinition('web', {}, [web]), service('web', { desiredCount: 2 }), squares);
    await untilSteady(ns.history, 'web', 2, WAIT_MS);
    expect(await untilJobEnded(ns)).toBe('SUCCEEDED');
    const first = podsOf(ns.history, 'web').map(identityOf);

    const before = await holder();
    await kubectl('rollout', 'restart', `deployment/${NAME}`, at);
    await kubectl('rollout', 'status', `deployment/${NAME}`, at, `--timeout=${WAIT_MS}ms`);
    await ns.patch('services', 'web', { spec: { desiredCount: 3 } });
    await untilSteady(ns.history, 'web', 3, WAIT_MS);
    const leader = await holder();
    expect(leader).not.toBe(before);

    // Killed first: nothing of it gives the lease back.
    const [pod = ''] = leader.split('_');
    const uid = await kubectl('get', 'pod', pod, at, '--output=jsonpath={.metadata.uid}');
    for (const pid of podProcesses(suite().cluster.dir, 'real-1', uid)) kill(pid);
    await kubectl('delete', 'pod', pod, at, '--force', '--grace-period=0');
    await ns.patch('services', 'web', { spec: { desiredCount: 4 } });
    await untilSteady(ns.history, 'web', 4, WAIT_MS);
    expect(await holder()).not.toBe(leader);

    expect(podsOf(ns.history, 'web').map(identityOf)).toEqual(expect.arrayContaining(first));
    expect(duplicates(ns.history)).toEqual([]);
    expect(deniedOf(suite().auditLog, POD_USER)).toEqual([]);
    const metrics = `/api/v1/namespaces/${SYSTEM}/services/${NAME}-metrics:metrics/proxy/metrics`;
    expect(await kubectl('get', '--raw', metrics)).toMatch(/^leader_election_master_status\{name="longshore"\} [01]$/m);
  });

  it('watches the one namespace in which it has a Role', async (context) => {
    const [ns, other] = [await suite().namespace(context), await suite().namespace(context)];
    const folder = mkdtempSync(join(suite().cluster.dir, 'namespaced-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    const resources = [relative(folder, overlay('namespaced'))];
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ namespace: ns.name, resources }));
    await other.create(taskDefinition('web', {}, [web]), service('web'));

    await installed(context, folder, ns.name);
    await ns.create(taskDefinition('web', {}, [web]), service('web'), squares);
    await untilSteady(ns.history, 'web', 1, WAIT_MS);
    expect(await untilJobEnded(ns)).toBe('SUCCEEDED');
    await other.history.caughtUp();
    expect(other.history.get('services', 'web')?.status).toBeUndefined();
    expect(deniedOf(suite().auditLog, `system:serviceaccount:${ns.name}:${NAME}`)).toEqual([]);
  });
});
