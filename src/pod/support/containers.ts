/** What containers there are, and what they run. */
import type { ContainerDefinition } from '../../api/container-definition.ts';
import { approximated, BY_ITS_FIELDS, conditional, exact, type Topic } from './entry.ts';
import {
  COMPATIBILITIES,
  DIRECTORY_AND_TERMINAL,
  ESSENTIAL,
  IMAGE,
  IMAGE_PINNED,
  IMAGE_TAG,
  NAMES,
  NOT_ESSENTIAL,
  PROCESS,
  TAGS,
} from './proofs.ts';

const TAGS_STAY =
  'tags stay on the object; tasks of a service with propagateTags have them as JSON in the annotation longshore.dev/tags';

export const containers: Topic = {
  RegisterTaskDefinitionRequest: {
    family: exact(NAMES),
    containerDefinitions: BY_ITS_FIELDS,
    requiresCompatibilities: approximated(
      "the definition has to keep to the rules of what is named, Fargate's sizes included; the nodes of this cluster then run it, whatever is named",
      COMPATIBILITIES,
    ),
    tags: BY_ITS_FIELDS,
  },
  ContainerDefinition: {
    name: exact(NAMES),
    image: exact(IMAGE),
    versionConsistency: conditional(
      {
        'it is enabled, or absent': approximated(
          'the first task of a deployment that has pulled its images pins them for all that start later, in a Service; an image that its node has from elsewhere than its registry stays a tag',
          IMAGE_PINNED,
        ),
        'it is disabled': exact(IMAGE_TAG),
      },
      ({ versionConsistency }: ContainerDefinition) =>
        versionConsistency === 'disabled' ? 'it is disabled' : 'it is enabled, or absent',
    ),
    essential: exact(ESSENTIAL, NOT_ESSENTIAL),
    entryPoint: exact(PROCESS),
    command: exact(PROCESS),
    workingDirectory: exact(DIRECTORY_AND_TERMINAL),
    interactive: exact(DIRECTORY_AND_TERMINAL),
    pseudoTerminal: exact(DIRECTORY_AND_TERMINAL),
  },
  Tag: {
    key: approximated(TAGS_STAY, TAGS),
    value: approximated(TAGS_STAY, TAGS),
  },
};
