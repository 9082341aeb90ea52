import { describe, expect, it } from 'vitest';
import { fixture, imported, readFixture, refused } from './imports.ts';
import { json } from './run.ts';

describe('Terraform', () => {
  it('shows task definitions in its state, with blocks and empty values as it writes them', async () => {
    const { manifests, err } = await imported([fixture('terraform-show.json')]);
    expect(manifests).toHaveLength(1);
    expect(manifests[0]?.spec).toEqual({
      family: 'web',
      cpu: '256',
      memory: '512',
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      enableFaultInjection: false,
      ephemeralStorage: { sizeInGiB: 30 },
      runtimePlatform: { cpuArchitecture: 'X86_64', operatingSystemFamily: 'LINUX' },
      taskRoleArn: 'arn:aws:iam::111122223333:role/web',
      tags: [{ key: 'team', value: 'a' }],
      volumes: [
        {
          name: 'files',
          configuredAtLaunch: false,
          efsVolumeConfiguration: {
            fileSystemId: 'fs-1',
            rootDirectory: '/',
            transitEncryption: 'ENABLED',
            authorizationConfig: { accessPointId: 'fsap-1', iam: 'ENABLED' },
          },
        },
      ],
      containerDefinitions: [
        {
          name: 'web',
          image: 'nginx:1',
          essential: true,
          environment: [],
          dockerLabels: { 'Com.Example': 'x' },
          mountPoints: [{ containerPath: '/files', sourceVolume: 'files' }],
        },
      ],
    });
    expect(err).toContain('.values.revision: 4: Terraform has it for itself');
  });

  it('keeps the same in a state file', async () => {
    const [module] = readFixture('terraform-show.json').values.root_module.child_modules;
    const { type, name, values } = module.resources[0];
    const state = {
      version: 4,
      terraform_version: '1.9.0',
      resources: [{ mode: 'managed', type, name, instances: [{ attributes: values }] }],
    };
    const [fromShow, fromState, fromAttributes] = await Promise.all([
      imported([fixture('terraform-show.json')]),
      imported(['-'], json(state)),
      imported(['-'], json(values)),
    ]);
    expect(fromState.manifests).toEqual(fromShow.manifests);
    expect(fromAttributes.manifests).toEqual(fromShow.manifests);
  });

  it.each([
    ['a list', (list: unknown) => json(list)],
    ['a list as a text', (list: unknown) => json(json(list))],
  ])('has container definitions as %s, whose family the command line gives', async (_, write) => {
    const list = [{ name: 'web', image: 'nginx', memory: 64, environment: [], dockerLabels: { A: 'b' } }];
    expect(await refused(['-'], write(list))).toEqual([
      'is a list of container definitions, which has no family: give one with --family NAME',
    ]);
    const { manifests } = await imported(['-', '--family', 'web'], write(list));
    expect(manifests[0]?.spec).toEqual({ family: 'web', containerDefinitions: list });
    const wrong = [{ ...list[0], Esential: true }];
    expect(await refused(['-', '--family', 'web'], write(wrong))).toEqual([
      "[0].Esential: AWS's ContainerDefinition has no such field; did you mean essential?",
    ]);
  });

  it('without a task definition is refused', async () => {
    expect(await refused(['-'], json({ terraform_version: '1.9.0', values: { root_module: {} } }))).toEqual([
      'has no resource of type aws_ecs_task_definition, the one that is imported from Terraform',
    ]);
  });
});
