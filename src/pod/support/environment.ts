/** Variables, secrets, and the roles that lie behind them. */
import type { TaskDefinitionSpec } from '../../api/task-definition.ts';

import { approximated, BY_ITS_FIELDS, conditional, exact, ignored, type Topic } from './entry.ts';
import { ENVIRONMENT, ENVIRONMENT_FILES, ROLE, SECRETS } from './proofs.ts';

export const environment: Topic = {
  RegisterTaskDefinitionRequest: {
    taskRoleArn: conditional(
      {
        'spec.kubernetes names a ServiceAccount': ignored('tasks run as the ServiceAccount that spec.kubernetes names'),
        'it names none': approximated(
          "tasks run as the ServiceAccount that the Cluster's mappings.roles name, and may what that may; without a mapping they run without the role, and the condition ResolvedRefs says so",
          ROLE,
        ),
      },
      ({ kubernetes }: TaskDefinitionSpec) =>
        kubernetes?.serviceAccountName === undefined ? 'it names none' : 'spec.kubernetes names a ServiceAccount',
    ),
    executionRoleArn: ignored(
      'images, logs and secrets need no AWS role here: repositoryCredentials and secrets are Secrets of the namespace',
    ),
  },
  ContainerDefinition: {
    environment: BY_ITS_FIELDS,
    environmentFiles: BY_ITS_FIELDS,
    secrets: BY_ITS_FIELDS,
    repositoryCredentials: BY_ITS_FIELDS,
    credentialSpecs: ignored('containers get no Active Directory credentials (gMSA)'),
  },
  KeyValuePair: { name: exact(ENVIRONMENT), value: exact(ENVIRONMENT) },
  EnvironmentFile: {
    value: approximated(
      "read by ECS's rules, at each start of a task, from the ConfigMap or Secret that the Cluster's mappings.files name; variables of a text in a ConfigMap win over those of a whole ConfigMap or Secret, whatever their order",
      ENVIRONMENT_FILES,
    ),
    type: exact(ENVIRONMENT_FILES),
  },
  Secret: {
    name: exact(SECRETS),
    valueFrom: approximated(
      "read at each start of a container from the key of a Secret that the Cluster's mappings.secrets name, or else that has this name; one of Secrets Manager without a json-key has the key value",
      SECRETS,
    ),
  },
  RepositoryCredentials: {
    credentialsParameter: approximated(
      "the Secret that the Cluster's mappings.secrets name, or else that has this name, of type kubernetes.io/dockerconfigjson; spec.kubernetes.imagePullSecrets takes its place",
    ),
  },
};
