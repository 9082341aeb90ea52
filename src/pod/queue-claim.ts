/** What a pod takes of a compute environment: written on the pod, so that every operator counts the same. */
import type { V1Toleration } from '@kubernetes/client-node';
import { ANNOTATIONS, LABELS } from '../api/meta.ts';
import { dnsName } from '../api/names.ts';
import type { PodTemplate } from './compile.ts';
import { SharedValues } from './shared-values.ts';

export interface QueueClaim {
  /** metadata.name of the JobQueue, in the namespace of the pod. */
  readonly jobQueue: string;
  /** metadata.name of the ComputeEnvironment. */
  readonly computeEnvironment: string;
  /** shareIdentifier; absent in a queue without fair shares. */
  readonly share?: string;
  readonly vcpus: number;
  /** MiB. */
  readonly memory: number;
}

/** Where the pods of an environment run. */
export interface EnvironmentNodes {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly V1Toleration[];
}

const sharedClaims = new SharedValues<QueueClaim | undefined>();

/** Undefined where the pod takes nothing of an environment, or somebody wrote what nobody can read. */
export function claimOf(annotations: Readonly<Record<string, string>>): QueueClaim | undefined {
  const text = annotations[ANNOTATIONS.claim];
  return text === undefined ? undefined : sharedClaims.get(text, () => readClaim(text));
}

function readClaim(text: string): QueueClaim | undefined {
  try {
    const { jobQueue, computeEnvironment, share, vcpus, memory } = JSON.parse(text) as Partial<QueueClaim>;
    const isClaim =
      typeof jobQueue === 'string' &&
      typeof computeEnvironment === 'string' &&
      typeof vcpus === 'number' &&
      typeof memory === 'number';
    if (!isClaim) return undefined;
    return { jobQueue, computeEnvironment, ...(typeof share === 'string' && { share }), vcpus, memory };
  } catch {
    return undefined;
  }
}

/** The template as a pod that was granted its part of an environment gets it. What the environment says of nodes wins. */
export function inEnvironment(
  template: PodTemplate,
  claim: QueueClaim,
  { nodeSelector, tolerations }: EnvironmentNodes,
): PodTemplate {
  const { spec } = template;
  return {
    ...template,
    labels: {
      ...template.labels,
      [LABELS.jobQueue]: dnsName(claim.jobQueue),
      [LABELS.computeEnvironment]: dnsName(claim.computeEnvironment),
    },
    annotations: { ...template.annotations, [ANNOTATIONS.claim]: JSON.stringify(claim) },
    spec: {
      ...spec,
      ...(Object.keys(nodeSelector).length > 0 && { nodeSelector: { ...spec.nodeSelector, ...nodeSelector } }),
      ...(tolerations.length > 0 && { tolerations: [...(spec.tolerations ?? []), ...tolerations] }),
    },
  };
}
