/** What goes elsewhere on AWS, and stays readable on the pod here. */
import { ECS } from '../../aws-model/model.ts';
import { approximated, ignored, type Topic, whole } from './entry.ts';

const notYet = ignored('not honoured yet');
const logging = ignored(
  "what the container writes stays on the node, for kubectl logs and the cluster's log agent, whatever driver is named (awslogs, …); the pod's annotation longshore.dev/log-configuration has the configuration",
);

export const annotations: Topic = {
  ContainerDefinition: {
    logConfiguration: logging,
    firelensConfiguration: notYet,
    dockerLabels: approximated("kept as JSON in the pod's annotation longshore.dev/docker-labels"),
  },
  ...whole(ECS, logging, 'LogConfiguration'),
  ...whole(ECS, notYet, 'FirelensConfiguration'),
};
