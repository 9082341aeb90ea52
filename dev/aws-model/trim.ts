import type { Member, Operation, ServiceModel, Shape } from '../../src/aws-model/model.ts';

/** The part of botocore's service-2.json that is read here. */
export interface BotocoreModel {
  readonly metadata: { readonly serviceId: string; readonly apiVersion: string };
  readonly operations: Readonly<Record<string, Partial<Record<'input' | 'output', { readonly shape: string }>>>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** What src/aws-model keeps of a shape or member; documentation and hints for clients stay behind. */
const SHAPE_KEYWORDS: readonly (keyof Shape)[] = [
  'type',
  'required',
  'enum',
  'min',
  'max',
  'pattern',
  'union',
  'document',
];
const MEMBER_KEYWORDS: readonly (keyof Member)[] = ['shape', 'deprecated', 'deprecatedMessage'];

/** The shapes that can be reached from the given sides of the operations, in the order in which they are reached. */
export function trim(
  model: BotocoreModel,
  sides: Readonly<Record<string, readonly ('input' | 'output')[]>>,
  source: string,
  fieldName: (name: string) => string = (name) => name,
): ServiceModel {
  const shapes: Record<string, Shape> = {};
  const visit = (name: string): void => {
    const shape = model.shapes[name];
    if (shape === undefined) throw new Error(`the model has no shape ${name}`);
    if (shapes[name] !== undefined) return;
    const { members, member, key, value } = shape;
    shapes[name] = {
      ...pick(shape, SHAPE_KEYWORDS),
      ...(shape.required !== undefined && { required: shape.required.map(fieldName) }),
      ...(members !== undefined && {
        members: Object.fromEntries(
          Object.entries(members).map(([field, m]) => [fieldName(field), pick(m, MEMBER_KEYWORDS)]),
        ),
      }),
      ...(member !== undefined && { member: pick(member, MEMBER_KEYWORDS) }),
      ...(key !== undefined && { key: pick(key, MEMBER_KEYWORDS) }),
      ...(value !== undefined && { value: pick(value, MEMBER_KEYWORDS) }),
    };
    for (const next of [...Object.values(members ?? {}), member, key, value]) if (next !== undefined) visit(next.shape);
  };
  const operations: Record<string, Operation> = {};
  for (const [name, wanted] of Object.entries(sides)) {
    const operation: Record<string, string> = {};
    for (const side of wanted) {
      const shape = model.operations[name]?.[side]?.shape;
      if (shape === undefined) throw new Error(`the model has no ${side} of ${name}`);
      visit(shape);
      operation[side] = shape;
    }
    operations[name] = operation;
  }
  const { serviceId, apiVersion } = model.metadata;
  return { source, service: serviceId, apiVersion, operations, shapes };
}

const pick = <T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> =>
  Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]])) as Pick<T, K>;

/** One line a shape: what a release of AWS changes is a line in the diff. */
export function serviceModelText({ shapes, ...head }: ServiceModel): string {
  const lines = Object.entries(shapes).map(([name, shape]) => `    ${JSON.stringify(name)}: ${JSON.stringify(shape)}`);
  const opening = JSON.stringify(head, undefined, 2).replace(/\n}$/, '');
  return `${opening},\n  "shapes": {\n${lines.join(',\n')}\n  }\n}\n`;
}
