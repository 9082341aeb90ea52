/** What goes elsewhere on AWS, and stays readable on the pod here. */
import { ECS } from '../../aws-model/model.ts';
import { approximated, ignored, type Topic, whole } from './entry.ts';

export const firelens = ignored(
  'it runs as any other container: what containers with log driver awsfirelens write stays on the node and is not handed to it',
);
export const logging = ignored(
  "what the container writes stays on the node, for kubectl logs and the cluster's log agent, whatever driver is named (awslogs, …); the pod's annotation longshore.dev/log-configuration has the configuration",
);

export const annotations: Topic = {
  ContainerDefinition: {
    logConfiguration: logging,
    firelensConfiguration: firelens,
    dockerLabels: approximated(
      'annotations of the pod where Kubernetes takes them for one; all are in its annotation longshore.dev/docker-labels, as JSON by container',
    ),
  },
  ...whole(ECS, logging, 'LogConfiguration'),
  ...whole(ECS, firelens, 'FirelensConfiguration'),
};
