import type { Tag } from '../api/common-fields.ts';
import { ANNOTATIONS } from '../api/meta.ts';

export interface TagSource {
  readonly tags: readonly Tag[];
  readonly propagateTags: 'NONE' | 'SERVICE' | 'TASK_DEFINITION';
  readonly enableECSManagedTags: boolean;
}

/** AWS names that ECS's managed tags have for values. */
export interface ManagedTags {
  readonly clusterName: string;
  readonly serviceName: string;
}

/**
 * The tags that a service gives its tasks on AWS, as the annotation `longshore.dev/tags`: a JSON object, key → value.
 * AWS: CreateService `propagateTags` and `enableECSManagedTags` (ECS developer guide, "Tagging Amazon ECS resources").
 */
export function tagAnnotation(
  { tags, propagateTags, enableECSManagedTags }: TagSource,
  ofDefinition: readonly Tag[],
  { clusterName, serviceName }: ManagedTags,
): Record<string, string> {
  const propagated = propagateTags === 'SERVICE' ? tags : propagateTags === 'TASK_DEFINITION' ? ofDefinition : [];
  const entries = [
    ...(enableECSManagedTags
      ? [
          ['aws:ecs:clusterName', clusterName],
          ['aws:ecs:serviceName', serviceName],
        ]
      : []),
    ...propagated.map(({ key, value }) => [key, value]),
  ];
  return annotationOf(entries);
}

/** As {@link tagAnnotation}, of RunTask, whose own `tags` are those of its tasks; they win over the definition's. */
export function runTaskTagAnnotation(
  { tags, propagateTags, enableECSManagedTags }: TagSource,
  ofDefinition: readonly Tag[],
  clusterName: string,
): Record<string, string> {
  const all = [...(propagateTags === 'TASK_DEFINITION' ? ofDefinition : []), ...tags];
  return annotationOf([
    ...(enableECSManagedTags ? [['aws:ecs:clusterName', clusterName]] : []),
    ...all.map(({ key, value }) => [key, value]),
  ]);
}

/** As {@link tagAnnotation}, of a Batch job with `propagateTags`: its tags win over the definition's (AWS: SubmitJob). */
export function jobTagAnnotation(
  job: { readonly tags: Readonly<Record<string, string>>; readonly propagateTags: boolean } | undefined,
  ofDefinition: readonly Tag[],
): Record<string, string> {
  if (!job?.propagateTags) return {};
  return annotationOf([...ofDefinition.map(({ key, value }) => [key, value]), ...Object.entries(job.tags)]);
}

const annotationOf = (entries: readonly (readonly string[])[]): Record<string, string> =>
  entries.length === 0 ? {} : { [ANNOTATIONS.tags]: JSON.stringify(Object.fromEntries(entries)) };
