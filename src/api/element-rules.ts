/** Rules that look at one container or volume and at the whole task: the first that breaks one is named in the text. */
import type { ContainerDefinition } from './container-definition.ts';
import { celFirst, celText, type Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';
import type { Volume } from './volume.ts';

/** What must be so for a rule to apply, for both checkers. */
export interface Condition<Task = TaskDefinitionFields> {
  readonly holds: (task: Task) => boolean;
  /** `self` is the task. */
  readonly cel: string;
}

export const onFargate: Condition = {
  holds: ({ requiresCompatibilities }) => requiresCompatibilities.includes('FARGATE'),
  cel: "has(self.requiresCompatibilities) && 'FARGATE' in self.requiresCompatibilities",
};

export const networkMode = (...modes: readonly TaskDefinitionFields['networkMode'][]): Condition => ({
  holds: (task) => modes.includes(task.networkMode),
  cel: `self.networkMode in [${modes.map((mode) => `'${mode}'`).join(', ')}]`,
});

const unless = (when: { readonly cel: string } | undefined) => (when === undefined ? '' : `!(${when.cel}) || `);

interface ElementRule<Element> {
  readonly when?: Condition;
  readonly breaks: (element: Element, task: TaskDefinitionFields) => boolean;
  /** CEL of `breaks`; the argument is the element, `self` the task. */
  readonly cel: (element: string) => string;
  /** What the message shows of the element besides its name, here and in CEL. */
  readonly value?: (element: Element) => string;
  readonly celValue?: (element: string) => string;
  readonly message: (name: string, value: string) => string;
}

/** Where a task has its containers. */
export interface Containers<Task, Container> {
  readonly field: string;
  readonly of: (task: Task) => readonly Container[];
}

export const ofTaskDefinition: Containers<TaskDefinitionFields, ContainerDefinition> = {
  field: 'containerDefinitions',
  of: ({ containerDefinitions }) => containerDefinitions,
};

function noElement<Element extends { readonly name: string }>(
  field: 'containerDefinitions' | 'volumes',
  elements: (task: TaskDefinitionFields) => readonly Element[],
  { when, breaks, cel, value, celValue, message }: ElementRule<Element>,
): Rule<TaskDefinitionFields> {
  const list = `self.${field}`;
  const shown = celText(message, `${list}[i].name`, celValue?.(`${list}[i]`) ?? "''");
  return {
    refuses: (task) => {
      if (when?.holds(task) === false) return undefined;
      const broken = elements(task).find((element) => breaks(element, task));
      return broken && message(broken.name, value?.(broken) ?? '');
    },
    cel: `!has(${list}) || ${unless(when)}!${list}.exists(e, ${cel('e')})`,
    celMessage: `[${celFirst(list, 'e', cel('e'))}].map(i, ${shown})[0]`,
    field,
  };
}

/** No container may break the rule. */
export const noContainer = (rule: ElementRule<ContainerDefinition>): Rule<TaskDefinitionFields> =>
  noElement('containerDefinitions', (task) => task.containerDefinitions, rule);

/** No volume may break the rule. */
export const noVolume = (rule: ElementRule<Volume>): Rule<TaskDefinitionFields> =>
  noElement('volumes', (task) => task.volumes, rule);

export interface ItemRule<Item, Task = TaskDefinitionFields, Container = ContainerDefinition> {
  /** Field of the container that has the items. */
  readonly list: string;
  readonly items: (container: Container) => readonly Item[];
  readonly when?: Condition<Task>;
  readonly breaks: (item: Item, task: Task) => boolean;
  /** CEL of `breaks`; the argument is the item, `self` the task. */
  readonly cel: (item: string) => string;
  /** What the message shows of the item, here and in CEL. */
  readonly value: (item: Item) => string;
  readonly celValue: (item: string) => string;
  readonly message: (container: string, value: string) => string;
}

/** No item of a list that containers have, such as `mountPoints`, may break the rule. */
export const noItem = <Item>(rule: ItemRule<Item>): Rule<TaskDefinitionFields> => noItemOf(ofTaskDefinition, rule);

/** As {@link noItem}, of whatever has containers. */
export function noItemOf<Item, Task, Container extends { readonly name: string }>(
  containers: Containers<Task, Container>,
  { list, items, when, breaks, cel, value, celValue, message }: ItemRule<Item, Task, Container>,
): Rule<Task> {
  const all = `self.${containers.field}`;
  const broken = (container: string) =>
    `has(${container}.${list}) && ${container}.${list}.exists(item, ${cel('item')})`;
  const ofFirst = `${all}[i].${list}`;
  const shown = celText(message, `${all}[i].name`, celValue(`${ofFirst}[${celFirst(ofFirst, 'item', cel('item'))}]`));
  return {
    refuses: (task) => {
      if (when?.holds(task) === false) return undefined;
      for (const container of containers.of(task)) {
        const item = items(container).find((candidate) => breaks(candidate, task));
        if (item !== undefined) return message(container.name, value(item));
      }
      return undefined;
    },
    cel: `${unless(when)}!${all}.exists(c, ${broken('c')})`,
    celMessage: `[${celFirst(all, 'c', broken('c'))}].map(i, ${shown})[0]`,
    field: containers.field,
  };
}
