import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidSpecError } from '../../../src/api/parse.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';

/** AWS's published task definitions, in a folder beside the repository or named by LONGSHORE_AWS_EXAMPLES. */
const folder = process.env.LONGSHORE_AWS_EXAMPLES ?? join(import.meta.dirname, '../../../../shared/data/aws-examples');
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];

/** AWS refuses these as well: another host port in awsvpc. */
const mismatch = 'When networkMode=awsvpc, the host ports and container ports in port mappings must match.';
const refused = new Map([
  ['kibana_ec2.json', `container 'kibana', hostPort 80: ${mismatch}`],
  ['tomcat_ec2.json', `container 'tomcat-webserver', hostPort 80: ${mismatch}`],
]);

describe.skipIf(files.length === 0)(`task definitions that AWS published (skipped where they are missing)`, () => {
  it.each(files)('%s is accepted as it is, or refused as AWS refuses it', (name) => {
    const definition: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const problem = refused.get(name);
    if (problem === undefined) expect(() => parseTaskDefinition(definition)).not.toThrow();
    else
      expect(() => parseTaskDefinition(definition)).toThrow(
        new InvalidSpecError([{ path: 'spec.containerDefinitions', message: problem }]),
      );
  });
});
