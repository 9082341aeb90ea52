/** Asks the API server what of a pod it keeps: a field whose feature gate is off is dropped, or refused. */
import type { V1PodSpec, V1PodTemplate } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { isInvalid } from '../kube/errors.ts';
import type { Logger } from '../kube/logger.ts';
import { podTemplates } from '../kube/resource.ts';
import { ALL_FEATURES, type ClusterFeatures } from '../pod/cluster-features.ts';

const everything: V1PodSpec = {
  restartPolicy: 'Never',
  resources: { limits: { memory: '1Mi' } },
  containers: [
    {
      name: 'probe',
      image: 'probe',
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }],
    },
  ],
};

const keptOf = (spec: V1PodSpec | undefined): ClusterFeatures => ({
  podLevelResources: spec?.resources !== undefined,
  containerRestartRules: spec?.containers[0]?.restartPolicyRules !== undefined,
});

/**
 * The dry run of a PodTemplate: nothing is written, and no quota, admission policy or missing ServiceAccount stands in
 * its way. Where it cannot be asked, everything is taken as there, as in the newest supported version.
 */
export async function probeFeatures(client: KubeClient, logger: Logger, namespace: string): Promise<ClusterFeatures> {
  const body = {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { name: 'longshore-probe' },
    template: { spec: everything },
  };
  try {
    const query = { dryRun: 'All' };
    const answer = await client.create<V1PodTemplate>(podTemplates, { namespace }, body, { query });
    return keptOf(answer.template?.spec);
  } catch (error) {
    if (isInvalid(error)) return keptOf(undefined);
    logger.warn({ err: error }, 'cannot ask the API server which pod fields it serves: taking all as served');
    return ALL_FEATURES;
  }
}
