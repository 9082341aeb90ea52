import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { json, longshore } from './run.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/import');
const fixture = (name: string) => join(fixtures, name);
const read = (name: string) => JSON.parse(readFileSync(fixture(name), 'utf8'));

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

async function imported(args: readonly string[], stdin?: string): Promise<{ manifests: Manifest[]; err: string }> {
  const { code, out, err } = await longshore(['import', ...args], stdin);
  expect(code, err).toBe(0);
  return { manifests: parseAllDocuments(out).map((document) => document.toJS() as Manifest), err };
}

async function refused(args: readonly string[], stdin?: string): Promise<string[]> {
  const { code, out, err } = await longshore(['import', ...args], stdin);
  expect([code, out]).toEqual([1, '']);
  return err
    .trim()
    .split('\n')
    .map((line) => line.replace('longshore: standard input: ', ''));
}

const given = [
  ['Stage', 'prod'],
  ['AWS::AccountId', '111122223333'],
  ['AWS::Region', 'eu-west-1'],
  ['TaskRole.Arn', 'arn:aws:iam::111122223333:role/web'],
].flatMap(([name, value]) => ['--parameter', `${name}=${value}`]);

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
    expect(err).toContain('Converted     Resources.WebService.Properties.DesiredCount: null → 1: ');
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
      'Resources: none of them can be imported; those that can: AWS::ECS::TaskDefinition, AWS::ECS::Service, AWS::Batch::JobDefinition',
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
    const [module] = read('terraform-show.json').values.root_module.child_modules;
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
      taskDefinition: 'arn:aws:ecs:eu-west-1:111122223333:task-definition/My_App:7',
      deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 },
      schedulingStrategy: 'REPLICA',
      tags: [{ key: 'team', value: 'a' }],
    });
    for (const field of ['serviceArn', 'status', 'runningCount', 'deployments', 'events', 'createdAt', 'roleArn'])
      expect(err).toContain(`Dropped       services[0].${field}: `);
    expect(err).toContain('Converted     services[0].clusterArn: ');
  });

  it('that has what Longshore does not take yet is refused, or loses it on request', async () => {
    const wanted = { ...create, availabilityZoneRebalancing: 'ENABLED' };
    expect(await refused(['-'], json(wanted))).toEqual([
      'availabilityZoneRebalancing: is a field of AWS that Longshore does not take yet; leave it out, or import with --drop-unsupported',
    ]);
    const { manifests, err } = await imported(['-', '--drop-unsupported'], json(wanted));
    expect(manifests[0]?.spec).toEqual(create);
    expect(err).toContain('Dropped       availabilityZoneRebalancing: "ENABLED": Longshore does not take it yet');
  });
});

describe('a Batch job', () => {
  const definition = () => read('job-definition.json');
  const submit = () => read('submit-job.json');

  it('is a job definition and the SubmitJob that names it', async () => {
    const { manifests } = await imported([fixture('submit-job.json'), fixture('job-definition.json')]);
    const { jobDefinitionName, type, ...own } = definition();
    const { jobDefinition, ...asked } = submit();
    expect(manifests).toEqual([
      {
        apiVersion: 'longshore.dev/v1alpha1',
        kind: 'BatchJob',
        metadata: {
          name: 'report-2026-03-02-0b2299a7',
          annotations: {
            'longshore.dev/job-definition': 'Nightly_Report:3',
            'longshore.dev/submit-job-fields': 'retryStrategy',
          },
        },
        spec: { ...own, ...asked },
      },
    ]);
  });

  it('may be a job definition alone, which runs once under its name', async () => {
    const { manifests } = await imported([fixture('job-definition.json')]);
    expect(manifests).toMatchObject([{ kind: 'BatchJob', spec: { jobName: 'Nightly_Report' } }]);
  });

  it('takes of a field that both have what SubmitJob says, parameters by name', async () => {
    const both =
      json({ ...definition(), retryStrategy: { attempts: 5 } }) +
      json({ ...submit(), parameters: { Format: 'pdf' }, timeout: null });
    const { manifests, err } = await imported(['-'], both);
    expect(manifests[0]?.spec).toMatchObject({
      parameters: { input: 'all', Format: 'pdf' },
      retryStrategy: { attempts: 2 },
      timeout: { attemptDurationSeconds: 600 },
    });
    expect(err).toContain(
      'Converted     retryStrategy of the job definition: {"attempts":5} → {"attempts":2}: SubmitJob\'s takes its place',
    );
  });

  it('takes the revision that SubmitJob names, otherwise the newest active one', async () => {
    const revision = (number: number, status: string) => ({
      ...definition(),
      jobDefinitionArn: `arn:aws:batch:eu-west-1:111122223333:job-definition/Nightly_Report:${number}`,
      revision: number,
      status,
      parameters: { revision: String(number) },
    });
    const described = { jobDefinitions: [revision(3, 'ACTIVE'), revision(5, 'INACTIVE'), revision(4, 'ACTIVE')] };
    const parametersOf = async (jobDefinition: string) => {
      const { manifests } = await imported(['-'], json(described) + json({ ...submit(), jobDefinition }));
      return manifests.map(({ spec }) => spec.parameters);
    };
    expect(await parametersOf('Nightly_Report:3')).toEqual([{ revision: '3' }]);
    expect(await parametersOf('Nightly_Report')).toEqual([{ revision: '4' }]);
    expect(await parametersOf('arn:aws:batch:eu-west-1:111122223333:job-definition/Nightly_Report:5')).toEqual([
      { revision: '5' },
    ]);
  });

  it('without its definition is refused', async () => {
    expect(await refused(['-'], json(submit()))).toEqual([
      'jobDefinition: "Nightly_Report:3" is not among the files; a BatchJob has its job definition in itself: give that as well, as register-job-definition takes it or describe-job-definitions prints it',
    ]);
  });

  it('of several nodes is refused', async () => {
    expect(await refused(['-'], json({ ...definition(), type: 'multinode' }))).toEqual([
      'type: "multinode" is not taken yet; allowed: container',
    ]);
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
