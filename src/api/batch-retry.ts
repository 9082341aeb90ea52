/** When a failed job is tried again. AWS: RetryStrategy (`ecs-semantics` §5.4). */
import { z } from 'zod';
import { integer, list, type Parsed, type Rule, withRules } from './schema.ts';

/** Patterns of AWS's API reference of EvaluateOnExit; what counts as white space is said, as JavaScript and RE2 differ. */
const DIGITS = '^[0-9]*[*]?$';
const TEXT = '^[A-Za-z0-9.: \\t\\n\\f\\r]*[*]?$';

interface Conditions {
  readonly onExitCode?: string | undefined;
  readonly onReason?: string | undefined;
  readonly onStatusReason?: string | undefined;
}

const pattern = (what: string) =>
  z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe(
      `Pattern for ${what}, 1 to 512 characters: matched from its start, case-sensitive; a * at the end stands for any rest. A lone * matches also where there is none.`,
    );

function ofPattern(field: keyof Conditions, source: string, allowed: string): Rule<Conditions> {
  const expression = new RegExp(source);
  return {
    message: `${field} takes ${allowed}, and * only at the end`,
    holds: (rule) => expression.test(rule[field] ?? ''),
    cel: `!has(self.${field}) || self.${field}.matches(${JSON.stringify(source)})`,
    field,
  };
}

const TEXT_ALLOWED = 'letters, digits, ., : and white space';

const evaluateOnExitSchema = withRules(
  z.strictObject({
    action: z
      .string()
      .max(16)
      .describe('RETRY: try again while attempts are left. EXIT: the job has failed. In any case of letters.'),
    onExitCode: pattern('the exit code in decimal digits'),
    onReason: pattern("the container's reason, such as OutOfMemoryError: Container killed due to memory usage"),
    onStatusReason: pattern("the attempt's statusReason, such as Essential container in task exited"),
  }),
  {
    message: 'action must be RETRY or EXIT, in any case of letters',
    holds: ({ action }) => /^(RETRY|EXIT)$/i.test(action),
    cel: "self.action.matches('^([Rr][Ee][Tt][Rr][Yy]|[Ee][Xx][Ii][Tt])$')",
    field: 'action',
  },
  {
    message: 'a rule of evaluateOnExit needs at least one of onExitCode, onReason and onStatusReason',
    holds: (rule) => (rule.onExitCode ?? rule.onReason ?? rule.onStatusReason) !== undefined,
    cel: 'has(self.onExitCode) || has(self.onReason) || has(self.onStatusReason)',
  },
  ofPattern('onExitCode', DIGITS, 'digits'),
  ofPattern('onReason', TEXT, TEXT_ALLOWED),
  ofPattern('onStatusReason', TEXT, TEXT_ALLOWED),
).describe('What to do after an attempt of which all that is given matches. AWS: EvaluateOnExit.');

/** When a failed job is tried again. AWS: RetryStrategy. */
export const retryStrategySchema = withRules(
  z.strictObject({
    attempts: integer(1, 10)
      .optional()
      .describe('How often a job is tried in all, 1 to 10; needed with evaluateOnExit. Default: 1.'),
    evaluateOnExit: list(evaluateOnExitSchema, 5).describe(
      'Rules, at most 5: after a failed attempt the first that matches decides; none matches: RETRY.',
    ),
  }),
  {
    message: 'evaluateOnExit needs attempts to be given',
    holds: ({ attempts, evaluateOnExit }) => attempts !== undefined || evaluateOnExit.length === 0,
    cel: 'has(self.attempts) || !has(self.evaluateOnExit) || size(self.evaluateOnExit) == 0',
    field: 'attempts',
  },
).describe('When a failed job is tried again; of an array, each child by itself. AWS: RetryStrategy.');

export type RetryStrategySpec = Parsed<typeof retryStrategySchema>;
