import { z } from 'zod';
import { integer, type Parsed, withRules } from './schema.ts';

/** GPUs and accelerators of a container of a task definition. */
export const resourceRequirementSchema = withRules(
  z.strictObject({
    type: z
      .enum(['GPU', 'InferenceAccelerator', 'NeuronDevice'])
      .describe('GPU, InferenceAccelerator (no longer offered by AWS) or NeuronDevice.'),
    value: z
      .string()
      .min(1)
      .max(255)
      .optional()
      .describe(
        'GPU: number of whole GPUs, or ALL. NeuronDevice: ALL. InferenceAccelerator: a deviceName of inferenceAccelerators. Absent only with sharingStrategy.',
      ),
    sharingStrategy: z
      .strictObject({
        nvidiaMps: z
          .strictObject({
            memory: integer(1).describe('Memory of the GPU for the container, in MiB, from 1.'),
            maxComputePercent: integer(1, 100)
              .optional()
              .describe("Largest share of the GPU's compute capacity, 1 to 100. Absent: as the node is configured."),
          })
          .describe('A part of one GPU by NVIDIA Multi-Process Service. AWS: NvidiaMpsAllocation.'),
      })
      .optional()
      .describe(
        'How the container shares a GPU with others; only with type GPU, instead of value. AWS: SharingStrategy.',
      ),
  }),
  {
    message: 'exactly one of value and sharingStrategy must be given, and sharingStrategy only with type GPU',
    holds: ({ type, value, sharingStrategy }) =>
      (value === undefined) !== (sharingStrategy === undefined) && (sharingStrategy === undefined || type === 'GPU'),
    cel: "has(self.value) != has(self.sharingStrategy) && (!has(self.sharingStrategy) || self.type == 'GPU')",
  },
  {
    message:
      'GPU takes a whole number from 1, or ALL; NeuronDevice takes ALL; InferenceAccelerator is no longer offered by AWS',
    holds: ({ type, value }) =>
      value === undefined ||
      (type === 'GPU' ? /^([1-9][0-9]{0,3}|ALL)$/.test(value) : type === 'NeuronDevice' && value === 'ALL'),
    cel:
      "!has(self.value) || (self.type == 'GPU' ? self.value.matches('^([1-9][0-9]{0,3}|ALL)$') : " +
      "self.type == 'NeuronDevice' && self.value == 'ALL')",
    field: 'value',
  },
).describe('An accelerator that the container needs. AWS: ResourceRequirement.');

export type ResourceRequirement = Parsed<typeof resourceRequirementSchema>;
