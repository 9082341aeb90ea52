/** Variables, secrets, and the roles that lie behind them. */
import { ECS } from '../../aws-model/model.ts';
import { BY_ITS_FIELDS, exact, ignored, type Topic, whole } from './entry.ts';
import { ENVIRONMENT } from './proofs.ts';

const notYet = ignored('not honoured yet');

export const environment: Topic = {
  RegisterTaskDefinitionRequest: {
    taskRoleArn: ignored(
      'no mapping from a role to a ServiceAccount exists; set kubernetes.serviceAccountName on the Service or BatchJob',
    ),
    executionRoleArn: ignored(
      'images and logs need no AWS role here; use kubernetes.imagePullSecrets for private registries',
    ),
  },
  ContainerDefinition: {
    environment: BY_ITS_FIELDS,
    environmentFiles: notYet,
    secrets: notYet,
    repositoryCredentials: ignored('not honoured yet; use kubernetes.imagePullSecrets'),
    credentialSpecs: ignored('containers get no Active Directory credentials (gMSA)'),
  },
  KeyValuePair: { name: exact(ENVIRONMENT), value: exact(ENVIRONMENT) },
  ...whole(ECS, notYet, 'EnvironmentFile', 'Secret', 'RepositoryCredentials'),
};
