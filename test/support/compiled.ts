/** Task definitions as pods, for tests of the compiler. */
import type { V1Container } from '@kubernetes/client-node';
import { parseCluster } from '../../src/api/cluster.ts';
import type { FieldSupport } from '../../src/api/status.ts';
import { parseTaskDefinition } from '../../src/api/task-definition.ts';
import type { ClusterFeatures } from '../../src/pod/cluster-features.ts';
import { compileTemplate, type PodTemplate } from '../../src/pod/compile.ts';
import { fieldSupport } from '../../src/pod/field-support.ts';

export const compile = (definition: object, features?: ClusterFeatures, cluster: object = {}): PodTemplate =>
  compileTemplate({
    cluster: parseCluster(cluster),
    definition: parseTaskDefinition(definition),
    family: 'hello_world',
    revision: 3,
    ...(features !== undefined && { features }),
  });

export const app = (fields: object = {}): object => ({ name: 'app', image: 'busybox', memory: 64, ...fields });

/** A task with one container. */
export const one = (container: object, task: object = {}): PodTemplate =>
  compile({ ...task, containerDefinitions: [app(container)] });

export const first = (container: object, task: object = {}): V1Container | undefined =>
  one(container, task).spec.containers[0];

export const several = (containers: readonly object[], task: object = {}): object => ({
  ...task,
  containerDefinitions: containers.map((fields, index) => app({ name: `c${index}`, ...fields })),
});

/** What is reported of a definition, as `field: support`. */
export const verdicts = (definition: object): Record<string, string> =>
  Object.fromEntries(
    fieldSupport(parseTaskDefinition(definition)).map(({ field, support }: FieldSupport) => [field, support]),
  );

/** As `compile`, in a namespace whose Cluster says this. */
export const compileIn = (cluster: object, definition: object): PodTemplate => compile(definition, undefined, cluster);
