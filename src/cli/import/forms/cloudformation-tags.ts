/** The short forms of CloudFormation's functions in YAML: `!Ref X` for `Ref: X`, `!Sub x` for `Fn::Sub: x`. */
import { type CollectionTag, Pair, Scalar, type ScalarTag, YAMLMap } from 'yaml';

const FUNCTIONS = [
  'And',
  'Base64',
  'Cidr',
  'Condition',
  'Equals',
  'FindInMap',
  'GetAtt',
  'GetAZs',
  'If',
  'ImportValue',
  'Join',
  'Length',
  'Not',
  'Or',
  'Ref',
  'Select',
  'Split',
  'Sub',
  'ToJsonString',
  'Transform',
];

const longName = (name: string): string => (name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`);

export const cloudFormationTags: (ScalarTag | CollectionTag)[] = FUNCTIONS.flatMap((name) => {
  const tag = `!${name}`;
  const collection = (kind: 'seq' | 'map'): CollectionTag => ({
    tag,
    collection: kind,
    resolve(node) {
      const map = new YAMLMap();
      map.items.push(new Pair(new Scalar(longName(name)), node));
      return map;
    },
  });
  return [{ tag, resolve: (text: string) => ({ [longName(name)]: text }) }, collection('seq'), collection('map')];
});
