import { describe, expect, it } from 'vitest';
import { fixture, imported, readFixture, refused } from './imports.ts';
import { json, longshore } from './run.ts';

const given = [
  ['Stage', 'prod'],
  ['AWS::AccountId', '111122223333'],
  ['AWS::Region', 'eu-west-1'],
  ['TaskRole.Arn', 'arn:aws:iam::111122223333:role/web'],
].flatMap(([name, value]) => ['--parameter', `${name}=${value}`]);

/** Names as CloudFormation writes them; the keys of maps stay. */
const MAPS = ['parameters', 'tags', 'options'];
function capitalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(capitalized);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
      MAPS.includes(name) ? inner : capitalized(inner),
    ]),
  );
}

it('CloudFormation has a job of several containers, in a template and as properties alone', async () => {
  const { jobDefinitionName, type, ...own } = readFixture('ecs-job-definition.json');
  const Properties = capitalized({ jobDefinitionName, type, ...own });
  const template = { Resources: { Job: { Type: 'AWS::Batch::JobDefinition', Properties } } };
  for (const form of [template, Properties]) {
    const { manifests } = await imported(['-'], json(form));
    expect(manifests.map(({ spec }) => spec)).toEqual([{ ...own, jobName: jobDefinitionName }]);
  }
});

describe('a CloudFormation template', () => {
  it("gives the inputs of AWS's API, with keys of maps as they are", async () => {
    const { manifests, err } = await imported([fixture('cloudformation.yaml'), ...given]);
    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'TaskDefinition web-29751047',
      'Service webservice-ee755a52',
      'BatchJob nightly',
    ]);
    const [definition, service, job] = manifests;
    expect(definition?.spec).toEqual({
      family: 'Web',
      cpu: '256',
      memory: '512',
      networkMode: 'awsvpc',
      taskRoleArn: 'arn:aws:iam::111122223333:role/web',
      executionRoleArn: 'arn:aws:iam::111122223333:role/execution',
      containerDefinitions: [
        {
          name: 'web',
          image: 'registry.example.com/web:1.4',
          essential: true,
          portMappings: [{ containerPort: 8080, protocol: 'tcp' }],
          environment: [
            { name: 'STAGE', value: 'prod' },
            { name: 'WORKERS', value: '4' },
            { name: 'DEBUG', value: 'false' },
          ],
          dockerLabels: { 'Com.Example.Team': 'A', upper_CASE: 'kept' },
          logConfiguration: {
            logDriver: 'awslogs',
            options: { 'awslogs-group': '/ecs/web', 'awslogs-region': 'eu-west-1', Mode: 'non-blocking' },
          },
          mountPoints: [{ sourceVolume: 'files', containerPath: '/files', readOnly: false }],
          readonlyRootFilesystem: true,
          healthCheck: { command: ['CMD-SHELL', 'wget -q localhost:8080 || exit 1'], interval: 10 },
        },
        { name: 'envoy', image: 'envoy:1' },
      ],
      volumes: [
        {
          name: 'files',
          efsVolumeConfiguration: {
            fileSystemId: 'fs-1234567890',
            rootDirectory: '/',
            transitEncryption: 'ENABLED',
            authorizationConfig: { accessPointId: 'fsap-1234567890', iam: 'ENABLED' },
          },
        },
      ],
      proxyConfiguration: {
        type: 'APPMESH',
        containerName: 'envoy',
        properties: [
          { name: 'IgnoredUID', value: '1337' },
          { name: 'ProxyIngressPort', value: '15000' },
          { name: 'ProxyEgressPort', value: '15001' },
          { name: 'AppPorts', value: '9080' },
        ],
      },
      tags: [{ key: 'team', value: 'a' }],
    });
    expect(service?.spec).toEqual({
      serviceName: 'WebService',
      cluster: 'Cluster',
      taskDefinition: 'Web',
      desiredCount: 1,
      deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 50 },
    });
    expect(job?.spec).toMatchObject({
      jobName: 'nightly',
      parameters: { Input: 'all', outputDir: '/out' },
      containerProperties: {
        resourceRequirements: [
          { type: 'VCPU', value: '1' },
          { type: 'MEMORY', value: '512' },
        ],
      },
    });
    expect(err).toContain('Converted     Resources.Web.Properties.Cpu: 256 → "256": AWS\'s API has a text here');
    expect(err).toContain('Converted     Resources.WebService.Properties.DesiredCount: (absent) → 1: ');
    expect(err).toContain('Dropped       Resources.WebService.Properties.ForceNewDeployment: ');
  });

  it('needs a literal for what CloudFormation alone knows, and says how to give it', async () => {
    const { code, out, err } = await longshore(['import', fixture('cloudformation.yaml')]);
    expect([code, out]).toEqual([1, '']);
    const lines = err
      .trim()
      .split('\n')
      .map((line) => line.replace(/^longshore: .*cloudformation.yaml: Resources.Web.Properties./, ''));
    expect(lines.map((line) => line.split(': ')[0])).toEqual([
      'TaskRoleArn',
      'ExecutionRoleArn',
      'ContainerDefinitions[0].Environment[0].Value',
      'ContainerDefinitions[0].LogConfiguration.Options.awslogs-region',
    ]);
    expect(lines[0]).toBe(
      `TaskRoleArn: {"Fn::GetAtt":"TaskRole.Arn"} is known to CloudFormation alone; a literal is needed: put the value itself here, or give it with --parameter 'TaskRole.Arn=VALUE'`,
    );
  });

  it.each([
    [
      'a function without a literal',
      { 'Fn::ImportValue': 'x' },
      'Image: {"Fn::ImportValue":"x"} is known to CloudFormation alone; a literal is needed: put the value itself here',
    ],
    [
      'a dynamic reference',
      '{{resolve:ssm:/image}}',
      'Image: "{{resolve:ssm:/image}}" is known to CloudFormation alone',
    ],
    ['a condition', { 'Fn::If': ['A', 'b', 'c'] }, 'Image: {"Fn::If":["A","b","c"]} is known'],
    [
      'a misspelt field, in its own spelling',
      { Image: 'x', Esential: true },
      "Esential: AWS's ContainerDefinition has no such field; did you mean essential?",
    ],
    ['a broken rule, where it stands', { Image: 'x', Memory: 1 }, 'Memory: Too small'],
  ])('is refused for %s', async (_, image, message) => {
    const container = typeof image === 'object' && 'Image' in image ? image : { Image: image };
    const properties = { ContainerDefinitions: [{ Name: 'a', Memory: 64, ...container }] };
    const template = { Resources: { App: { Type: 'AWS::ECS::TaskDefinition', Properties: properties } } };
    const [line] = await refused(['-'], json(template));
    expect(line).toContain(`Resources.App.Properties.ContainerDefinitions[0].${message}`);
  });

  it('without anything that can be imported is refused', async () => {
    expect(await refused(['-'], json({ Resources: { A: { Type: 'AWS::S3::Bucket' } } }))).toEqual([
      'Resources: none of them can be imported; those that can: AWS::ECS::TaskDefinition, AWS::ECS::Service, AWS::Batch::JobDefinition, AWS::Batch::JobQueue, AWS::Batch::ComputeEnvironment, AWS::Batch::SchedulingPolicy',
    ]);
  });

  it('finds services by the names of what it has in Cloud Map', async () => {
    const att = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });
    const resources = (Name: unknown) => ({
      Found: { Type: 'AWS::ServiceDiscovery::Service', Properties: { Name } },
      Internal: { Type: 'AWS::ServiceDiscovery::HttpNamespace', Properties: { Name: 'internal' } },
      Web: {
        Type: 'AWS::ECS::Service',
        Properties: {
          ServiceName: 'web',
          TaskDefinition: 'web:3',
          DesiredCount: 2,
          ServiceRegistries: [{ RegistryArn: att('Found'), ContainerName: 'web', ContainerPort: 80 }],
          ServiceConnectConfiguration: {
            Enabled: true,
            Namespace: att('Internal'),
            Services: [{ PortName: 'http', ClientAliases: [{ Port: 80, DnsName: 'api' }] }],
          },
        },
      },
    });
    const { manifests, err } = await imported(['-'], json({ Resources: resources('api') }));
    expect(manifests[0]?.spec).toEqual({
      serviceName: 'web',
      taskDefinition: 'web:3',
      desiredCount: 2,
      serviceRegistries: [{ registryArn: 'api', containerName: 'web', containerPort: 80 }],
      serviceConnectConfiguration: {
        enabled: true,
        namespace: 'internal',
        services: [{ portName: 'http', clientAliases: [{ port: 80, dnsName: 'api' }] }],
      },
    });
    expect(err).toContain('ServiceRegistries[0].RegistryArn: {"Fn::GetAtt":["Found","Arn"]} → "api"');

    const arn = 'arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-a';
    const given = await imported(['-', `--parameter=Found.Arn=${arn}`], json({ Resources: resources('api') }));
    expect(given.manifests[0]?.spec).toMatchObject({ serviceRegistries: [{ registryArn: arn }] });
    expect(await refused(['-'], json({ Resources: resources({ Ref: 'Unknown' }) }))).toEqual([
      expect.stringContaining('RegistryArn: {"Fn::GetAtt":["Found","Arn"]} is known to CloudFormation alone'),
    ]);
  });

  it('may be one resource, or only its properties', async () => {
    const properties = { Family: 'web', ContainerDefinitions: [{ Name: 'web', Image: 'nginx', Memory: 64 }] };
    const spec = { family: 'web', containerDefinitions: [{ name: 'web', image: 'nginx', memory: 64 }] };
    for (const value of [properties, { Type: 'AWS::ECS::TaskDefinition', Properties: properties }]) {
      expect((await imported(['-'], json(value))).manifests).toMatchObject([{ kind: 'TaskDefinition', spec }]);
    }
    const service = { ServiceName: 'web', TaskDefinition: 'web:3', DesiredCount: '2' };
    expect((await imported(['-'], json(service))).manifests[0]?.spec).toEqual({
      serviceName: 'web',
      taskDefinition: 'web:3',
      desiredCount: 2,
    });
  });
});
