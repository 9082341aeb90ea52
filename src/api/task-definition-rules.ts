/**
 * Rules over several fields of a task definition, each as zod check and CEL. Texts are AWS's where one is known; what it
 * does not name, the container and the value, stands before or after it. "Measured" means seen in an answer of AWS, as
 * the repository badmintoncryer/cdk-preflight records them. AWS's rules about what only an account can have, such as an
 * execution role for awslogs, are left out: a definition needs none here.
 */
import { acceleratorRules } from './accelerator-rules.ts';
import { dependencyRules, refuseCycles } from './dependency-rules.ts';
import { ofTaskDefinition } from './element-rules.ts';
import { fargateRules } from './fargate-rules.ts';
import { logRules } from './log-rules.ts';
import { networkRules } from './network-rules.ts';
import { portRules, refuseOverlappingRanges } from './port-rules.ts';
import type { Rule } from './schema.ts';
import type { TaskDefinitionFields } from './task-definition-fields.ts';
import { taskSizeRules } from './task-size.ts';
import { volumeRules } from './volume-rules.ts';

export const taskDefinitionRules: readonly Rule<TaskDefinitionFields>[] = [
  ...dependencyRules,
  ...taskSizeRules,
  ...networkRules,
  ...portRules,
  ...volumeRules,
  ...logRules(ofTaskDefinition),
  ...acceleratorRules,
  ...fargateRules,
];

/** Bytes that a task definition may have as JSON. */
const MAX_BYTES = 65536;

/** Defaults are not given by the user, and do not count; what lives in `kubernetes` is not AWS's. Text: AWS (ecs-semantics §1.3). */
function refuseOversize({ kubernetes, ...definition }: TaskDefinitionFields): string | undefined {
  const length = Buffer.byteLength(
    JSON.stringify(definition, (_, value: unknown) =>
      value === false || value === 0 || value === '' || (Array.isArray(value) && value.length === 0)
        ? undefined
        : value,
    ),
  );
  return length > MAX_BYTES ? `Actual length: '${length}'. Max allowed length is '${MAX_BYTES}' bytes.` : undefined;
}

/** What CEL cannot say: the API server accepts, the controller reports. */
export const controllerRules: readonly {
  readonly refuses: (task: TaskDefinitionFields) => string | undefined;
  readonly field?: string;
}[] = [
  { refuses: refuseCycles, field: 'containerDefinitions' },
  { refuses: refuseOverlappingRanges, field: 'containerDefinitions' },
  { refuses: refuseOversize },
];
