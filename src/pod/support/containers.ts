/** What containers there are, and what they run. */
import { approximated, BY_ITS_FIELDS, exact, type Topic } from './entry.ts';
import {
  COMPATIBILITIES,
  DIRECTORY_AND_TERMINAL,
  ESSENTIAL,
  IMAGE,
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
    versionConsistency: approximated(
      'each node resolves the tag of an image when it pulls it, as on AWS with disabled; a digest stays what it is',
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
