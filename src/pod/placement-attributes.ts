/** Attributes of container instances as labels of nodes: those of ECS by their well-known labels, all others by their name. */
import { isLabelValue } from './finite-pattern.ts';

export const HOSTNAME = 'kubernetes.io/hostname';
export const ZONE = 'topology.kubernetes.io/zone';
const OS = 'kubernetes.io/os';
const WINDOWS_BUILD = 'node.kubernetes.io/windows-build';

/** Build numbers of Windows, as kubelets label their nodes. */
export const WINDOWS_BUILDS: Readonly<Record<string, string>> = {
  '2016': '10.0.14393',
  '2019': '10.0.17763',
  '2004': '10.0.19041',
  '20H2': '10.0.19042',
  '2022': '10.0.20348',
  '2025': '10.0.26100',
};

/** One label and one of its values. */
export interface Label {
  readonly key: string;
  readonly value: string;
}

interface Attribute {
  /** The label that tells whether a node has the attribute. */
  readonly key: string;
  /** What a value of the attribute is on a node; undefined where nodes have no such. */
  readonly labelOf: (value: string) => Label | undefined;
}

const same = (key: string, values: Readonly<Record<string, string>> = {}): Attribute => ({
  key,
  labelOf: (value) => ({ key, value: values[value] ?? value }),
});

const osFamily: Attribute = {
  key: OS,
  labelOf: (family) => {
    if (family === 'LINUX') return { key: OS, value: 'linux' };
    const [, version = ''] = /^WINDOWS_SERVER_([^_]+)_(?:FULL|CORE)$/.exec(family) ?? [];
    const value = WINDOWS_BUILDS[version];
    return value === undefined ? undefined : { key: WINDOWS_BUILD, value };
  },
};

const OF_ECS: Readonly<Record<string, Attribute>> = {
  'ecs.availability-zone': same(ZONE),
  'ecs.instance-type': same('node.kubernetes.io/instance-type'),
  'ecs.os-type': same(OS),
  'ecs.os-family': osFamily,
  'ecs.cpu-architecture': same('kubernetes.io/arch', { x86_64: 'amd64' }),
};

const NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function isLabelKey(text: string): boolean {
  const [name = '', prefix, ...more] = text.split('/').reverse();
  return more.length === 0 && NAME.test(name) && (prefix === undefined || PREFIX.test(prefix));
}

/** Undefined where no label of a node can have the name. */
export function attributeOf(name: string): Attribute | undefined {
  return OF_ECS[name] ?? (isLabelKey(name) ? same(name) : undefined);
}

/** As {@link Attribute.labelOf}, where a label can have the value. */
export function labelOf(attribute: Attribute, value: string): Label | undefined {
  const label = attribute.labelOf(value);
  return label !== undefined && isLabelValue(label.value) ? label : undefined;
}
