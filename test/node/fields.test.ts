/** What the fields of a task definition do to real containers: the support tables name these tests as their proof. */

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { areShares, busybox, CGROUP, exec, type RunningTask, runContainers } from '../support/containers.ts';
import { useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a task on a real kubelet' : `a task on a real kubelet (skipped: ${why})`;

const MIB = 1024 * 1024;
/** What Docker leaves a container, and containerd as well: 14 capabilities. */
const DEFAULT_RIGHTS = '00000000a80425fb';

/** Its image has an entry point, which runs the command if there is such a program, and a server if not. */
const httpd = (name: string, port: number, fields: object = {}) => ({
  ...busybox(name),
  image: 'httpd:2.4',
  environment: [{ name: 'PORT', value: String(port) }],
  ...fields,
});

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '0.0.0.0', () => {
      const address = server.address();
      server.close(() => (address === null || typeof address === 'string' ? reject(address) : resolve(address.port)));
    });
  });

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  const run = async (context: TestContext, containers: readonly object[], task?: object): Promise<RunningTask> =>
    runContainers(await suite().namespace(context), containers, task);

  it('runs entry point and command by the rule of Docker', async (context) => {
    const { ns, pod, says } = await run(context, [
      httpd('neither', 8080),
      httpd('command', 8081, { command: ['sleep', '3600'] }),
      httpd('kept', 8082, { command: ['no-such-program'] }),
      httpd('replaced', 8083, { entryPoint: ['sh', '-c', 'echo $# arguments; exec sleep 3601'] }),
      httpd('both', 8084, {
        entryPoint: ['sh', '-c', 'echo "$0 $1"; exec sleep 3602'],
        command: ['$(HOME)', '$HOME "x"'],
      }),
    ]);
    const first = (container: string) => says(container, "tr '\\0' ' ' < /proc/1/cmdline");
    const log = (container: string) => ns.kubectl(['logs', pod.metadata.name, `--container=${container}`]);
    expect(await first('neither')).toBe('/bin/sh /bin/http-server ');
    expect(await first('command')).toBe('sleep 3600 ');
    expect(await first('kept')).toBe('/bin/sh /bin/http-server ');
    // The image's CMD is not handed to an entry point that is not the image's.
    expect(await first('replaced')).toBe('sleep 3601 ');
    expect(await log('replaced')).toBe('0 arguments\n');
    expect(await first('both')).toBe('sleep 3602 ');
    expect(await log('both')).toBe('$(HOME) $HOME "x"\n');
  });

  it('starts in the directory, with the terminal and the input asked for', async (context) => {
    const look = 'tty > /tmp/tty; exec wait';
    const { says } = await run(context, [
      busybox('plain', { command: ['sh', '-c', look] }),
      busybox('terminal', { command: ['sh', '-c', look], pseudoTerminal: true, workingDirectory: '/var/log' }),
      // Without open input it would end at once.
      busybox('input', { command: ['cat'], interactive: true, workingDirectory: '/not/in/the/image' }),
    ]);
    expect(await says('plain', 'pwd; cat /tmp/tty; readlink /proc/1/fd/0')).toBe('/\nnot a tty\n/dev/null');
    expect(await says('terminal', 'pwd; cat /tmp/tty')).toMatch(/^\/var\/log\n\/dev\/pts\/\d+$/);
    expect(await says('input', 'pwd; readlink /proc/1/fd/0')).toMatch(/^\/not\/in\/the\/image\npipe:/);
  });

  it('runs as the user and group asked for', async (context) => {
    const { says } = await run(context, [
      busybox('plain'),
      busybox('uid', { user: '1234' }),
      busybox('both', { user: '1234:2345' }),
      // The image knows this one, and its group.
      busybox('known', { user: '65534' }),
      busybox('root', { user: 'root:1' }),
    ]);
    const who = (container: string) => says(container, "awk '/^[UG]id/ {print $2}' /proc/1/status");
    expect(await who('plain')).toBe('0\n0');
    expect(await who('uid')).toBe('1234\n0');
    expect(await who('both')).toBe('1234\n2345');
    expect(await who('known')).toBe('65534\n65534');
    expect(await who('root')).toBe('0\n1');
  });

  it('gives the rights asked for and no others', async (context) => {
    const { says } = await run(
      context,
      [
        busybox('plain'),
        busybox('privileged', { privileged: true }),
        busybox('readonly', {
          readonlyRootFilesystem: true,
          mountPoints: [{ sourceVolume: 'scratch', containerPath: '/tmp' }],
        }),
      ],
      { volumes: [{ name: 'scratch' }] },
    );
    const rights = (container: string) => says(container, "awk '/^CapEff/ {print $2}' /proc/1/status");
    expect(await rights('plain')).toBe(DEFAULT_RIGHTS);
    expect(await rights('readonly')).toBe(DEFAULT_RIGHTS);
    // All that the node itself has to give.
    expect(await rights('privileged')).toBe(readFileSync('/proc/self/status', 'utf8').match(/^CapEff:\s*(\S+)/m)?.[1]);
    expect(await says('plain', 'touch /x && echo written; test -e /dev/kmsg || echo no device')).toBe(
      'written\nno device',
    );
    expect(await says('privileged', 'test -e /dev/kmsg && echo device')).toBe('device');
    expect(await says('readonly', 'touch /x 2>&1; touch /tmp/x && echo written')).toBe(
      'touch: /x: Read-only file system\nwritten',
    );
  });

  it('passes variables as they are, and the last of a name', async (context) => {
    const variables = [
      ['TWICE', 'first'],
      ['LITERAL', '$(TWICE) $TWICE $$(TWICE) "quoted" \\n'],
      ['EMPTY', ''],
      ['LINES', 'one\ntwo'],
      ['with.dots-and-dashes', 'yes'],
      ['TWICE', 'last'],
    ];
    const environment = variables.map(([name, value]) => ({ name, value }));
    const { says } = await run(context, [busybox('app', { environment })]);
    const seen = (await says('app', "tr '\\0' '\\1' < /proc/1/environ")).split('\u0001');
    expect(seen.filter((line) => variables.some(([name]) => line.startsWith(`${name}=`))).sort()).toEqual(
      variables
        .slice(1)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    );
    // Nothing of the cluster's other services, as Kubernetes would add.
    expect(seen.filter((line) => /_SERVICE_(HOST|PORT)=/.test(line) && !line.startsWith('KUBERNETES_'))).toEqual([]);
  });

  it('bounds containers and the task by their CPU and memory', async (context) => {
    const greedy = 'until [ -e /tmp/eat ]; do sleep 0.2; done; tail /dev/zero';
    const { ns, pod, says } = await run(
      context,
      [
        busybox('share', { cpu: 256, memory: 32 }),
        busybox('reserved', { cpu: 100, memory: undefined, memoryReservation: 16 }),
        busybox('idle'),
        busybox('greedy', { cpu: 10, essential: false, command: ['sh', '-c', greedy] }),
      ],
      { cpu: '.5 vCPU', memory: '128' },
    );
    expect(await says('share', CGROUP.memoryLimit)).toBe(String(32 * MIB));
    for (const [container, shares] of Object.entries({ share: 256, reserved: 100, greedy: 10, idle: 2 })) {
      const printed = await says(container, CGROUP.cpuShares);
      expect(areShares(printed, shares), `${container}: ${printed}`).toBe(true);
    }
    // The task's own bounds are those of its control group on the node; those of others go while it looks, which fails it.
    const { stdout: groups } = spawnSync('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `pod${pod.metadata.uid}`], {
      encoding: 'utf8',
    });
    const bound = (...names: string[]) => {
      const files = groups.split('\n').flatMap((group) => names.map((name) => join(group, name)));
      return readFileSync(files.find(existsSync) ?? '', 'utf8').trim();
    };
    expect(bound('memory.limit_in_bytes', 'memory.max')).toBe(String(128 * MIB));
    expect(bound('cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000( 100000)?$/);

    await exec(ns, pod, 'greedy', 'touch', '/tmp/eat');
    const killed = await ns.until('the container beyond its memory to be killed', () => {
      const { status } = ns.history.get('pods', pod.metadata.name) ?? {};
      return status?.containerStatuses?.find(({ name }) => name === 'greedy')?.state?.terminated;
    });
    expect(killed.exitCode).toBe(137);
  });

  it('mounts volumes of the node and of the task where and how they are asked for', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-volume-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'greeting'), 'hello');
    const mount = (sourceVolume: string, containerPath: string, readOnly?: boolean) => ({
      sourceVolume,
      containerPath,
      readOnly,
    });
    const { says } = await run(
      context,
      [
        busybox('owner', { mountPoints: [mount('Node_Data', '/data'), mount('scratch', '/shared/scratch')] }),
        busybox('reader', { mountPoints: [mount('Node_Data', '/in', true), mount('scratch', '/scratch')] }),
        busybox('taker', { volumesFrom: [{ sourceContainer: 'owner' }] }),
        busybox('watcher', { volumesFrom: [{ sourceContainer: 'owner', readOnly: true }] }),
      ],
      {
        volumes: [
          { name: 'Node_Data', host: { sourcePath: folder } },
          { name: 'scratch', host: {} },
        ],
      },
    );
    const refused = (path: string) => `touch: ${path}: Read-only file system`;
    expect(await says('owner', 'cat /data/greeting; echo bye > /data/answer; echo task > /shared/scratch/x')).toBe(
      'hello',
    );
    expect(readFileSync(join(folder, 'answer'), 'utf8')).toBe('bye\n');
    expect(await says('reader', 'cat /in/answer /scratch/x; touch /scratch/y; touch /in/y 2>&1 || true')).toBe(
      `bye\ntask\n${refused('/in/y')}`,
    );
    expect(await says('taker', 'cat /data/answer /shared/scratch/x; touch /data/z && echo written')).toBe(
      'bye\ntask\nwritten',
    );
    expect(await says('watcher', 'cat /data/answer; touch /data/w 2>&1; touch /shared/scratch/w 2>&1 || true')).toBe(
      `bye\n${refused('/data/w')}\n${refused('/shared/scratch/w')}`,
    );
  });

  it('has one address, and is reached by the ports of the node that it maps', async (context) => {
    const [tcp, udp] = [await freePort(), await freePort()];
    const portMappings = [
      { containerPort: 8081, hostPort: tcp },
      { containerPort: 8083, hostPort: udp, protocol: 'udp' },
    ];
    const [own, mapped] = await Promise.all([
      run(context, [httpd('one', 8081, { portMappings: [{ containerPort: 8081 }] }), httpd('two', 8082)], {
        networkMode: 'awsvpc',
      }),
      run(context, [httpd('only', 8081, { portMappings })], { networkMode: 'bridge' }),
    ]);
    for (const port of [8081, 8082]) {
      expect((await fetch(`http://${own.pod.status?.podIP}:${port}/health`)).status).toBe(200);
      expect(
        await own.says('one', `printf 'GET /health HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 ${port} | head -n 1`),
      ).toContain(' 200 ');
    }
    const { hostIP } = mapped.pod.status ?? {};
    expect((await fetch(`http://${hostIP}:${tcp}/health`)).status).toBe(200);
    // Nothing listens there: the task's own network counts the datagrams that came.
    const datagrams = () => mapped.says('only', "awk '/^Udp:/ && $2 ~ /[0-9]/ {print $3}' /proc/net/snmp");
    expect(await datagrams()).toBe('0');
    const socket = createSocket('udp4');
    context.onTestFinished(() => {
      socket.close();
    });
    await context.expect
      .poll(() => {
        socket.send('hello', udp, hostIP);
        return datagrams();
      })
      .not.toBe('0');
  });

  it('is on the network of the node where it asks for it', async (context) => {
    const port = await freePort();
    const { pod, says } = await run(context, [httpd('server', port, { portMappings: [{ containerPort: port }] })], {
      networkMode: 'host',
    });
    const { hostIP, podIP } = pod.status ?? {};
    expect(podIP).toBe(hostIP);
    expect((await fetch(`http://${hostIP}:${port}/health`)).status).toBe(200);
    expect(await says('server', 'ip -o address show')).toContain(` ${hostIP}/`);
  });

  it('is killed when it has not ended stopTimeout after SIGTERM', async (context) => {
    const stopTimeout = 6;
    const script = 'trap "date +%s > /dev/termination-log" TERM; while :; do sleep 0.2; done';
    const { ns, pod } = await run(context, [busybox('stubborn', { stopTimeout, command: ['sh', '-c', script] })]);
    await ns.patch('services', 'task', { spec: { desiredCount: 0 } });
    const ended = await ns.until('the container to end', () => {
      const { status } = ns.history.get('pods', pod.metadata.name) ?? {};
      return status?.containerStatuses?.[0]?.state?.terminated;
    });
    expect(ended.exitCode).toBe(137);
    // Both times are in whole seconds.
    const seconds = Date.parse(ended.finishedAt ?? '') / 1000 - Number(ended.message);
    expect(seconds).toBeGreaterThanOrEqual(stopTimeout - 1);
    expect(pod.spec.terminationGracePeriodSeconds).toBe(stopTimeout);
  });
});
