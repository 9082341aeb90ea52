/** Volumes of a task and what refers to them (`ecs-semantics` §1.8); rules within one volume are in `volume.ts`. */
import { type Containers, noItemOf, noVolume, ofTaskDefinition } from './element-rules.ts';
import { celText, type Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';

/** Every volume that is mounted is one of the task's. Text: AWS (measured 2026-09). */
export const mountedExist = <
  Task extends { readonly volumes: readonly { readonly name: string }[] },
  Container extends { readonly name: string; readonly mountPoints: readonly { readonly sourceVolume: string }[] },
>(
  containers: Containers<Task, Container>,
): Rule<Task> =>
  noItemOf(containers, {
    list: 'mountPoints',
    items: ({ mountPoints }) => mountPoints,
    breaks: ({ sourceVolume }, task) => task.volumes.every(({ name }) => name !== sourceVolume),
    cel: (item) => `!(has(self.volumes) && self.volumes.exists(v, v.name == ${item}.sourceVolume))`,
    value: ({ sourceVolume }) => sourceVolume,
    celValue: (item) => `${item}.sourceVolume`,
    message: (container, volume) => `container '${container}': Unknown volume '${volume}'.`,
  });

// Text: AWS (measured 2026-09).
const launchVolumesMounted = noVolume({
  breaks: ({ name, configuredAtLaunch }, task) =>
    configuredAtLaunch &&
    task.containerDefinitions.every(({ mountPoints }) =>
      mountPoints.every(({ sourceVolume }) => sourceVolume !== name),
    ),
  cel: (v) =>
    `has(${v}.configuredAtLaunch) && ${v}.configuredAtLaunch && !self.containerDefinitions.exists(c, ` +
    `has(c.mountPoints) && c.mountPoints.exists(m, m.sourceVolume == ${v}.name))`,
  message: (name) => `Volumes [${name}] are not referenced by any of the containers`,
});

const launchVolumes = (count: string) =>
  `only one volume configured at launch is supported; ${count} have configuredAtLaunch`;
const celLaunchVolumes = 'self.volumes.map(v, has(v.configuredAtLaunch) && v.configuredAtLaunch ? 1 : 0).sum()';
const oneLaunchVolume: Rule<TaskDefinitionFields> = {
  refuses: ({ volumes }) => {
    const count = volumes.filter(({ configuredAtLaunch }) => configuredAtLaunch).length;
    return count > 1 ? launchVolumes(String(count)) : undefined;
  },
  cel: `!has(self.volumes) || ${celLaunchVolumes} <= 1`,
  celMessage: celText(launchVolumes, celLaunchVolumes),
  field: 'volumes',
};

export const volumeRules: readonly Rule<TaskDefinitionFields>[] = [
  mountedExist(ofTaskDefinition),
  launchVolumesMounted,
  oneLaunchVolume,
];
