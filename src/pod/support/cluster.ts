/** CreateCluster. */
import { ECS } from '../../aws-model/model.ts';
import { approximated, BY_ITS_FIELDS, exact, ignored, type Topic, whole } from './entry.ts';
import { ALIAS_DOMAIN, CLUSTER_NAME } from './proofs.ts';

const settings = ignored(
  'there is no CloudWatch here: Prometheus scrapes the operator, and the cluster the containers',
);
const configuration = ignored('kubectl exec takes the place of ECS Exec; StorageClasses say how storage is encrypted');
const capacity = ignored('the nodes of this cluster run every task; use kubernetes.nodeSelector');
const serviceConnect = approximated(
  'namespaces stand for those of Cloud Map: a name that ends in another does not resolve, of which a condition of the Service speaks',
  ALIAS_DOMAIN,
);

export const cluster: Topic = {
  CreateClusterRequest: {
    clusterName: exact(CLUSTER_NAME),
    settings,
    configuration,
    capacityProviders: capacity,
    defaultCapacityProviderStrategy: capacity,
    serviceConnectDefaults: BY_ITS_FIELDS,
    tags: ignored('tags of a cluster have no use here'),
  },
  ...whole(ECS, settings, 'ClusterSetting'),
  ...whole(
    ECS,
    configuration,
    'ClusterConfiguration',
    'ExecuteCommandConfiguration',
    'ExecuteCommandLogConfiguration',
    'ManagedStorageConfiguration',
  ),
  ClusterServiceConnectDefaultsRequest: { namespace: serviceConnect },
};
