/** CloudFormation's references and functions, as far as their value is in the template or on the command line. */
import { type Fields, isFields, isText } from '../../fields.ts';
import { type Path, type Problem, pathText, valueText } from '../../problem.ts';
import type { Change } from '../aws-input.ts';

export interface Resources {
  readonly resources: Fields;
  readonly parameters: Fields;
}

export interface Literal {
  readonly value: unknown;
  readonly changes: readonly Change[];
  readonly problems: readonly Omit<Problem, 'source'>[];
}

/** What a Ref to a resource gives: a property of it, or where it has none, a name that stands for it. */
const NAME_PROPERTY: Readonly<Record<string, string>> = {
  'AWS::ECS::TaskDefinition': 'Family',
  'AWS::ECS::Service': 'ServiceName',
  'AWS::ECS::Cluster': 'ClusterName',
  'AWS::Batch::JobDefinition': 'JobDefinitionName',
  'AWS::Batch::JobQueue': 'JobQueueName',
  'AWS::Batch::ComputeEnvironment': 'ComputeEnvironmentName',
  'AWS::Batch::SchedulingPolicy': 'Name',
  'AWS::Logs::LogGroup': 'LogGroupName',
};

/** Kinds that are Longshore's own: without a name they get their logical id. */
const NAMED_BY_ID =
  /^AWS::(ECS::(TaskDefinition|Service|Cluster)|Batch::(JobDefinition|JobQueue|ComputeEnvironment|SchedulingPolicy))$/;

/** The value with every function replaced by what it gives; a problem for each that only CloudFormation can know. */
export function literal(value: unknown, at: Path, known: Resources, given: ReadonlyMap<string, string>): Literal {
  const changes: Change[] = [];
  const problems: Omit<Problem, 'source'>[] = [];

  const visit = (found: unknown, path: Path): unknown => {
    if (Array.isArray(found)) {
      return found.flatMap((item: unknown, index) => (isNoValue(item) ? [] : [visit(item, [...path, index])]));
    }
    if (isText(found) && found.includes('{{resolve:')) return refuse(found, path, undefined);
    if (!isFields(found)) return found;
    const [[name, argument] = ['', undefined], ...more] = Object.entries(found);
    if (more.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) {
      const resolved =
        cloudMapName(path.at(-1), argument, known, given) ??
        batchName(path.at(-1), argument, known, given) ??
        evaluate(name, argument);
      if (typeof resolved !== 'string') return refuse(found, path, resolved.missing);
      const reason = 'what the template refers to';
      changes.push({ path: pathText(path), change: 'Converted', from: found, to: resolved, reason });
      return resolved;
    }
    return Object.fromEntries(
      Object.entries(found).flatMap(([key, inner]) => (isNoValue(inner) ? [] : [[key, visit(inner, [...path, key])]])),
    );
  };

  const refuse = (found: unknown, path: Path, missing: string | undefined): string => {
    const how =
      missing === undefined
        ? 'put the value itself here'
        : `put the value itself here, or give it with --parameter '${missing}=VALUE'`;
    const message = `${valueText(found)} is known to CloudFormation alone; a literal is needed: ${how}`;
    problems.push({ path: pathText(path), message });
    return '';
  };

  const evaluate = (name: string, argument: unknown): string | Missing => {
    if (name === 'Ref' && isText(argument)) return reference(argument, known, given);
    if (name === 'Fn::GetAtt')
      return reference(Array.isArray(argument) ? argument.join('.') : String(argument), known, given);
    if (name === 'Fn::Sub') return substitute(argument, (inner) => evaluate(...onlyEntry(inner)), known, given);
    if (name === 'Fn::Join' && Array.isArray(argument) && isText(argument[0]) && Array.isArray(argument[1])) {
      const parts = argument[1].map((part: unknown) => (isFields(part) ? evaluate(...onlyEntry(part)) : String(part)));
      return parts.find(isMissing) ?? parts.join(argument[0]);
    }
    return {};
  };

  return { value: visit(value, at), changes, problems };
}

/** Fields that name what Cloud Map has, by the types of resources that they refer to: there the name does as well as the ARN. */
const CLOUD_MAP: Readonly<Record<string, RegExp>> = {
  RegistryArn: /^AWS::ServiceDiscovery::Service$/,
  Namespace: /^AWS::ServiceDiscovery::(Http|PrivateDns|PublicDns)Namespace$/,
};

/** The name of what Cloud Map has, where the template says it; a value for the attribute that was given is better. */
function cloudMapName(
  field: string | number | undefined,
  argument: unknown,
  { resources }: Resources,
  given: ReadonlyMap<string, string>,
): string | undefined {
  const reference = Array.isArray(argument) ? argument.join('.') : String(argument);
  const resource = resources[reference.split('.')[0] ?? ''];
  if (!isFields(resource) || !isText(resource.Type) || !isFields(resource.Properties)) return undefined;
  const { Name } = resource.Properties;
  const isIt = CLOUD_MAP[String(field)]?.test(resource.Type) === true && !given.has(reference);
  return isIt && isText(Name) ? Name : undefined;
}

/** Fields that name what AWS Batch has, by the types of resources that they refer to: there, too, the name does. */
const BATCH: Readonly<Record<string, string>> = {
  ComputeEnvironment: 'AWS::Batch::ComputeEnvironment',
  SchedulingPolicyArn: 'AWS::Batch::SchedulingPolicy',
};

function batchName(
  field: string | number | undefined,
  argument: unknown,
  known: Resources,
  given: ReadonlyMap<string, string>,
): string | Missing | undefined {
  const attribute = Array.isArray(argument) ? argument.join('.') : String(argument);
  const [id = ''] = attribute.split('.');
  const resource = known.resources[id];
  const isIt = isFields(resource) && resource.Type === BATCH[String(field)] && !given.has(attribute);
  return isIt ? reference(id, known, given) : undefined;
}

/** A value that is not in the template; `missing`: the name under which it can be given. */
interface Missing {
  readonly missing?: string;
}

const isMissing = (value: string | Missing): value is Missing => typeof value !== 'string';

const isNoValue = (value: unknown): boolean => isFields(value) && value.Ref === 'AWS::NoValue';

const onlyEntry = (value: unknown): [string, unknown] =>
  (isFields(value) ? Object.entries(value)[0] : undefined) ?? ['', value];

/** A parameter, a pseudo parameter, a resource's name, or an attribute that was given. */
function reference(
  name: string,
  { resources, parameters }: Resources,
  given: ReadonlyMap<string, string>,
): string | Missing {
  const told = given.get(name);
  if (told !== undefined) return told;
  const parameter = parameters[name];
  if (isFields(parameter) && parameter.Default !== undefined && !isFields(parameter.Default))
    return String(parameter.Default);
  if (name === 'AWS::Partition') return 'aws';
  if (name === 'AWS::URLSuffix') return 'amazonaws.com';
  const resource = resources[name];
  if (!isFields(resource) || !isText(resource.Type)) return { missing: name };
  const property = NAME_PROPERTY[resource.Type];
  const own = property !== undefined && isFields(resource.Properties) ? resource.Properties[property] : undefined;
  if (isText(own)) return own;
  return own === undefined && NAMED_BY_ID.test(resource.Type) ? name : { missing: name };
}

/** `Fn::Sub: text` or `Fn::Sub: [text, {name: value}]`. */
function substitute(
  argument: unknown,
  evaluate: (value: unknown) => string | Missing,
  known: Resources,
  given: ReadonlyMap<string, string>,
): string | Missing {
  const [text, names] = Array.isArray(argument) ? argument : [argument, {}];
  if (!isText(text)) return {};
  const own = isFields(names) ? names : {};
  let missing: Missing | undefined;
  const value = text.replaceAll(/\$\{(!?)([^}]+)\}/g, (whole, escaped: string, name: string) => {
    if (escaped === '!') return `\${${name}}`;
    const inner = own[name.trim()];
    const found =
      inner === undefined ? reference(name.trim(), known, given) : isFields(inner) ? evaluate(inner) : String(inner);
    if (!isMissing(found)) return found;
    missing ??= found;
    return whole;
  });
  return missing ?? value;
}
