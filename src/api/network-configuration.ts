import { z } from 'zod';
import { list } from './schema.ts';

/** Subnets of a VPC, 1 to 16, and security groups, at most 5 (`ecs-semantics` §3.1). */
export const networkConfigurationSchema = z
  .strictObject({
    awsvpcConfiguration: z
      .strictObject({
        subnets: z.array(z.string().min(1).max(255)).min(1).max(16).describe('IDs of subnets, 1 to 16.'),
        securityGroups: list(z.string().min(1).max(255), 5).describe('IDs of security groups, at most 5.'),
        assignPublicIp: z
          .enum(['ENABLED', 'DISABLED'])
          .default('DISABLED')
          .describe('Whether tasks get a public address on AWS. Default: DISABLED.'),
      })
      .optional()
      .describe('AWS: AwsVpcConfiguration.'),
  })
  .describe('Where in a VPC the tasks of an awsvpc task definition are. AWS: NetworkConfiguration.');
