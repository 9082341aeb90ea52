/**
 * AWS's own models of its APIs, without the documentation: every field of the inputs that Longshore takes, with type, required,
 * bounds and enum values. `npm run aws-model` makes the JSON files anew; NOTICE has their origin and licence.
 */
import batch from './batch.json' with { type: 'json' };
import ecs from './ecs.json' with { type: 'json' };
import elbv2 from './elbv2.json' with { type: 'json' };
import scheduler from './scheduler.json' with { type: 'json' };

/** A reference to a shape, from a field, an item of a list, or a key or value of a map. */
export interface Member {
  readonly shape: string;
  readonly deprecated?: boolean;
  readonly deprecatedMessage?: string;
}

/** A type of the API, as botocore writes it. */
export interface Shape {
  /** structure, list, map, string, integer, long, float, double, boolean or timestamp. */
  readonly type: string;
  /** Fields of a structure, under AWS's names. */
  readonly members?: Readonly<Record<string, Member>>;
  readonly required?: readonly string[];
  /** Whether exactly one of the members is given. */
  readonly union?: boolean;
  /** Whether it takes any JSON. */
  readonly document?: boolean;
  /** Items of a list. */
  readonly member?: Member;
  /** Of a map. */
  readonly key?: Member;
  readonly value?: Member;
  readonly enum?: readonly string[];
  /** Least value of a number, length of a text, or items of a list or map. */
  readonly min?: number;
  readonly max?: number;
  /** Java regular expression that a text matches as a whole. */
  readonly pattern?: string;
}

/** Names of the shapes of what an operation takes and gives. */
export interface Operation {
  readonly input?: string;
  readonly output?: string;
}

export interface ServiceModel {
  /** Where it was taken from, with version and licence. */
  readonly source: string;
  readonly service: string;
  readonly apiVersion: string;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** RegisterTaskDefinition, CreateService, UpdateService and RunTask (input); DescribeTaskDefinition and DescribeServices (output). */
export const ECS: ServiceModel = ecs;

/** RegisterJobDefinition and SubmitJob (input); DescribeJobDefinitions (output). */
export const BATCH: ServiceModel = batch;

/** CreateTargetGroup (input), with its fields in camelCase. */
export const ELBV2: ServiceModel = elbv2;

/** CreateSchedule of EventBridge Scheduler (input), with its fields in camelCase. */
export const SCHEDULER: ServiceModel = scheduler;

/**
 * The shape of that name.
 * @throws Error where the model has none
 */
export function shapeOf(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`the model of ${model.service} has no shape ${name}`);
  return shape;
}

/**
 * Name of the shape of what an operation takes.
 * @throws Error where the model has no such input
 */
export function inputOf(model: ServiceModel, operation: string): string {
  const name = model.operations[operation]?.input;
  if (name === undefined) throw new Error(`the model of ${model.service} has no input of ${operation}`);
  return name;
}

/** Names of the structures that can be reached from a shape, itself included, in the order in which they are reached. */
export function structuresFrom(model: ServiceModel, root: string): string[] {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const { members = {}, member, value } = shapeOf(model, name);
    for (const next of [...Object.values(members), member, value]) if (next !== undefined) visit(next.shape);
  };
  visit(root);
  return [...seen].filter((name) => shapeOf(model, name).type === 'structure');
}
