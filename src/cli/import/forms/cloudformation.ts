/** CloudFormation: templates, single resources, and the properties of one. */
import { type Fields, isFields, isText } from '../../fields.ts';
import { type Path, type Problem, pathText, RefusedError } from '../../problem.ts';
import { type Notation, renamed } from '../api-names.ts';
import { type Action, type AwsInput, type Change, modelOf, shapeNameOf } from '../aws-input.ts';
import type { Form, FormOptions } from './form.ts';
import { literal, type Resources } from './intrinsics.ts';

const ACTION_OF_TYPE: Readonly<Record<string, Action>> = {
  'AWS::ECS::TaskDefinition': 'RegisterTaskDefinition',
  'AWS::ECS::Service': 'CreateService',
  'AWS::Batch::JobDefinition': 'RegisterJobDefinition',
  'AWS::Batch::JobQueue': 'CreateJobQueue',
  'AWS::Batch::ComputeEnvironment': 'CreateComputeEnvironment',
  'AWS::Batch::SchedulingPolicy': 'CreateSchedulingPolicy',
};

/** The API's names but for the first letter, and for these (CloudFormation's resource schemas, compared in 2026). */
const NOTATION: Notation = {
  name: 'CloudFormation',
  names: {
    CreateServiceRequest: {
      PlacementStrategies: 'placementStrategy',
      ForceNewDeployment: null,
      Name: null,
      ServiceArn: null,
    },
    RegisterTaskDefinitionRequest: { TaskDefinitionArn: null },
    RegisterJobDefinitionRequest: { ResourceRetentionPolicy: null, JobDefinitionArn: null },
    CreateJobQueueRequest: { JobQueueArn: null },
    CreateComputeEnvironmentRequest: {
      ComputeEnvironmentArn: null,
      ReplaceComputeEnvironment: null,
      UpdatePolicy: null,
    },
    ComputeResource: { UpdateToLatestImageVersion: null },
    CreateSchedulingPolicyRequest: { Arn: null },
    ProxyConfiguration: { ProxyConfigurationProperties: 'properties' },
  },
};

/** A template, or one resource of a template. */
export const cloudFormationTemplate: Form = (value, source, options) => {
  if (!isFields(value)) return undefined;
  if (isText(value.Type) && value.Type in ACTION_OF_TYPE && isFields(value.Properties)) {
    return resources({ Resource: value }, {}, source, options, () => []);
  }
  if (!isFields(value.Resources)) return undefined;
  const inputs = resources(value.Resources, value.Parameters, source, options, (id) => ['Resources', id]);
  if (inputs.length > 0) return inputs;
  const types = Object.keys(ACTION_OF_TYPE).join(', ');
  throw new RefusedError({
    source,
    path: 'Resources',
    message: `none of them can be imported; those that can: ${types}`,
  });
};

/** The properties of a resource, without the resource around them. */
export const cloudFormationProperties: Form = (value, source, options) => {
  if (!isFields(value)) return undefined;
  const type =
    'ContainerDefinitions' in value
      ? 'AWS::ECS::TaskDefinition'
      : 'TaskDefinition' in value && ('ServiceName' in value || 'DesiredCount' in value || 'Cluster' in value)
        ? 'AWS::ECS::Service'
        : 'JobDefinitionName' in value || 'ContainerProperties' in value || 'EcsProperties' in value
          ? 'AWS::Batch::JobDefinition'
          : 'ComputeEnvironmentOrder' in value
            ? 'AWS::Batch::JobQueue'
            : 'ComputeResources' in value || 'ComputeEnvironmentName' in value
              ? 'AWS::Batch::ComputeEnvironment'
              : 'FairsharePolicy' in value
                ? 'AWS::Batch::SchedulingPolicy'
                : undefined;
  if (type === undefined) return undefined;
  return [
    resource({ id: undefined, type, properties: value, at: [] }, { resources: {}, parameters: {} }, source, options),
  ];
};

function resources(
  all: Fields,
  parameters: unknown,
  source: string,
  options: FormOptions,
  place: (id: string) => Path,
): AwsInput[] {
  const known: Resources = { resources: all, parameters: isFields(parameters) ? parameters : {} };
  const problems: Problem[] = [];
  const inputs = Object.entries(all).flatMap(([id, one]) => {
    if (!isFields(one) || !isText(one.Type) || !(one.Type in ACTION_OF_TYPE)) return [];
    const properties = isFields(one.Properties) ? one.Properties : {};
    try {
      return [resource({ id, type: one.Type, properties, at: [...place(id), 'Properties'] }, known, source, options)];
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      problems.push(...error.problems);
      return [];
    }
  });
  if (problems.length > 0) throw new RefusedError(...problems);
  return inputs;
}

interface Resource {
  /** Logical id; absent for bare properties. */
  readonly id: string | undefined;
  readonly type: string;
  readonly properties: Fields;
  readonly at: Path;
}

function resource(
  { id, type, properties, at }: Resource,
  known: Resources,
  source: string,
  options: FormOptions,
): AwsInput {
  const action = ACTION_OF_TYPE[type] ?? 'RegisterTaskDefinition';
  const { value, changes, problems } = literal(properties, at, known, options.parameters);
  if (problems.length > 0) throw new RefusedError(...problems.map((problem) => ({ source, ...problem })));
  const api = renamed(modelOf(action), shapeNameOf(action), isFields(value) ? value : {}, at, NOTATION);
  const { input, added } = withDefaults(action, api.input, id);
  const filled = added.map(
    ([field, to, reason]): Change => ({
      path: pathText([...at, field.charAt(0).toUpperCase() + field.slice(1)]),
      change: 'Converted',
      to,
      reason,
    }),
  );
  return { action, input, source, locate: api.locate, changes: [...changes, ...api.changes, ...filled] };
}

const NAME_FIELD: Readonly<Partial<Record<Action, string>>> = {
  RegisterTaskDefinition: 'family',
  CreateService: 'serviceName',
  RegisterJobDefinition: 'jobDefinitionName',
  CreateJobQueue: 'jobQueueName',
  CreateComputeEnvironment: 'computeEnvironmentName',
  CreateSchedulingPolicy: 'name',
};

type Added = readonly [field: string, value: unknown, reason: string];

/** What CloudFormation fills in, and the API does not. */
function withDefaults(
  action: Action,
  input: Fields,
  id: string | undefined,
): { input: Fields; added: readonly Added[] } {
  const added: Added[] = [];
  const name = NAME_FIELD[action];
  if (name !== undefined && id !== undefined && input[name] === undefined) {
    added.push([name, id, 'CloudFormation makes a name up; the logical id takes its place']);
  }
  const counts =
    action === 'CreateService' && input.schedulingStrategy !== 'DAEMON' && input.desiredCount === undefined;
  if (counts) added.push(['desiredCount', 1, "CloudFormation's own default"]);
  return { input: { ...Object.fromEntries(added.map(([field, value]) => [field, value])), ...input }, added };
}
