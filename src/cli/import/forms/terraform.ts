/** Terraform: the container definitions of a task definition, and what `terraform show -json` and a state file hold. */
import { type Fields, isFields, isText } from '../../fields.ts';
import { type Path, RefusedError } from '../../problem.ts';
import { type Notation, renamed } from '../api-names.ts';
import { type AwsInput, modelOf, shapeNameOf } from '../aws-input.ts';
import type { Form, FormOptions } from './form.ts';

/** What jsonencode makes for `container_definitions`: a list, as JSON or as a text that has it. */
export const containerDefinitions: Form = (value, source, { family }) => {
  const list = isText(value) ? parsed(value) : value;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isContainer)) return undefined;
  if (family === undefined) {
    const message = 'is a list of container definitions, which has no family: give one with --family NAME';
    throw new RefusedError({ source, message });
  }
  const definition = { family, containerDefinitions: list };
  const { input, changes, locate } = apiInput(definition, []);
  const place = (path: Path) => locate(path).replace(/^containerDefinitions/, '') || source;
  return [
    {
      action: 'RegisterTaskDefinition',
      input,
      source,
      locate: place,
      changes: changes.map((change) => ({ ...change, path: change.path.replace(/^containerDefinitions/, '') })),
    },
  ];
};

const isContainer = (value: unknown): boolean =>
  isFields(value) && !('containerDefinitions' in value) && ('image' in value || 'Image' in value);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What `terraform show -json` prints of a state or a plan, and a state file. */
export const terraformState: Form = (value, source, options) => {
  if (!isFields(value)) return undefined;
  const found = [
    ...planned(value.values, ['values']),
    ...(isFields(value.planned_values) ? planned(value.planned_values, ['planned_values']) : []),
    ...stored(value),
  ];
  if (found.length > 0) return found.map(({ attributes, at }) => taskDefinition(attributes, at, source, options));
  if (!('terraform_version' in value)) return undefined;
  throw new RefusedError({
    source,
    message: `has no resource of type ${TYPE}, the one that is imported from Terraform`,
  });
};

const TYPE = 'aws_ecs_task_definition';

interface Found {
  readonly attributes: Fields;
  readonly at: Path;
}

function planned(values: unknown, at: Path): Found[] {
  if (!isFields(values)) return [];
  return moduleResources(values.root_module, [...at, 'root_module']);
}

function moduleResources(module: unknown, at: Path): Found[] {
  if (!isFields(module)) return [];
  const { resources = [], child_modules = [] } = module;
  const own = (Array.isArray(resources) ? resources : []).flatMap((resource: unknown, index): Found[] =>
    isFields(resource) && resource.type === TYPE && isFields(resource.values)
      ? [{ attributes: resource.values, at: [...at, 'resources', index, 'values'] }]
      : [],
  );
  const children = (Array.isArray(child_modules) ? child_modules : []).flatMap((child: unknown, index) =>
    moduleResources(child, [...at, 'child_modules', index]),
  );
  return [...own, ...children];
}

/** A state file, version 4. */
function stored({ resources }: Fields): Found[] {
  if (!Array.isArray(resources)) return [];
  return resources.flatMap((resource: unknown, index): Found[] => {
    if (!isFields(resource) || resource.type !== TYPE || !Array.isArray(resource.instances)) return [];
    return resource.instances.flatMap((instance: unknown, number): Found[] =>
      isFields(instance) && isFields(instance.attributes)
        ? [{ attributes: instance.attributes, at: ['resources', index, 'instances', number, 'attributes'] }]
        : [],
    );
  });
}

const OWN_ATTRIBUTES = [
  'arn',
  'arn_without_revision',
  'id',
  'region',
  'revision',
  'skip_destroy',
  'tags_all',
  'track_latest',
];

/** Attributes of the resource, where more than case, underscores and plural tells them from the API. */
const NOTATION: Notation = {
  name: 'Terraform',
  blocks: true,
  emptyIsAbsent: ([field, ...rest]) => field !== 'containerDefinitions' || rest.length === 0,
  names: {
    RegisterTaskDefinitionRequest: Object.fromEntries(OWN_ATTRIBUTES.map((name) => [name, null])),
    Volume: { configure_at_launch: 'configuredAtLaunch', host_path: 'host' },
  },
  values: {
    RegisterTaskDefinitionRequest: {
      tags: (tags) => pairs(tags, 'key'),
      containerDefinitions: (text) => (isText(text) ? (parsed(text) ?? text) : text),
    },
    ProxyConfiguration: { properties: (properties) => pairs(properties, 'name') },
    Volume: { host: (path) => (path === '' || path === null ? null : { sourcePath: path }) },
    EFSVolumeConfiguration: { transitEncryptionPort: (port) => (port === 0 ? null : port) },
  },
};

const pairs = (map: unknown, key: string): unknown =>
  isFields(map) ? Object.entries(map).map(([name, value]) => ({ [key]: name, value })) : map;

const apiInput = (value: Fields, at: Path) =>
  renamed(modelOf('RegisterTaskDefinition'), shapeNameOf('RegisterTaskDefinition'), value, at, NOTATION);

function taskDefinition(attributes: Fields, at: Path, source: string, { family }: FormOptions): AwsInput {
  const named = attributes.family === undefined && family !== undefined ? { family, ...attributes } : attributes;
  const { input, changes, locate } = apiInput(named, at);
  return { action: 'RegisterTaskDefinition', input, source, locate, changes };
}

/** Attributes of the resource alone, as a part of a state or a plan. */
export const terraformAttributes: Form = (value, source, options) =>
  isFields(value) && 'container_definitions' in value ? [taskDefinition(value, [], source, options)] : undefined;
