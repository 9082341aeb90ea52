import { z } from 'zod';
import { integer, type Parsed, textMap, withRules } from './schema.ts';

export const objectName = () =>
  z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/);

const tolerationSchema = z
  .strictObject({
    key: z.string().max(317).optional().describe('Taint key to tolerate. Absent with operator Exists: every taint.'),
    operator: z.enum(['Exists', 'Equal']).default('Equal').describe('Equal (default) compares value; Exists does not.'),
    value: z.string().max(63).optional().describe('Taint value to tolerate, with operator Equal.'),
    effect: z
      .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
      .optional()
      .describe('Taint effect to tolerate. Absent: every effect.'),
    tolerationSeconds: integer()
      .optional()
      .describe('Seconds a NoExecute taint is tolerated. Absent: for ever. Only with effect NoExecute.'),
  })
  .describe('A taint that the pods tolerate (core/v1 Toleration).');

export const nodeSelectorSchema = () => textMap(50, 63).describe('Labels that a node must have to run the pods.');

export const tolerationsSchema = () =>
  z
    .array(tolerationSchema)
    .max(50)
    .default([])
    .describe(
      'Taints that the pods tolerate, at most 50. A task on a node that is lost is given up after 60 s; for another time, ' +
        'tolerate node.kubernetes.io/unreachable and node.kubernetes.io/not-ready, effect NoExecute, with tolerationSeconds.',
    );

const ownLabelsFree = {
  message: 'keys of longshore.dev/ and app.kubernetes.io/managed-by are set by Longshore',
  holds: (labels: Readonly<Record<string, string>>) =>
    Object.keys(labels).every((key) => !key.startsWith('longshore.dev/') && key !== 'app.kubernetes.io/managed-by'),
  cel: "self.all(key, dyn(self[key]) == null || (!key.startsWith('longshore.dev/') && key != 'app.kubernetes.io/managed-by'))",
};

/** What AWS has no word for, on every kind that makes pods. */
export const kubernetesOptionsSchema = z
  .strictObject({
    serviceAccountName: objectName()
      .optional()
      .describe(
        "ServiceAccount of the pods. Takes the place of taskRoleArn. Default: the namespace's default account.",
      ),
    nodeSelector: nodeSelectorSchema(),
    tolerations: tolerationsSchema(),
    priorityClassName: objectName().optional().describe('PriorityClass of the pods.'),
    runtimeClassName: objectName().optional().describe('RuntimeClass of the pods.'),
    schedulerName: objectName().optional().describe('Scheduler that places the pods. Default: default-scheduler.'),
    imagePullSecrets: z
      .array(z.strictObject({ name: objectName().describe('Name of the Secret in the same namespace.') }))
      .max(20)
      .default([])
      .describe('Secrets with registry credentials, at most 20. Takes the place of repositoryCredentials.'),
    podLabels: withRules(textMap(50, 63), ownLabelsFree).describe('Labels to add to the pods, at most 50.'),
    podAnnotations: withRules(textMap(50, 65536), ownLabelsFree).describe(
      'Annotations to add to the pods, at most 50.',
    ),
  })
  .describe('What AWS has no word for. The only part of the spec that is not an AWS field.');

export type KubernetesOptions = Parsed<typeof kubernetesOptionsSchema>;
