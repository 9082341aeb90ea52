/** What containers there are, and what they run. */
import { approximated, BY_ITS_FIELDS, exact, ignored, type Topic } from './entry.ts';
import { COMPATIBILITIES, DIRECTORY_AND_TERMINAL, ESSENTIAL, IMAGE, NAMES, NOT_ESSENTIAL, PROCESS } from './proofs.ts';

export const containers: Topic = {
  RegisterTaskDefinitionRequest: {
    family: exact(NAMES),
    containerDefinitions: BY_ITS_FIELDS,
    requiresCompatibilities: approximated(
      'the pairs of cpu and memory that Fargate offers are not checked yet',
      COMPATIBILITIES,
    ),
    tags: ignored('tags stay on the object, and nothing uses them; kubernetes.podLabels labels the tasks'),
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
    key: ignored('tags stay on the object, and nothing uses them'),
    value: ignored('tags stay on the object, and nothing uses them'),
  },
};
