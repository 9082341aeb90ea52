import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/api/cluster.ts';
import { parseService } from '../../../src/api/service.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { compileTemplate } from '../../../src/pod/compile.ts';
import { taskProblems } from '../../../src/pod/problems.ts';
import { app, compileIn } from '../../support/compiled.ts';

const inCluster = (volumes: object[], mappings: object = {}) =>
  compileIn({ mappings }, { volumes, containerDefinitions: [app()] });
const sources = (volumes: object[], mappings: object = {}) => inCluster(volumes, mappings).spec.volumes;
const docker = (configuration: object) => [{ name: 'Data_Volume', dockerVolumeConfiguration: configuration }];
const mounted = (containers: object[], volumes: object[], mappings: object = {}) =>
  compileIn({ mappings }, { volumes, containerDefinitions: containers }).spec.containers.map(
    ({ volumeMounts }) => volumeMounts,
  );

describe('a volume', () => {
  it.each<[string, object, object]>([
    ['without anything is an empty directory', {}, { emptyDir: {} }],
    ['with an empty host as well', { host: {} }, { emptyDir: {} }],
    ['with a path is that path, made if need be', { host: { sourcePath: '/srv' } }, { hostPath: { path: '/srv' } }],
  ])('%s', (_, volume, source) => {
    expect(sources([{ name: 'v', ...volume }])).toEqual([{ name: 'v', ...source }]);
  });
});

describe('a volume that is configured at launch', () => {
  const mountPoints = [{ sourceVolume: 'Data_Dir', containerPath: '/data' }];
  const definition = {
    volumes: [{ name: 'Data_Dir', configuredAtLaunch: true }],
    containerDefinitions: [app({ mountPoints })],
  };
  const ebs = (managedEBSVolume: object, name = 'Data_Dir') => [
    { name, managedEBSVolume: { roleArn: 'r', ...managedEBSVolume } },
  ];
  const launched = (volumeConfigurations: object[], mappings: object = {}) =>
    compileTemplate({
      definition: parseTaskDefinition(definition),
      family: 'app',
      cluster: parseCluster({ mappings }),
      volumeConfigurations: parseService({ taskDefinition: 'app', desiredCount: 1, volumeConfigurations })
        .volumeConfigurations,
    });
  const claimOf = (...given: Parameters<typeof launched>) => {
    const template = launched(...given);
    expect(template.problems).toEqual([]);
    return template.spec.volumes?.[0];
  };

  it('is a claim of the task, of the size asked for', () => {
    expect(claimOf(ebs({ sizeInGiB: 20 }))).toEqual({
      name: 'data-dir',
      ephemeral: {
        volumeClaimTemplate: {
          metadata: {
            labels: { 'app.kubernetes.io/managed-by': 'longshore' },
            annotations: { 'longshore.dev/volume': 'Data_Dir' },
          },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '20Gi' } } },
        },
      },
    });
  });

  it('is of the StorageClass that stands for its type, gp2 where it names none', () => {
    const storageClasses = [
      { volumeType: 'gp2', storageClassName: 'slow' },
      { volumeType: 'io2', storageClassName: 'fast', accessMode: 'ReadWriteOncePod', sizeInGiB: 7 },
    ];
    const specOf = (fields: object) =>
      claimOf(ebs({ sizeInGiB: 20, ...fields }), { storageClasses })?.ephemeral?.volumeClaimTemplate?.spec;
    expect(specOf({})).toMatchObject({ storageClassName: 'slow' });
    expect(specOf({ volumeType: 'io2', iops: 100 })).toEqual({
      storageClassName: 'fast',
      accessModes: ['ReadWriteOncePod'],
      resources: { requests: { storage: '20Gi' } },
    });
    expect(specOf({ volumeType: 'gp3' })).not.toHaveProperty('storageClassName');
  });

  it('is made from the VolumeSnapshot of the name of its snapshot', () => {
    const claim = claimOf(ebs({ snapshotId: 'snap-1', sizeInGiB: 5 }));
    expect(claim?.ephemeral?.volumeClaimTemplate?.spec.dataSource).toEqual({
      apiGroup: 'snapshot.storage.k8s.io',
      kind: 'VolumeSnapshot',
      name: 'snap-1',
    });
  });

  it.each<[string, object[], RegExp]>([
    [
      'nothing says what it is',
      [],
      /^spec\.volumeConfigurations: volume "Data_Dir" of the task .* add \{name, managed/,
    ],
    [
      'another name is said',
      ebs({ sizeInGiB: 1 }, 'data'),
      /^spec\.volumeConfigurations\[0\]\.name: "data": Volume configuration provided but no matching configuredAtLaunch volume found in task definition\.$/,
    ],
    ['its size is not known', ebs({ snapshotId: 'snap-1' }), /no sizeInGiB .* beside snapshotId "snap-1"/],
  ])('is one problem where %s, and no empty directory starts in its place', (_, volumeConfigurations, message) => {
    expect(launched(volumeConfigurations).problems).toEqual([
      { reason: 'VolumeConfigurationMismatch', blocks: true, message: expect.stringMatching(message) },
    ]);
  });

  it('is no problem of the definition alone', () => {
    expect(taskProblems(parseTaskDefinition(definition), parseCluster({}))).toEqual([]);
  });
});

describe('a Docker volume', () => {
  it.each<[string, object, object]>([
    ['of the task is an empty directory', {}, { emptyDir: {} }],
    [
      'that is shared is a claim of its name',
      { scope: 'shared' },
      { persistentVolumeClaim: { claimName: 'data-volume' } },
    ],
    [
      'of type nfs is that export',
      { driverOpts: { type: 'nfs', o: 'addr=10.0.0.1,rw,nfsvers=4', device: ':/exports/a' } },
      { nfs: { server: '10.0.0.1', path: '/exports/a' } },
    ],
    [
      'of type nfs with the server in its device, read-only',
      { scope: 'shared', autoprovision: true, driverOpts: { type: 'nfs4', o: 'ro', device: 'nas:/a' } },
      { nfs: { server: 'nas', path: '/a', readOnly: true } },
    ],
    [
      'of type tmpfs is memory',
      { driverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'uid=1000,size=100m' } },
      { emptyDir: { medium: 'Memory', sizeLimit: '100Mi' } },
    ],
    ['of type tmpfs without a size', { driverOpts: { type: 'tmpfs' } }, { emptyDir: { medium: 'Memory' } }],
    [
      'that binds a path is that path',
      { driverOpts: { type: 'none', o: 'bind', device: '/srv' } },
      { hostPath: { path: '/srv' } },
    ],
  ])('%s', (_, configuration, source) => {
    expect(sources(docker(configuration))).toEqual([{ name: 'data-volume', ...source }]);
  });

  it('that is shared and provisioned by itself has a claim that is made', () => {
    const autoprovisioned = docker({ scope: 'shared', autoprovision: true });
    expect(inCluster(autoprovisioned).claims).toEqual([
      { name: 'data-volume', volume: 'Data_Volume', accessMode: 'ReadWriteOnce', sizeInGiB: 1 },
    ]);
    const storageClasses = [
      { volumeType: 'local', storageClassName: 'shared', accessMode: 'ReadWriteMany', sizeInGiB: 20 },
    ];
    expect(inCluster(autoprovisioned, { storageClasses }).claims).toMatchObject([
      { storageClassName: 'shared', accessMode: 'ReadWriteMany', sizeInGiB: 20 },
    ]);
    expect(inCluster(docker({ scope: 'shared' })).claims).toEqual([]);
  });

  it('of another driver is a claim of the StorageClass that stands for it, and a problem without', () => {
    const rexray = docker({ driver: 'rexray/ebs' });
    const storageClasses = [{ volumeType: 'rexray/ebs', storageClassName: 'ebs', sizeInGiB: 5 }];
    expect(sources(rexray, { storageClasses })?.[0]?.ephemeral?.volumeClaimTemplate?.spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'ebs',
      resources: { requests: { storage: '5Gi' } },
    });
    for (const configuration of [{ driver: 'rexray/ebs' }, { driver: 'x', scope: 'shared', autoprovision: true }]) {
      expect(inCluster(docker(configuration)).problems).toMatchObject([
        {
          reason: 'MappingMissing',
          blocks: true,
          message: expect.stringMatching(/^spec\.volumes\[0\]: volume driver/),
        },
      ]);
    }
    // One that exists already needs no class.
    expect(inCluster(docker({ driver: 'x', scope: 'shared' })).problems).toEqual([]);
  });
});

describe('a file system', () => {
  const efs = (more: object = {}) => [{ name: 'v', efsVolumeConfiguration: { fileSystemId: 'fs-1', ...more } }];
  const mountPoints = [{ sourceVolume: 'v', containerPath: '/data' }];

  it('is the claim that the Cluster names, from its root directory', () => {
    const fileSystems = [{ id: 'fs-1', claimName: 'shared' }];
    const volumes = efs({ rootDirectory: '/a/b' });
    expect(sources(volumes, { fileSystems })).toEqual([{ name: 'v', persistentVolumeClaim: { claimName: 'shared' } }]);
    expect(mounted([app({ mountPoints })], volumes, { fileSystems })).toEqual([
      [{ name: 'v', mountPath: '/data', subPath: 'a/b' }],
    ]);
    expect(mounted([app({ mountPoints })], efs(), { fileSystems })).toEqual([[{ name: 'v', mountPath: '/data' }]]);
  });

  it('is the NFS export that the Cluster names', () => {
    const fileSystems = [{ id: 'fs-1', nfs: { server: 'nas', path: '/exports/' } }];
    expect(sources(efs({ rootDirectory: '/a' }), { fileSystems })).toEqual([
      { name: 'v', nfs: { server: 'nas', path: '/exports/a' } },
    ]);
  });

  it.each<[string, object]>([
    ['EFS', { efsVolumeConfiguration: { fileSystemId: 'fs-1' } }],
    [
      'S3 Files',
      { s3filesVolumeConfiguration: { fileSystemArn: 'arn:aws:s3files:eu-west-1:111122223333:file-system/fs-1' } },
    ],
    [
      'FSx',
      {
        fsxWindowsFileServerVolumeConfiguration: {
          fileSystemId: 'fs-1',
          rootDirectory: 'share\\a',
          authorizationConfig: { credentialsParameter: 'x', domain: 'example.com' },
        },
      },
    ],
  ])('of %s without a mapping is a problem that names it', (_, volume) => {
    const taskRoleArn = 'web';
    const template = compileIn(
      { mappings: { roles: [{ role: 'web', serviceAccountName: 'web' }] } },
      { taskRoleArn, volumes: [{ name: 'v', ...volume }], containerDefinitions: [app()] },
    );
    expect(template.problems).toMatchObject([
      {
        reason: 'MappingMissing',
        blocks: true,
        message: expect.stringMatching(/^spec\.volumes\[0\]: ".*fs-1" has no/),
      },
    ]);
  });
});

describe('mounts', () => {
  const volumes = [{ name: 'data_dir' }, { name: 'host', host: { sourcePath: '/srv' } }];
  const a = app({
    name: 'a',
    mountPoints: [
      { sourceVolume: 'data_dir', containerPath: '/data/' },
      { sourceVolume: 'host', containerPath: '/srv', readOnly: true },
    ],
  });
  const from = (sourceContainer: string, readOnly?: boolean) => ({ sourceContainer, readOnly });

  it('are taken over by volumesFrom, read-only where asked; what was read-only stays so', () => {
    const [own, taken] = mounted([a, app({ name: 'b', volumesFrom: [from('a')] })], volumes);
    expect(own).toEqual([
      { name: 'data-dir', mountPath: '/data' },
      { name: 'host', mountPath: '/srv', readOnly: true },
    ]);
    expect(taken).toEqual(own);
    const [, readOnly] = mounted([a, app({ name: 'b', volumesFrom: [from('a', true)] })], volumes);
    expect(readOnly?.map((mount) => mount.readOnly)).toEqual([true, true]);
  });

  it('are taken over by a third container too, and give way to its own', () => {
    const b = app({ name: 'b', volumesFrom: [from('a', true)] });
    const c = app({
      name: 'c',
      volumesFrom: [from('b')],
      mountPoints: [{ sourceVolume: 'data_dir', containerPath: '/srv' }],
    });
    expect(mounted([a, b, c], volumes)[2]).toEqual([
      { name: 'data-dir', mountPath: '/data', readOnly: true },
      { name: 'data-dir', mountPath: '/srv' },
    ]);
  });
});
