/** Where a task's variables and files come from, on real containers: the support tables name these tests as their proof. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { busybox, inside, untilRunning } from '../support/containers.ts';
import { cluster, service, taskDefinition } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a task on a real kubelet' : `a task on a real kubelet (skipped: ${why})`;

const home = { account: '111122223333', region: 'eu-west-1' };
const secretArn = (name: string) => `arn:aws:secretsmanager:${home.region}:${home.account}:secret:${name}`;
const roleArn = `arn:aws:iam::${home.account}:role/web`;
const s3 = (name: string) => `arn:aws:s3:::config/${name}`;

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  const secret = (ns: TestNamespace, name: string, stringData: object) =>
    ns.createRaw('secrets', { metadata: { name }, stringData });
  const configMap = (ns: TestNamespace, name: string, data: object) =>
    ns.createRaw('configmaps', { metadata: { name }, data });

  /** What the container's first process was given. */
  const variables = async (ns: TestNamespace, pod: Pod, container: string): Promise<Record<string, string>> => {
    const text = await inside(ns, pod, container, "tr '\\0\\n' '\\n\\1' < /proc/1/environ");
    const lines = text.split('\n').filter((line) => line.includes('='));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  };

  it('gets secrets from Secrets: by name, by ARN, by json-key, by mapping', async (context) => {
    const ns = await suite().namespace(context);
    await Promise.all([
      secret(ns, 'prod-token', { value: 'by name' }),
      secret(ns, 'prod-db', { value: '{"password":"whole"}', password: 'by json-key' }),
      secret(ns, 'mine', { pw: 'mapped $(A) $$' }),
    ]);
    const secrets = [{ valueFrom: secretArn('other-AbCdEf'), secretName: 'mine', key: 'pw' }];
    const from = (name: string, valueFrom: string) => ({ name, valueFrom });
    await ns.create(
      cluster('prod', { ...home, mappings: { secrets } }),
      taskDefinition('task', {}, [
        busybox('app', {
          environment: [{ name: 'A', value: 'a' }],
          secrets: [
            from('NAME', '/prod/token'),
            from('PARAMETER', `arn:aws:ssm:${home.region}:${home.account}:parameter/prod/token`),
            from('WHOLE', secretArn('prod/db-AbCdEf')),
            from('KEY', `${secretArn('prod/db-AbCdEf')}:password::`),
            from('MAPPED', secretArn('other-AbCdEf')),
          ],
        }),
      ]),
      service('task'),
    );
    const pod = await untilRunning(ns, 'task');
    expect(await variables(ns, pod, 'app')).toMatchObject({
      A: 'a',
      NAME: 'by name',
      PARAMETER: 'by name',
      WHOLE: '{"password":"whole"}',
      KEY: 'by json-key',
      // What a Secret has is never expanded.
      MAPPED: 'mapped $(A) $$',
    });
  });

  it('reads environment files as ECS does, and gives their variables the place that ECS gives them', async (context) => {
    const ns = await suite().namespace(context);
    const first =
      '# comment\nORDER=first\nOWN=file\nSECRET=file\nQUOTED="as is"  \nURL=http://x/?a=b\nEMPTY=\nno variable\nLITERAL=$(OWN) $OWN\r\n';
    await Promise.all([
      configMap(ns, 'files', { 'first.env': first, 'second.env': 'ORDER=second\nSECOND=2\nWHOLE=file' }),
      configMap(ns, 'whole', { WHOLE: 'map', MAP: 'map', BOTH: 'map' }),
      secret(ns, 'whole', { WHOLE: 'secret', BOTH: 'secret', HIDDEN: 'secret' }),
      secret(ns, 'own', { value: 'secret' }),
    ]);
    const files = [
      { value: s3('first.env'), configMapKeyRef: { name: 'files', key: 'first.env' } },
      { value: s3('second.env'), configMapKeyRef: { name: 'files', key: 'second.env' } },
      { value: s3('map.env'), configMapRef: { name: 'whole' } },
      { value: s3('secret.env'), secretRef: { name: 'whole' } },
    ];
    const listed = (...names: string[]) => names.map((name) => ({ value: s3(name), type: 's3' }));
    await ns.create(
      cluster('prod', { mappings: { files } }),
      taskDefinition('task', {}, [
        busybox('app', {
          environment: [{ name: 'OWN', value: 'environment' }],
          environmentFiles: listed('first.env', 'second.env', 'map.env', 'secret.env'),
          secrets: [{ name: 'SECRET', valueFrom: 'own' }],
        }),
        busybox('other', { environmentFiles: listed('second.env', 'secret.env', 'first.env', 'map.env') }),
      ]),
      service('task'),
    );
    const pod = await untilRunning(ns, 'task');
    const app = await variables(ns, pod, 'app');
    expect(app).toMatchObject({
      ORDER: 'first',
      OWN: 'environment',
      SECRET: 'secret',
      QUOTED: '"as is"  ',
      URL: 'http://x/?a=b',
      EMPTY: '',
      LITERAL: '$(OWN) $OWN',
      SECOND: '2',
      WHOLE: 'file',
      MAP: 'map',
      BOTH: 'map',
      HIDDEN: 'secret',
    });
    expect(Object.keys(app).filter((name) => name.includes('comment') || name.startsWith('no'))).toEqual([]);
    expect(await variables(ns, pod, 'other')).toMatchObject({
      ORDER: 'second',
      OWN: 'file',
      BOTH: 'secret',
      MAP: 'map',
    });

    // As ECS, a task reads its files when it starts: what has changed holds for the next one.
    await ns.patch('configmaps', 'files', { data: { 'first.env': 'ORDER=changed' } });
    await ns.patch('pods', pod.metadata.name, { metadata: { annotations: { 'longshore.dev/stop': 'read again' } } });
    await ns.until('the task to stop', () => ns.history.get('services', 'task')?.status?.stoppedTasks?.[0]);
    expect(await variables(ns, await untilRunning(ns, 'task'), 'app')).toMatchObject({
      ORDER: 'changed',
      OWN: 'environment',
    });
  });

  it('without a Secret, a key or an environment file does not start, as on ECS, whichever container needs it', async (context) => {
    const ns = await suite().namespace(context);
    await Promise.all([secret(ns, 'there', { value: 'x' }), configMap(ns, 'there', { 'other.env': 'A=1' })]);
    const file = (name: string) => ({ environmentFiles: [{ value: s3(name), type: 's3' }] });
    const missing: Record<string, { container: object; because: string }> = {
      secret: {
        container: { secrets: [{ name: 'A', valueFrom: 'absent' }] },
        because: 'secret "absent" not found',
      },
      'secret-key': {
        container: { secrets: [{ name: 'A', valueFrom: `${secretArn('there')}:absent::` }] },
        because: `couldn't find key absent in Secret ${ns.name}/there`,
      },
      file: { container: file('absent.env'), because: 'configmap "absent" not found' },
      'file-key': { container: file('no-key.env'), because: `couldn't find key a.env in ConfigMap ${ns.name}/there` },
      'file-secret': { container: file('secret.env'), because: 'secret "absent" not found' },
    };
    const files = [
      { value: s3('absent.env'), configMapKeyRef: { name: 'absent', key: 'a.env' } },
      { value: s3('no-key.env'), configMapKeyRef: { name: 'there', key: 'a.env' } },
      { value: s3('secret.env'), secretRef: { name: 'absent' } },
    ];
    await ns.create(cluster('prod', { ...home, mappings: { files } }));
    await ns.create(
      ...Object.entries(missing).flatMap(([name, { container }]) => [
        taskDefinition(name, {}, [busybox('main'), busybox('side', { essential: false, ...container })]),
        service(name),
      ]),
    );
    for (const [name, { because }] of Object.entries(missing)) {
      const [stopped] = await ns.until(`a stopped task of ${name}`, () => {
        const tasks = ns.history.get('services', name)?.status?.stoppedTasks ?? [];
        return tasks.length > 0 ? tasks : undefined;
      });
      expect(stopped).toMatchObject({
        stopCode: 'TaskFailedToStart',
        stoppedReason: `ResourceInitializationError: ${because}`,
      });
    }

    // What was missing comes: the next task has it.
    await configMap(ns, 'absent', { 'a.env': 'FOUND=yes' });
    const pod = await untilRunning(ns, 'file');
    expect(await variables(ns, pod, 'side')).toMatchObject({ FOUND: 'yes' });
  });

  it('runs as the ServiceAccount of its role, from the image that the Cluster names', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('serviceaccounts', { metadata: { name: 'web' } });
    const roles = [{ role: roleArn, serviceAccountName: 'web' }];
    const images = [{ prefix: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/tools:', replacement: 'busybox:' }];
    await ns.create(
      cluster('prod', { mappings: { roles, images } }),
      taskDefinition('task', { taskRoleArn: roleArn }, [
        busybox('app', { image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/tools:1.37' }),
      ]),
      service('task'),
    );
    const pod = await untilRunning(ns, 'task');
    const token = await inside(ns, pod, 'app', 'cat /var/run/secrets/kubernetes.io/serviceaccount/token');
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: string };
    expect(sub).toBe(`system:serviceaccount:${ns.name}:web`);
  });

  /** A directory of this machine, which is the node, as what a claim of its StorageClass gets. */
  async function provide(context: TestContext, ns: TestNamespace, of: string) {
    const path = mkdtempSync(join(tmpdir(), 'longshore-storage-'));
    const name = `${ns.name}-${of}`;
    await suite().api.call('POST', '/api/v1/persistentvolumes', {
      metadata: { name },
      spec: {
        storageClassName: name,
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteOnce', 'ReadWriteMany'],
        persistentVolumeReclaimPolicy: 'Retain',
        hostPath: { path },
      },
    });
    context.onTestFinished(async () => {
      await suite().api.call('DELETE', `/api/v1/persistentvolumes/${name}`);
      rmSync(path, { recursive: true });
    });
    return { path, storageClassName: name };
  }

  const mount = (sourceVolume: string, containerPath: string, readOnly?: boolean) => ({
    sourceVolume,
    containerPath,
    readOnly,
  });

  it('mounts paths of the node that are there, files and sockets too, and makes those that are not', async (context) => {
    const ns = await suite().namespace(context);
    const folder = mkdtempSync(join(tmpdir(), 'longshore-host-'));
    writeFileSync(join(folder, 'file'), 'hello');
    const socket = createServer().listen(join(folder, 'socket'));
    context.onTestFinished(() => {
      socket.close();
      rmSync(folder, { recursive: true });
    });
    const paths = ['file', 'socket', 'not/there'];
    await ns.create(
      taskDefinition(
        'task',
        { volumes: paths.map((path, index) => ({ name: `v${index}`, host: { sourcePath: join(folder, path) } })) },
        [busybox('app', { mountPoints: paths.map((path, index) => mount(`v${index}`, `/in/${path}`)) })],
      ),
      service('task'),
    );
    const pod = await untilRunning(ns, 'task');
    const says = await inside(ns, pod, 'app', 'cat /in/file; test -S /in/socket && echo; echo made > /in/not/there/x');
    expect(says).toBe('hello\n');
    expect(readFileSync(join(folder, 'not/there/x'), 'utf8')).toBe('made\n');
  });

  it('has Docker volumes: its own, in memory, and shared ones that outlive it', async (context) => {
    const ns = await suite().namespace(context);
    const [kept, own] = await Promise.all([provide(context, ns, 'kept'), provide(context, ns, 'own')]);
    const storageClasses = [
      { volumeType: 'local', storageClassName: kept.storageClassName, accessMode: 'ReadWriteMany', sizeInGiB: 2 },
      { volumeType: 'rexray/ebs', storageClassName: own.storageClassName },
    ];
    const docker = (name: string, configuration: object) => ({ name, dockerVolumeConfiguration: configuration });
    const volumes = [
      docker('Shared_Data', { scope: 'shared', autoprovision: true }),
      docker('driver', { driver: 'rexray/ebs' }),
      docker('memory', { driverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=8m' } }),
    ];
    await ns.create(cluster('prod', { mappings: { storageClasses } }));
    const mountPoints = [mount('Shared_Data', '/shared'), mount('driver', '/driver'), mount('memory', '/memory')];
    await ns.create(taskDefinition('task', { volumes }, [busybox('app', { mountPoints })]), service('task'));
    const pod = await untilRunning(ns, 'task');
    await inside(ns, pod, 'app', 'echo kept > /shared/x; echo own > /driver/x; echo memory > /memory/x');
    expect(readFileSync(join(kept.path, 'x'), 'utf8')).toBe('kept\n');
    expect(readFileSync(join(own.path, 'x'), 'utf8')).toBe('own\n');
    expect(await inside(ns, pod, 'app', 'awk \'$2 == "/memory" {print $3}\' /proc/mounts')).toBe('tmpfs\n');
    expect(await inside(ns, pod, 'app', "df -m /memory | awk 'END {print $2}'")).toBe('8\n');

    await ns.patch('pods', pod.metadata.name, { metadata: { annotations: { 'longshore.dev/stop': 'again' } } });
    await ns.until('the task to stop', () => ns.history.get('services', 'task')?.status?.stoppedTasks?.[0]);
    const claims = (await ns.kubectl(['get', 'persistentvolumeclaims', '-o', 'name'])).trim().split('\n');
    expect(claims).toContain('persistentvolumeclaim/shared-data');
    await ns.create(
      taskDefinition('reader', { volumes: [volumes[0]] }, [busybox('app', { mountPoints: [mountPoints[0]] })]),
      service('reader'),
    );
    expect(await inside(ns, await untilRunning(ns, 'reader'), 'app', 'cat /shared/x')).toBe('kept\n');
  });

  it('has the volume that its Service configures at launch, and no longer than its pod', async (context) => {
    const ns = await suite().namespace(context);
    const { path, storageClassName } = await provide(context, ns, 'ebs');
    await ns.create(cluster('prod', { mappings: { storageClasses: [{ volumeType: 'gp3', storageClassName }] } }));
    const managedEBSVolume = { volumeType: 'gp3', sizeInGiB: 5, roleArn: 'ecsInfrastructureRole' };
    await ns.create(
      taskDefinition('task', { volumes: [{ name: 'Data_Dir', configuredAtLaunch: true }] }, [
        busybox('app', { mountPoints: [mount('Data_Dir', '/data')] }),
      ]),
      service('task', { volumeConfigurations: [{ name: 'Data_Dir', managedEBSVolume }] }),
    );
    const pod = await untilRunning(ns, 'task');
    await inside(ns, pod, 'app', 'echo mine > /data/x');
    expect(readFileSync(join(path, 'x'), 'utf8')).toBe('mine\n');
    const claim = `persistentvolumeclaim/${pod.metadata.name}-data-dir`;
    expect(await ns.kubectl(['get', claim, '-o', 'jsonpath={.spec.resources.requests.storage}'])).toBe('5Gi');
    await ns.patch('services', 'task', { spec: { desiredCount: 0 } });
    await ns.kubectl(['wait', '--for=delete', '--timeout=120s', claim]);
  });

  it('has file systems where the Cluster says they are, from the directory asked for', async (context) => {
    const ns = await suite().namespace(context);
    const { path, storageClassName } = await provide(context, ns, 'efs');
    await ns.createRaw('persistentvolumeclaims', {
      metadata: { name: 'files' },
      spec: { storageClassName, accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } },
    });
    await ns.create(cluster('prod', { mappings: { fileSystems: [{ id: 'fs-1234', claimName: 'files' }] } }));
    const efs = (name: string, more: object = {}) => ({
      name,
      efsVolumeConfiguration: { fileSystemId: 'fs-1234', ...more },
    });
    await ns.create(
      taskDefinition('task', { volumes: [efs('all'), efs('part', { rootDirectory: '/a/part' })] }, [
        busybox('app', { mountPoints: [mount('all', '/all'), mount('part', '/part')] }),
        busybox('reader', { mountPoints: [mount('part', '/part', true)] }),
      ]),
      service('task'),
    );
    const pod = await untilRunning(ns, 'task');
    await inside(ns, pod, 'app', 'echo one > /part/x; cp /all/a/part/x /all/copy');
    expect(readFileSync(join(path, 'copy'), 'utf8')).toBe('one\n');
    expect(await inside(ns, pod, 'reader', 'cat /part/x; touch /part/y 2>&1 || true')).toBe(
      'one\ntouch: /part/y: Read-only file system\n',
    );
  });
});
