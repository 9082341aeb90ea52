/** What a hostile job can do in a queue that isolates its jobs, and what the same job does without. */
import { spawn } from 'node:child_process';
import type { V1PodSpec } from '@kubernetes/client-node';
import { describe, expect, it, type TestContext, vi } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { inside } from '../support/containers.ts';
import { isolatedQueue, job, needs } from '../support/isolation.ts';
import { pathOf } from '../support/kube-api.ts';
import { taskDefinition } from '../support/manifests.ts';
import { enforcePolicies, nodeNetwork, onNode } from '../support/network-policies.ts';
import type { Pod } from '../support/recorder.ts';
import { type Suite, type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a hostile job' : `a hostile job (skipped: ${why})`;

const WAIT_MS = 200_000;
const METADATA = '169.254.169.254';

const UNTIL_GO = 'until [ -e /tmp/go ]; do sleep 0.2; done';

/** Prints `name: yes` for what it could do. What needs the network waits until /tmp/go is there. */
const HOSTILE = `
try() { name=$1; shift; if "$@" > /tmp/said 2>&1; then echo "$name: yes"; else echo "$name: no"; fi; }
answers() { printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 "$1" "$2" | grep -q .; }
connects() { nc -w 5 "$1" "$2" -e true; }
try is-root test "$(id -u)" = 0
try writes-the-root touch /written
try writes-programs touch /bin/written
try reads-a-token test -s /var/run/secrets/kubernetes.io/serviceaccount/token
try has-capabilities sh -c '! grep -q "CapEff:.0*$" /proc/self/status'
try may-gain-privileges grep -q 'NoNewPrivs:.0' /proc/self/status
try gives-files-away chown 1:1 /tmp/said
try makes-devices mknod /tmp/disk b 7 0
try leaves-its-root chroot / true
try forges-packets ping -c 1 -W 1 127.0.0.1
try mounts sh -c 'mkdir -p /tmp/m && mount -t tmpfs tmpfs /tmp/m'
try makes-user-namespaces unshare -U true
try makes-mount-namespaces unshare -m true
try renames-its-host hostname evil
try sets-kernel-parameters sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
try sees-processes-of-the-node sh -c 'cat /proc/[0-9]*/comm | grep -qx kubelet'
try reads-files-of-the-node test -d /node/proc/1
${UNTIL_GO}
try reaches-the-api-server connects "$KUBERNETES_SERVICE_HOST" "$KUBERNETES_SERVICE_PORT"
try reaches-other-pods answers "$VICTIM" 80
try reaches-the-metadata connects ${METADATA} 80
echo over
`;

const untilPod = (ns: TestNamespace, name: string): Promise<Pod> =>
  ns.until(
    `the pod of ${name} to run`,
    () =>
      ns.history
        .all('pods')
        .find(
          ({ metadata, status }) =>
            metadata.labels?.['longshore.dev/batch-job'] === name &&
            status?.containerStatuses?.some(({ state }) => state?.running !== undefined),
        ),
    WAIT_MS,
  );

const untilEnded = (ns: TestNamespace, name: string) =>
  ns.until(
    `job ${name} to end`,
    () => {
      const status = ns.history.get('batchjobs', name)?.status;
      return (status?.status === 'SUCCEEDED' || status?.status === 'FAILED') && status;
    },
    WAIT_MS,
  );

async function letGo(ns: TestNamespace, name: string): Promise<Pod> {
  const pod = await untilPod(ns, name);
  // The node may say that a container runs a moment before it lets anybody in.
  await vi.waitFor(() => inside(ns, pod, 'default', 'touch /tmp/go'), { timeout: WAIT_MS, interval: 500 });
  return pod;
}

/** What a job could do, with its network as the policies of its namespace have it. */
async function deedsOf(suite: Suite, ns: TestNamespace, name: string, context: TestContext) {
  await enforcePolicies(suite, await untilPod(ns, name), context);
  const pod = await letGo(ns, name);
  const log = await vi.waitFor(
    async () => {
      const text = await ns.kubectl(['logs', pod.metadata.name]);
      expect(text).toMatch(/^over$/m);
      return text;
    },
    { timeout: WAIT_MS, interval: 500 },
  );
  return Object.fromEntries([...log.matchAll(/^(\S+): (yes|no)$/gm)].map(([, deed, said]) => [deed, said]));
}

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  /** A namespace whose queue isolates its jobs, and one without queues, where the same jobs run as they are. */
  async function namespaces(context: TestContext, isolation: object = {}) {
    const [isolated, free] = [await suite().namespace(context), await suite().namespace(context)];
    await isolatedQueue(suite(), isolated, context, isolation);
    return { isolated, free };
  }

  it('can do nothing that it does elsewhere, on the RuntimeClass of its queue', async (context) => {
    const runtimeClassName = `isolated-${process.pid}`;
    await suite().api.call('POST', pathOf('runtimeclasses'), { metadata: { name: runtimeClassName }, handler: 'runc' });
    context.onTestFinished(async () => {
      await suite().api.call('DELETE', pathOf('runtimeclasses', undefined, runtimeClassName));
    });
    const { isolated, free } = await namespaces(context, { runtimeClassName });
    await onNode(suite(), 'ip', 'address', 'replace', `${METADATA}/32`, 'dev', 'lo');
    const metadata = spawn('nsenter', [
      `--net=${nodeNetwork(suite())}`,
      ...['--', 'busybox', 'nc', '-ll', '-p', '80', '-e', '/bin/true'],
    ]);
    context.onTestFinished(async () => {
      metadata.kill();
      await onNode(suite(), 'ip', 'address', 'delete', `${METADATA}/32`, 'dev', 'lo');
    });

    await free.create(job('victim', { image: 'httpd:2.4', command: [] }));
    const victim = await untilPod(free, 'victim');
    const environment = [{ name: 'VICTIM', value: victim.status?.podIP ?? '' }];
    const hostile = job('hostile', { command: ['sh', '-c', HOSTILE], environment });
    const greedy = {
      ...job(
        'greedy',
        {},
        {
          containerProperties: undefined,
          ecsProperties: {
            taskProperties: [
              {
                containers: [
                  {
                    name: 'default',
                    image: 'busybox:1.37',
                    command: ['sh', '-c', HOSTILE],
                    environment,
                    resourceRequirements: needs(),
                    privileged: true,
                    mountPoints: [{ sourceVolume: 'node', containerPath: '/node' }],
                  },
                ],
                pidMode: 'host',
                volumes: [{ name: 'node', host: { sourcePath: '/' } }],
              },
            ],
          },
          kubernetes: { serviceAccountName: 'default' },
        },
      ),
    };
    await Promise.all([free.create(hostile, greedy), isolated.create(hostile, greedy)]);
    const [caught, asItIs, privileged] = await Promise.all([
      deedsOf(suite(), isolated, 'hostile', context),
      deedsOf(suite(), free, 'hostile', context),
      deedsOf(suite(), free, 'greedy', context),
    ]);
    const deeds = Object.keys(caught);
    expect(deeds).toHaveLength(20);
    expect(caught).toEqual(Object.fromEntries(deeds.map((deed) => [deed, 'no'])));
    const done = (all: Record<string, string | undefined>) => deeds.filter((deed) => all[deed] === 'yes');
    // What every container may do that is root in its image.
    expect(done(asItIs)).toEqual([
      'is-root',
      'writes-the-root',
      'writes-programs',
      'has-capabilities',
      'may-gain-privileges',
      'gives-files-away',
      'makes-devices',
      'leaves-its-root',
      'forges-packets',
      'reaches-the-api-server',
      'reaches-other-pods',
      'reaches-the-metadata',
    ]);
    expect(done(privileged)).toEqual(deeds);

    const runtimes = isolated.history.all('pods').map(({ spec }) => (spec as V1PodSpec).runtimeClassName);
    expect(runtimes).toEqual([runtimeClassName]);
    await isolated.until('why the greedy one waits', () =>
      isolated.history
        .get('batchjobs', 'greedy')
        ?.status?.statusReason?.startsWith('MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - spec.ecsProperties'),
    );
  });

  it('is killed when it takes more memory than it may, by one process or by many', async (context) => {
    const { isolated, free } = await namespaces(context, { maxMemoryMiB: 64 });
    const hog = ['sh', '-c', 'dd if=/dev/zero of=/dev/null bs=200M count=1 && echo survived'];
    const bomb = [
      'sh',
      '-c',
      'i=0; while [ $i -lt 2000 ]; do sleep 100 & i=$((i + 1)); done; test $(ls /proc | grep -c "^[0-9]") -gt 2000',
    ];
    const defined = job('hog', {}, { containerProperties: undefined, taskDefinition: 'hog' });
    for (const ns of [isolated, free]) {
      const container = { name: 'app', image: 'busybox:1.37', command: hog, memoryReservation: 8 };
      await ns.create(taskDefinition('hog', {}, [container]), defined);
    }
    expect(await untilEnded(free, 'hog')).toMatchObject({ status: 'SUCCEEDED' });
    expect(await untilEnded(isolated, 'hog')).toMatchObject({ status: 'FAILED', attempts: [{ exitCode: 137 }] });
    await isolated.create(job('bomb', { command: bomb }));
    // Killed as a whole or one by one, as the node's control groups have it: never are there so many.
    expect(await untilEnded(isolated, 'bomb')).toMatchObject({ status: 'FAILED' });
  });

  it('is evicted when it fills more of the disk than it may', async (context) => {
    const { isolated, free } = await namespaces(context, { maxEphemeralStorageMiB: 16 });
    const fills = 'dd if=/dev/zero of=/tmp/full bs=1M count=48';
    const command = ['sh', '-c', `trap 'exit 3' TERM; ${UNTIL_GO}; ${fills}; sleep 3600 & wait`];
    await Promise.all([isolated, free].map((ns) => ns.create(job('full', { command }))));
    const running = await letGo(free, 'full');
    await letGo(isolated, 'full');
    const status = await untilEnded(isolated, 'full');
    expect(status.status).toBe('FAILED');
    expect(status.statusReason).toMatch(/^Evicted: .*exceeds the/);
    expect(await inside(free, running, 'default', 'du -m /tmp/full')).toMatch(/^48/);
  });

  it('ends when its time is over, by its node alone, and is not tried again', async (context) => {
    const ns = await suite().namespace(context);
    await isolatedQueue(suite(), ns, context, { maxDurationSeconds: 30 });
    const command = ['sh', '-c', "trap 'exit 5' TERM; sleep 3600 & wait"];
    await ns.create(job('long', { command }, { retryStrategy: { attempts: 3 } }));
    const status = await untilEnded(ns, 'long');
    expect(status).toMatchObject({ status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' });
    expect(status.attempts).toMatchObject([{ attempt: 1, exitCode: 5 }]);
    // Nobody brought its deadline forward.
    const deadlines = ns.history.statesOf('pods', 'long-1').map(({ spec }) => spec.activeDeadlineSeconds);
    expect(new Set(deadlines)).toEqual(new Set([30]));
  });
});
