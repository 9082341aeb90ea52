/** Checks an input against AWS's own model of the call, as the AWS command line does before it sends anything. */
import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from 'ajv';
import { withoutNulls } from '../../api/parse.ts';
import { type ServiceModel, type Shape, shapeOf, structuresFrom } from '../../aws-model/model.ts';
import { nearest } from '../near.ts';
import { type Path, type Problem, valueText } from '../problem.ts';
import { type Action, type AwsInput, modelOf, shapeNameOf } from './aws-input.ts';
import { typeName, typeNameOf } from './type-name.ts';

const validators = new Map<Action, ValidateFunction>();

/** Everything in which the input differs from AWS's model; null counts as absent, as AWS writes it for what was never set. */
export function awsProblems({ action, input, source, locate }: AwsInput): Problem[] {
  const validate = validatorOf(action);
  const given = withoutNulls(input);
  if (validate(given)) return [];
  return (validate.errors ?? []).map((error) => {
    const path = pathOf(error.instancePath, given);
    return { source, path: locate([...path, ...fieldOf(error)]), message: messageOf(error, modelOf(action)) };
  });
}

function validatorOf(action: Action): ValidateFunction {
  const known = validators.get(action);
  if (known !== undefined) return known;
  const validate = new Ajv({ allErrors: true, verbose: true }).compile(
    jsonSchema(modelOf(action), shapeNameOf(action)),
  );
  validators.set(action, validate);
  return validate;
}

/** JSON Schema of a shape of the model; what AWS's model leaves open is left open. */
export function jsonSchema(model: ServiceModel, root: string): SchemaObject {
  const structures = structuresFrom(model, root);
  return {
    $ref: `#/$defs/${root}`,
    $defs: Object.fromEntries(structures.map((name) => [name, { title: name, ...structureSchema(model, name) }])),
  };
}

function structureSchema(model: ServiceModel, name: string): SchemaObject {
  const { members = {}, required = [] } = shapeOf(model, name);
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(members).map(([field, { shape }]) => [field, valueSchema(model, shape)]),
    ),
    required,
    additionalProperties: false,
  };
}

function valueSchema(model: ServiceModel, name: string): SchemaObject {
  const shape = shapeOf(model, name);
  const { type, member, value, document, min, max } = shape;
  if (document === true) return {};
  if (type === 'structure') return { $ref: `#/$defs/${name}` };
  if (type === 'list' && member !== undefined) {
    return { type: 'array', items: valueSchema(model, member.shape), ...bounds('minItems', min, 'maxItems', max) };
  }
  if (type === 'map' && value !== undefined) {
    return { type: 'object', additionalProperties: valueSchema(model, value.shape) };
  }
  return scalarSchema(shape);
}

function scalarSchema({ type, enum: values, min, max }: Shape): SchemaObject {
  switch (type) {
    case 'string':
      return { type, ...(values !== undefined && { enum: values }), ...bounds('minLength', min, 'maxLength', max) };
    case 'integer':
    case 'long':
      return { type: 'integer', ...bounds('minimum', min, 'maximum', max) };
    case 'boolean':
      return { type };
    case 'float':
    case 'double':
      return { type: 'number', ...bounds('minimum', min, 'maximum', max) };
    default:
      return {};
  }
}

const bounds = (least: string, min: number | undefined, most: string, max: number | undefined): SchemaObject => ({
  ...(min !== undefined && { [least]: min }),
  ...(max !== undefined && { [most]: max }),
});

/** The JSON pointer as a path; what indexes a list is a number. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let at = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(at) ? Number(key) : key);
    at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  }
  return path;
}

/** Of what is missing or too much, the field itself. */
function fieldOf({ keyword, params }: ErrorObject): Path {
  if (keyword === 'required') return [String(params.missingProperty)];
  return keyword === 'additionalProperties' ? [String(params.additionalProperty)] : [];
}

function messageOf(error: ErrorObject, model: ServiceModel): string {
  const { keyword, params, data, message, parentSchema } = error;
  if (keyword === 'required') return 'is missing; AWS requires it';
  if (keyword === 'additionalProperties') {
    const shape = String(parentSchema?.title);
    const fields = Object.keys(shapeOf(model, shape).members ?? {});
    const near = nearest(String(params.additionalProperty), fields);
    const known = near === undefined ? `its fields: ${fields.join(', ')}` : `did you mean ${near}?`;
    return `AWS's ${shape} has no such field; ${known}`;
  }
  if (keyword === 'enum') return `${valueText(data)} is not allowed; allowed: ${params.allowedValues.join(', ')}`;
  if (keyword === 'type') return `${valueText(data)} is ${typeNameOf(data)}; allowed: ${typeName(String(params.type))}`;
  return `${valueText(data)} ${message}`;
}
