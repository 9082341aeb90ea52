/** Asks the API server what of a pod it keeps: a field whose feature gate is off is dropped, or refused. */
import type { V1PodSpec, V1PodTemplate } from '@kubernetes/client-node';
import type { KubeClient } from '../kube/client.ts';
import { isInvalid } from '../kube/errors.ts';
import type { Logger } from '../kube/logger.ts';
import { podTemplates } from '../kube/resource.ts';
import type { ClusterFeatures } from '../pod/cluster-features.ts';

interface Probe {
  readonly spec: V1PodSpec;
  readonly kept: (spec: V1PodSpec | undefined) => boolean;
}

const container = { name: 'probe', image: 'probe' };

const PROBES: { readonly [Feature in keyof ClusterFeatures]: Probe } = {
  podLevelResources: {
    spec: { restartPolicy: 'Never', containers: [container], resources: { limits: { memory: '1Mi' } } },
    kept: (spec) => spec?.resources !== undefined,
  },
  containerRestartRules: {
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          ...container,
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [1] } }],
        },
      ],
    },
    kept: (spec) => spec?.containers[0]?.restartPolicyRules !== undefined,
  },
};

/**
 * A dry run of a PodTemplate each: nothing is written, and no quota, admission policy or missing ServiceAccount stands
 * in its way. What cannot be asked is taken as there, as on every cluster of the newest supported version.
 */
export async function probeFeatures(client: KubeClient, logger: Logger, namespace: string): Promise<ClusterFeatures> {
  const ask = async ({ spec, kept }: Probe): Promise<boolean> => {
    const body = { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'longshore-probe' }, template: { spec } };
    try {
      const query = { dryRun: 'All' };
      const answer = await client.create<V1PodTemplate>(podTemplates, { namespace }, body, { query });
      return kept(answer.template?.spec);
    } catch (error) {
      if (isInvalid(error)) return false;
      logger.warn({ error }, 'cannot ask the API server which pod fields it serves: taking all as served');
      return true;
    }
  };
  const [podLevelResources, containerRestartRules] = await Promise.all([
    ask(PROBES.podLevelResources),
    ask(PROBES.containerRestartRules),
  ]);
  return { podLevelResources, containerRestartRules };
}
