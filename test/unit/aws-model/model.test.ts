import { describe, expect, test } from 'vitest';
import { serviceModelText, trim } from '../../../dev/aws-model/trim.ts';
import { BATCH, ECS, inputOf, type ServiceModel, shapeOf, structuresFrom } from '../../../src/aws-model/model.ts';

describe.each([ECS, BATCH])("AWS's model of $service", (model: ServiceModel) => {
  test('has every shape that one of its shapes refers to', () => {
    const referred = Object.values(model.shapes).flatMap(({ members = {}, member, key, value }) =>
      [...Object.values(members), member, key, value].flatMap((next) => (next === undefined ? [] : [next.shape])),
    );
    expect(referred.filter((name) => model.shapes[name] === undefined)).toEqual([]);
  });

  test('names its release and licence, and carries no documentation', () => {
    expect(model.source).toMatch(/^botocore \d+\.\d+\.\d+, .*, Apache-2\.0$/);
    expect(serviceModelText(model)).not.toContain('documentation');
  });
});

test('the fields of an input are found through lists and maps', () => {
  const structures = structuresFrom(ECS, inputOf(ECS, 'RegisterTaskDefinition'));
  expect(structures.slice(0, 2)).toEqual(['RegisterTaskDefinitionRequest', 'ContainerDefinition']);
  expect(structures).toContain('ContainerDependency');
  expect(structures).not.toContain('CreateServiceRequest');
  expect(shapeOf(ECS, 'ContainerDependency').required).toEqual(['containerName', 'condition']);
  expect(structuresFrom(BATCH, inputOf(BATCH, 'SubmitJob'))).toContain('ArrayProperties');
});

test('trimming keeps what can be reached, and drops texts', () => {
  const documentation = '<p>long</p>';
  const member = { shape: 'Text', documentation };
  const botocore = {
    metadata: { serviceId: 'Example', apiVersion: '1' },
    operations: { Put: { input: { shape: 'Put' } } },
    shapes: {
      Put: { type: 'structure', required: ['name'], members: { name: member, next: { shape: 'Put' } }, documentation },
      Text: { type: 'string', max: 3, documentation },
      Other: { type: 'string' },
    },
  };
  expect(trim(botocore, { Put: ['input'] }, 'here')).toEqual({
    source: 'here',
    service: 'Example',
    apiVersion: '1',
    operations: { Put: { input: 'Put' } },
    shapes: {
      Put: { type: 'structure', required: ['name'], members: { name: { shape: 'Text' }, next: { shape: 'Put' } } },
      Text: { type: 'string', max: 3 },
    },
  });
  expect(() => trim(botocore, { Get: ['input'] }, 'here')).toThrow('the model has no input of Get');
});
