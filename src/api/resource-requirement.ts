import { z } from 'zod';
import { integer, type Parsed } from './schema.ts';

/** GPUs and accelerators of a container of a task definition. */
export const resourceRequirementSchema = z
  .strictObject({
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
  })
  .describe('An accelerator that the container needs. AWS: ResourceRequirement.');

export type ResourceRequirement = Parsed<typeof resourceRequirementSchema>;
