/** What the containers of a job are given, on real containers: the support tables name these tests as their proof. */
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { CGROUP, shell } from '../support/containers.ts';
import { taskDefinition } from '../support/manifests.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a job on a real kubelet' : `a job on a real kubelet (skipped: ${why})`;

const requirements = (vcpus: string, memory: string) => [
  { type: 'VCPU', value: vcpus },
  { type: 'MEMORY', value: memory },
];

const variable = (name: string, value: string) => ({ name, value });

const untilEnded = (ns: TestNamespace, name: string) =>
  ns.until(`job ${name} to end`, () => {
    const status = ns.history.get('batchjobs', name)?.status;
    return status?.status === 'SUCCEEDED' || status?.status === 'FAILED' ? status : undefined;
  });

/** What a container of the job's only task has printed, line by line. */
const printed = async (ns: TestNamespace, name: string, container: string): Promise<string[]> => {
  const logs = ['logs', `--selector=longshore.dev/batch-job=${name}`, `--container=${container}`, '--tail=-1'];
  return (await ns.kubectl(logs)).trim().split('\n');
};

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  it('gives its container all that its definition says, as a task definition does', async (context) => {
    const ns = await suite().namespace(context);
    await ns.createRaw('secrets', { metadata: { name: 'prod-token' }, stringData: { value: 'from the Secret' } });
    const script = [
      'echo "$TOKEN"',
      "df -k /dev/shm | awk 'END {print $2}'",
      "df -k /scratch | awk 'END {print $2}'",
      CGROUP.memoryLimit,
      'echo kept > /data/x && cat /data/x',
      'touch /x 2> /dev/null || echo the root is read-only',
    ].join('\n');
    await ns.create({
      kind: 'BatchJob',
      name: 'whole',
      spec: {
        platformCapabilities: ['EC2'],
        containerProperties: {
          image: 'busybox:1.37',
          command: ['sh', '-c', script],
          vcpus: 1,
          memory: 64,
          readonlyRootFilesystem: true,
          secrets: [{ name: 'TOKEN', valueFrom: '/prod/token' }],
          linuxParameters: { sharedMemorySize: 8, tmpfs: [{ containerPath: '/scratch', size: 4 }] },
          volumes: [{ name: 'data' }],
          mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
          logConfiguration: { logDriver: 'awslogs' },
          ulimits: [{ name: 'nofile', softLimit: 1024, hardLimit: 4096 }],
          enableExecuteCommand: true,
        },
        // In their older form they change what the definition has in its older form.
        containerOverrides: { vcpus: 1, memory: 48 },
      },
    });
    expect((await untilEnded(ns, 'whole')).status).toBe('SUCCEEDED');
    expect(await printed(ns, 'whole', 'default')).toEqual([
      'from the Secret',
      '8192',
      '4096',
      String(48 * 1024 * 1024),
      'kept',
      'the root is read-only',
    ]);
    const fieldSupport = ns.history.get('batchjobs', 'whole')?.status?.fieldSupport ?? [];
    expect(fieldSupport.map(({ field, support }) => `${field} ${support}`)).toEqual(
      expect.arrayContaining([
        'spec.containerProperties.ulimits Ignored',
        'spec.containerProperties.logConfiguration Ignored',
        'spec.containerProperties.enableExecuteCommand Ignored',
      ]),
    );
  });

  it('on Fargate has the size of its pair as the limit of the task', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create({
      kind: 'BatchJob',
      name: 'sized',
      spec: {
        platformCapabilities: ['FARGATE'],
        containerProperties: {
          image: 'busybox:1.37',
          command: ['sh', '-c', 'env | grep ^AWS_BATCH | sort; exit 3'],
          resourceRequirements: requirements('0.25', '512'),
          environment: [variable('A', 'a')],
          networkConfiguration: { assignPublicIp: 'ENABLED' },
          fargatePlatformConfiguration: { platformVersion: '1.4.0' },
        },
        jobQueue: 'arn:aws:batch:eu-west-1:111122223333:job-queue/high',
      },
    });
    const status = await untilEnded(ns, 'sized');
    expect(status).toMatchObject({ status: 'FAILED', attempts: [{ attempt: 1, exitCode: 3 }] });
    const job = ns.history.get('batchjobs', 'sized');
    expect(await printed(ns, 'sized', 'default')).toEqual([
      `AWS_BATCH_CE_NAME=${ns.name}`,
      'AWS_BATCH_JOB_ATTEMPT=1',
      `AWS_BATCH_JOB_ID=${job?.metadata.uid}`,
      'AWS_BATCH_JQ_NAME=high',
    ]);
    const resources: unknown = JSON.parse(
      await ns.kubectl(['get', 'pods', '--output=jsonpath={.items[0].spec.resources}']),
    );
    const size = { cpu: '250m', memory: '512Mi' };
    expect(resources).toEqual({ limits: size, requests: size });
  });

  it('of several containers waits as dependsOn says, and ends as its essential container does', async (context) => {
    const ns = await suite().namespace(context);
    const part = (name: string, script: string, fields: object) => ({
      name,
      image: 'busybox:1.37',
      command: ['sh', '-c', script],
      resourceRequirements: requirements('0.25', '16'),
      mountPoints: [{ sourceVolume: 'shared', containerPath: '/shared' }],
      ...fields,
    });
    await ns.create({
      kind: 'BatchJob',
      name: 'several',
      spec: {
        parameters: { word: 'hello' },
        ecsProperties: {
          taskProperties: [
            {
              volumes: [{ name: 'shared' }],
              containers: [
                part('prepare', 'echo Ref::word > /shared/word', { essential: false, stopTimeout: 2 }),
                part('helper', 'exec sleep 3600', { essential: false, stopTimeout: 2 }),
                part('main', 'cat /shared/word; echo $AWS_BATCH_JOB_ATTEMPT; exit 7', {
                  essential: true,
                  stopTimeout: 2,
                  dependsOn: [
                    { containerName: 'prepare', condition: 'SUCCESS' },
                    { containerName: 'helper', condition: 'START' },
                  ],
                }),
              ],
            },
          ],
        },
        ecsPropertiesOverride: {
          taskProperties: [
            {
              containers: [
                {
                  name: 'prepare',
                  command: ['sh', '-c', 'echo Ref::word $NAME $AWS_BATCH_CE_NAME > /shared/word'],
                  environment: [variable('NAME', 'override')],
                },
              ],
            },
          ],
        },
      },
    });
    expect(await untilEnded(ns, 'several')).toMatchObject({
      status: 'FAILED',
      statusReason: 'Essential container in task exited',
      attempts: [{ attempt: 1, exitCode: 7 }],
    });
    // The variables of Batch are in every container.
    expect(await printed(ns, 'several', 'main')).toEqual([`hello override ${ns.name}`, '1']);
  });

  it('of a task definition runs with overrides of its containers, and gives its task its tags', async (context) => {
    const ns = await suite().namespace(context);
    const container = (name: string, fields: object = {}) =>
      shell(name, 'echo "$NAME"', { environment: [variable('NAME', 'definition')], ...fields });
    await ns.create(
      taskDefinition('pair', { tags: [{ key: 'team', value: 'web' }] }, [
        container('main', { dependsOn: [{ containerName: 'first', condition: 'SUCCESS' }] }),
        container('first', { essential: false }),
      ]),
      {
        kind: 'BatchJob',
        name: 'overridden',
        spec: {
          taskDefinition: 'pair',
          containerOverrides: { environment: [variable('NAME', 'of the first essential one')] },
          ecsPropertiesOverride: {
            taskProperties: [{ containers: [{ name: 'first', environment: [variable('NAME', 'by name')] }] }],
          },
          propagateTags: true,
          tags: { team: 'data', run: '7' },
        },
      },
    );
    expect((await untilEnded(ns, 'overridden')).status).toBe('SUCCEEDED');
    expect(await printed(ns, 'overridden', 'main')).toEqual(['of the first essential one']);
    expect(await printed(ns, 'overridden', 'first')).toEqual(['by name']);
    const [pod] = ns.history.all('pods');
    expect(JSON.parse(pod?.metadata.annotations?.['longshore.dev/tags'] ?? '')).toEqual({ team: 'data', run: '7' });
  });

  it('says which container an override names in vain', async (context) => {
    const ns = await suite().namespace(context);
    const ecsPropertiesOverride = { taskProperties: [{ containers: [{ name: 'none' }] }] };
    await ns.create(taskDefinition('alone', {}, [shell('main', 'exit 0')]), {
      kind: 'BatchJob',
      name: 'misnamed',
      spec: { taskDefinition: 'alone', ecsPropertiesOverride },
    });
    const stalled = await ns.until('the job to stall', () =>
      ns.history
        .get('batchjobs', 'misnamed')
        ?.status?.conditions?.find(({ type, reason }) => type === 'Stalled' && reason === 'InvalidOverrides'),
    );
    expect(stalled.message).toContain('the task definition has no container named none; it has: main');
    expect(ns.history.all('pods')).toEqual([]);
  });
});
