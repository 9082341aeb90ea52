/** What fields about the kernel, names, restarts and placement do to real containers: the support tables name these tests. */
import { readlinkSync } from 'node:fs';
import { describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { busybox, isRunning, type RunningTask, runContainers, shell, untilRunning } from '../support/containers.ts';
import { service, taskDefinition } from '../support/manifests.ts';
import { podsOf, runningPods, stoppedTaskOf } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a task on a real kubelet' : `a task on a real kubelet (skipped: ${why})`;

/** `linux/capability.h`. */
const NET_RAW = 13n;
const SYS_PTRACE = 19n;

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  const run = async (context: TestContext, containers: readonly object[], task?: object): Promise<RunningTask> =>
    runContainers(await suite().namespace(context), containers, task);

  it('has the capabilities, kernel parameters and memory file systems asked for', async (context) => {
    const { says } = await run(context, [
      busybox('asked', {
        dockerSecurityOptions: ['no-new-privileges'],
        systemControls: [{ namespace: 'net.ipv4.ip_local_port_range', value: '20000 20100' }],
        linuxParameters: {
          capabilities: { add: ['SYS_PTRACE'], drop: ['NET_RAW'] },
          sharedMemorySize: 8,
          tmpfs: [
            { containerPath: '/scratch', size: 4 },
            { containerPath: '/fixed', size: 1, mountOptions: ['ro'] },
          ],
        },
      }),
      busybox('plain', { linuxParameters: { sharedMemorySize: 16 } }),
    ]);
    const status = async (container: string, field: string) =>
      (await says(container, `awk '/^${field}:/ {print $2}' /proc/1/status`)).trim();
    const has = async (container: string, capability: bigint) =>
      ((BigInt(`0x${await status(container, 'CapEff')}`) >> capability) & 1n) === 1n;
    expect(await Promise.all(['asked', 'plain'].map((container) => has(container, SYS_PTRACE)))).toEqual([true, false]);
    expect(await Promise.all(['asked', 'plain'].map((container) => has(container, NET_RAW)))).toEqual([false, true]);
    expect(await status('asked', 'NoNewPrivs')).toBe('1');
    expect(await status('plain', 'NoNewPrivs')).toBe('0');
    // A filter, as Docker's default profile is one.
    expect(await status('plain', 'Seccomp')).toBe('2');

    expect(await says('asked', 'cat /proc/sys/net/ipv4/ip_local_port_range')).toBe('20000\t20100');

    const kib = (container: string, path: string) => says(container, `df -k ${path} | awk 'END {print $1, $2, $6}'`);
    expect(await kib('asked', '/dev/shm')).toBe('tmpfs 8192 /dev/shm');
    expect(await kib('plain', '/dev/shm')).toBe('tmpfs 16384 /dev/shm');
    expect(await kib('asked', '/scratch')).toBe('tmpfs 4096 /scratch');
    const fill = 'dd if=/dev/zero of=/scratch/x bs=1M count=5 2>&1; stat -c %s /scratch/x';
    expect(await says('asked', fill)).toMatch(/No space left on device\n(.*\n)*4194304$/);
    expect(await says('asked', 'touch /fixed/x 2>&1 || true')).toBe('touch: /fixed/x: Read-only file system');
  });

  it('does not start on a node that does not allow a kernel parameter', async (context) => {
    const ns = await suite().namespace(context);
    const systemControls = [{ namespace: 'net.core.somaxconn', value: '1024' }];
    await ns.create(taskDefinition('task', {}, [busybox('app', { systemControls })]), service('task'));
    const [stopped] = await ns.until('a task to stop', () => {
      const { stoppedTasks = [] } = ns.history.get('services', 'task')?.status ?? {};
      return stoppedTasks.length > 0 && stoppedTasks;
    });
    expect(stopped).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: expect.stringContaining('forbidden sysctl: "net.core.somaxconn"'),
    });
  });

  it('knows the names, servers and domains it is given', async (context) => {
    const serve = (port: number) => `while :; do echo here | nc -l -p ${port}; done`;
    const { says } = await run(context, [
      shell('My-DB', serve(5432), { stopTimeout: 2 }),
      busybox('app', {
        links: ['My-DB', 'My-DB:Database'],
        hostname: 'shop',
        extraHosts: [
          { hostname: 'legacy', ipAddress: '127.0.0.9' },
          { hostname: 'Old.Example', ipAddress: '127.0.0.9' },
        ],
        dnsServers: ['127.0.0.53', '127.0.0.54'],
        dnsSearchDomains: ['shop.example', 'example'],
      }),
    ]);
    expect(await says('app', 'hostname')).toBe('shop');
    for (const name of ['my-db', 'My-DB', 'database']) expect(await says('app', `nc ${name} 5432`)).toBe('here');
    expect(await says('app', "grep 127.0.0.9 /etc/hosts | tr '\\t' ' '")).toBe('127.0.0.9 legacy old.example');
    expect(await says('app', 'cat /etc/resolv.conf')).toBe(
      'search shop.example example\nnameserver 127.0.0.53\nnameserver 127.0.0.54',
    );
  });

  it('sees the processes of its task, or of the node, where it asks for them', async (context) => {
    const [shared, own, node] = await Promise.all([
      run(context, [busybox('one'), shell('two', 'exec sleep 3333')], { pidMode: 'task' }),
      run(context, [busybox('one'), shell('two', 'exec sleep 3333')]),
      run(context, [busybox('one')], { pidMode: 'host', ipcMode: 'host' }),
    ]);
    const sleeps = "ps | grep '[s]leep 3333' | wc -l";
    expect(await shared.says('one', sleeps)).toBe('1');
    expect(await own.says('one', sleeps)).toBe('0');
    for (const namespace of ['pid', 'ipc']) {
      const link = `/proc/self/ns/${namespace}`;
      expect(await node.says('one', `readlink ${link}`)).toBe(readlinkSync(link));
      expect(await own.says('one', `readlink ${link}`)).not.toBe(readlinkSync(link));
    }
    expect(await own.says('one', 'readlink /proc/self/ns/ipc')).toBe(
      await own.says('two', 'readlink /proc/self/ns/ipc'),
    );
  });

  it('has an init process that ends with SIGTERM what does not handle it, and collects orphans', async (context) => {
    const linuxParameters = { initProcessEnabled: true };
    const { ns, pod, says } = await run(context, [
      shell('app', 'exec sleep 3600', { stopTimeout: 20, linuxParameters }),
    ]);
    expect(await says('app', "tr '\\0' ' ' < /proc/1/cmdline")).not.toContain('3600');
    await says('app', "sh -c 'sleep 0.1 &'");
    await context.expect.poll(() => says('app', "ps -o stat,args | grep -c '[s]leep 0.1' || true")).toBe('0');
    await ns.patch('services', 'task', { spec: { desiredCount: 0 } });
    const exit = await ns.until('the container to end', () => {
      const { status } = ns.history.get('pods', pod.metadata.name) ?? {};
      return status?.containerStatuses?.[0]?.state?.terminated;
    });
    // Process 1 of a namespace ignores the signal: it would have been killed, with 137.
    expect(exit.exitCode).toBe(143);
  });

  it('is restarted in place by its restart policy, and ends where ECS would not restart it', async (context) => {
    const restartPolicy = { enabled: true, ignoredExitCodes: [5], restartAttemptPeriod: 60 };
    const policy = (name: string, script: string) =>
      taskDefinition(name, {}, [shell(name, script, { restartPolicy, stopTimeout: 2 })]);
    const ns = await suite().namespace(context);
    // Each run of `long` is long enough, and then one is not; `short` is none; `ignored` ends as it wants to.
    const names = ['long', 'short', 'ignored'];
    await ns.create(
      policy('long', `echo runs; sleep 61; exit 7`),
      policy('short', 'echo runs; sleep 1; exit 7'),
      policy('ignored', 'echo runs; sleep 1; exit 5'),
      ...names.map((name) => service(name)),
    );
    const stopped = (name: string) =>
      ns.until(`a task of ${name} to stop`, () => {
        for (const pod of podsOf(ns.history, name)) {
          const record = stoppedTaskOf(ns.history.get('services', name), pod);
          if (record !== undefined) return record;
        }
        return undefined;
      });
    expect(await stopped('short')).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ name: 'short', exitCode: 7 }],
    });
    expect(await stopped('ignored')).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ name: 'ignored', exitCode: 5 }],
    });
    const restarted = await ns.until(
      'the second run',
      () =>
        runningPods(ns.history, 'long').find(
          (pod) => isRunning(pod) && pod.status?.containerStatuses?.[0]?.restartCount === 1,
        ),
      120_000,
    );
    expect(restarted.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(7);
    expect(ns.history.get('services', 'long')?.status).toMatchObject({ runningCount: 1, stoppedTasks: [] });
    expect(podsOf(ns.history, 'long')).toHaveLength(1);
  });

  it('runs only on nodes of its platform, with as many GPUs as it needs', async (context) => {
    const here = process.arch === 'arm64' ? 'ARM64' : 'X86_64';
    const elsewhere = process.arch === 'arm64' ? 'X86_64' : 'ARM64';
    const ns = await suite().namespace(context);
    const gpus = (value: string) => [busybox('app', { resourceRequirements: [{ type: 'GPU', value }] })];
    const platform = (cpuArchitecture: string) => ({
      runtimePlatform: { cpuArchitecture, operatingSystemFamily: 'LINUX' },
    });
    const definitions = [
      taskDefinition('here', platform(here), [busybox('app')]),
      taskDefinition('elsewhere', platform(elsewhere), [busybox('app')]),
      taskDefinition('gpu', {}, gpus('2')),
      taskDefinition('gpus', {}, gpus('3')),
    ];
    // What a device plugin would say of its node.
    const [node] = (await ns.kubectl(['get', 'nodes', '--output=name'])).trim().split('\n');
    const capacity = { status: { capacity: { 'nvidia.com/gpu': '2' }, allocatable: { 'nvidia.com/gpu': '2' } } };
    await ns.kubectl([
      'patch',
      `${node}`,
      '--subresource=status',
      '--type=merge',
      `--patch=${JSON.stringify(capacity)}`,
    ]);
    await ns.create(...definitions, ...definitions.map(({ name }) => service(name)));
    await Promise.all(['here', 'gpu'].map((name) => untilRunning(ns, name)));
    const unplaced = (name: string) =>
      ns.until(`${name} to find no node`, () =>
        podsOf(ns.history, name)
          .flatMap(({ status }) => status?.conditions ?? [])
          .find(({ type, status }) => type === 'PodScheduled' && status === 'False'),
      );
    expect(await unplaced('elsewhere')).toMatchObject({ reason: 'Unschedulable' });
    expect(JSON.stringify(await unplaced('elsewhere'))).toContain("didn't match Pod's node affinity/selector");
    expect(JSON.stringify(await unplaced('gpus'))).toContain('Insufficient nvidia.com/gpu');
  });
});
