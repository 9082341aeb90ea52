import { describe, expect, it } from 'vitest';
import { parseService } from '../../../src/api/service.ts';
import { fixture, imported, refused } from './imports.ts';
import { json } from './run.ts';

describe('a service', () => {
  const create = { serviceName: 'Web_1', taskDefinition: 'web', desiredCount: 2, deploymentConfiguration: null };

  it('as create-service takes it becomes a Service with that spec', async () => {
    const { manifests, err } = await imported(['-'], json({ ...create, clientToken: 'x' }));
    expect(manifests).toMatchObject([{ kind: 'Service', metadata: { name: 'web-1-93f4c8d0' }, spec: create }]);
    expect(err).toContain('Dropped       clientToken: "x"');
  });

  it('as describe-services gives it becomes the input that makes it', async () => {
    const { manifests, err } = await imported([fixture('described-services.json')]);
    expect(manifests[0]?.spec).toEqual({
      serviceName: 'Web_1',
      cluster: 'arn:aws:ecs:eu-west-1:111122223333:cluster/prod',
      desiredCount: 3,
      launchType: 'EC2',
      loadBalancers: [],
      taskDefinition: 'arn:aws:ecs:eu-west-1:111122223333:task-definition/My_App:7',
      deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 },
      schedulingStrategy: 'REPLICA',
      serviceRegistries: [],
      tags: [{ key: 'team', value: 'a' }],
    });
    for (const field of ['serviceArn', 'status', 'runningCount', 'deployments', 'events', 'createdAt', 'roleArn'])
      expect(err).toContain(`Dropped       services[0].${field}: `);
    expect(err).toContain('Converted     services[0].clusterArn: ');
  });

  it('as describe-services gives it is a DAEMON without the number of its nodes', async () => {
    const described = {
      ...create,
      schedulingStrategy: 'DAEMON',
      deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 50 },
      placementStrategy: [],
      serviceArn: 'arn:aws:ecs:eu-west-1:111122223333:service/prod/Web_1',
    };
    const { manifests, err } = await imported(['-'], json({ services: [described] }));
    const { desiredCount, serviceArn, ...input } = described;
    expect(manifests.map(({ spec }) => spec)).toEqual([input]);
    expect(parseService(input).deploymentConfiguration).toMatchObject(described.deploymentConfiguration);
    expect(err).toContain(`Dropped       services[0].desiredCount: ${desiredCount}`);
    expect(err).toContain(`Dropped       services[0].serviceArn: "${serviceArn}"`);
  });

  it('as describe-services gives it has the volume of its newest deployment, but for those that its definition configures', async () => {
    const ebs = { name: 'data', managedEBSVolume: { roleArn: 'ecsInfrastructureRole', sizeInGiB: 20 } };
    const described = (serviceName: string, ...volumeConfigurations: object[]) => ({
      ...create,
      serviceName,
      serviceArn: 'arn:aws:ecs:eu-west-1:111122223333:service/prod/Web_1',
      deployments: [
        { status: 'ACTIVE', volumeConfigurations: [] },
        { status: 'PRIMARY', volumeConfigurations },
      ],
    });
    const { manifests } = await imported(
      ['-'],
      json({ services: [described('a', { name: 's3' }, ebs), described('b', { name: 's3' })] }),
    );
    expect(manifests.map(({ spec }) => spec.volumeConfigurations)).toEqual([[ebs], undefined]);
  });

  it('keeps the names under which it is found, of a description those of its newest deployment', async () => {
    const found = {
      serviceRegistries: [
        {
          registryArn: 'arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-a',
          containerName: 'web',
          containerPort: 80,
        },
      ],
      serviceConnectConfiguration: {
        enabled: true,
        namespace: 'internal',
        services: [{ portName: 'http', discoveryName: 'api', clientAliases: [{ port: 80, dnsName: 'api' }] }],
      },
    };
    const { manifests } = await imported(['-'], json({ ...create, ...found }));
    expect(manifests[0]?.spec).toEqual({ ...create, ...found });

    const { serviceRegistries, serviceConnectConfiguration } = found;
    const serviceConnectResources = [
      { discoveryName: 'api', discoveryArn: 'arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-b' },
    ];
    const described = {
      ...create,
      serviceArn: 'arn:aws:ecs:eu-west-1:111122223333:service/prod/Web_1',
      serviceRegistries,
      deployments: [
        { status: 'PRIMARY', serviceConnectConfiguration, serviceConnectResources },
        { status: 'ACTIVE', serviceConnectConfiguration: { enabled: false } },
      ],
    };
    const { manifests: ofDescription } = await imported(['-'], json({ services: [described] }));
    expect(ofDescription[0]?.spec).toEqual({ ...create, ...found });
  });

  it('that has what Longshore does not take yet is refused, or loses it on request', async () => {
    const wanted = {
      ...create,
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
    };
    expect(await refused(['-'], json(wanted))).toEqual([
      'capacityProviderStrategy: is a field of AWS that Longshore does not take yet; leave it out, or import with --drop-unsupported',
    ]);
    const { manifests, err } = await imported(['-', '--drop-unsupported'], json(wanted));
    expect(manifests[0]?.spec).toEqual(create);
    expect(err).toContain('Dropped       capacityProviderStrategy: ');
  });

  it('that has a deployment strategy which is not there yet is refused, or loses it on request', async () => {
    const strategy = { strategy: 'BLUE_GREEN', lifecycleHooks: [{ targetType: 'PAUSE' }] };
    const wanted = { ...create, deploymentConfiguration: { ...strategy, maximumPercent: 150 } };
    expect(await refused(['-'], json(wanted))).toEqual([
      "deploymentConfiguration.strategy: strategy 'BLUE_GREEN' is not there yet; allowed: ROLLING",
      'deploymentConfiguration.lifecycleHooks: lifecycleHooks are not there yet; allowed: an empty list',
    ]);
    const { manifests } = await imported(['-', '--drop-unsupported'], json(wanted));
    expect(manifests[0]?.spec).toEqual({ ...create, deploymentConfiguration: { maximumPercent: 150 } });
  });
});

it('a list of inputs is taken item by item', async () => {
  const definition = { family: 'a', containerDefinitions: [{ name: 'a', image: 'b', memory: 8 }] };
  const { manifests } = await imported(
    ['-'],
    json([definition, { serviceName: 'a', taskDefinition: 'a', desiredCount: 1 }]),
  );
  expect(manifests.map(({ kind }) => kind)).toEqual(['TaskDefinition', 'Service']);
  expect(await refused(['-'], json([definition, { ...definition, cpu: 1 }]))).toEqual([
    'longshore: standard input, [1]: cpu: 1 is a number; allowed: a text',
  ]);
});
