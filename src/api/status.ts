import { z } from 'zod';
import { integer, keyedList, type Parsed, timestamp } from './schema.ts';

const conditionSchema = z
  .object({
    type: z.string().max(316).describe('Ready, Reconciling, Stalled and those of the kind.'),
    status: z.enum(['True', 'False', 'Unknown']).describe('True, False or Unknown.'),
    observedGeneration: z.int().min(0).optional().describe('metadata.generation that the condition was computed from.'),
    lastTransitionTime: timestamp().describe('When status last changed (RFC 3339).'),
    reason: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .describe('CamelCase word for programs.'),
    message: z.string().max(32768).describe('Text for people: which rule decided, and what to do.'),
  })
  .describe('One aspect of the state, in the standard Kubernetes form.');

/** Kubernetes' standard condition; types follow kstatus: Ready, Reconciling, Stalled. */
export type Condition = Parsed<typeof conditionSchema>;

const fieldSupportSchema = z
  .object({
    field: z.string().max(512).describe('Path of the field, e.g. spec.containerDefinitions[0].links.'),
    support: z
      .enum(['Approximated', 'Ignored'])
      .describe('Approximated: honoured, but not in every detail. Ignored: accepted without effect.'),
    reason: z.string().max(1024).describe('What differs from AWS, and why.'),
  })
  .describe('A field that is accepted but cannot be honoured exactly.');

/** A field that Longshore accepts but cannot honour exactly. Exact fields are not listed. */
export type FieldSupport = Parsed<typeof fieldSupportSchema>;

/** Parts that every kind's status has. */
export const commonStatus = {
  observedGeneration: z.int().min(0).optional().describe('metadata.generation that this status was computed from.'),
  conditions: keyedList(conditionSchema, 'type', { max: 16 })
    .optional()
    .describe('Ready, Reconciling, Stalled (kstatus) and those of the kind.'),
  fieldSupport: keyedList(fieldSupportSchema, 'field', { max: 200 })
    .optional()
    .describe('Fields that are accepted but not honoured exactly. A field that is not listed works as on AWS.'),
};

/** A count of tasks, attempts or jobs. */
export const count = () => integer(0);
