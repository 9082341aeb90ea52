import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { runCli } from '../../src/cli/program.ts';
import { service } from '../support/manifests.ts';
import { runningPods } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const { possible } = realNodePossible();

/** AWS's published task definitions, in a folder beside the repository or named by LONGSHORE_AWS_EXAMPLES. */
const folder = process.env.LONGSHORE_AWS_EXAMPLES ?? join(import.meta.dirname, '../../../shared/data/aws-examples');
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
const refused = ['kibana_ec2.json', 'tomcat_ec2.json'];

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly family?: string };
}

async function imported(file: string): Promise<{ code: number; definition: Definition | undefined; errors: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const io = { stdin: process.stdin, out: (text: string) => out.push(text), err: (text: string) => err.push(text) };
  const code = await runCli(['import', join(folder, file)], io);
  const [definition] = parseAllDocuments(out.join('')).map((document) => document.toJS() as Definition);
  return { code, definition, errors: err.join('') };
}

const title = 'a task definition that AWS published (skipped without a real node, or where the files are missing)';
describe.skipIf(!possible || files.length === 0)(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });

  it.for(files)('%s imports and runs as it is, or is refused as AWS refuses it', async (file, context) => {
    const { code, definition, errors } = await imported(file);
    if (refused.includes(file)) {
      expect(code).toBe(1);
      expect(errors).toMatch(
        /When networkMode=awsvpc, the host ports and container ports in port mappings must match\./,
      );
      return;
    }
    expect(code, errors).toBe(0);
    const { metadata, spec } = definition as Definition;
    const ns = await suite().namespace(context);
    await ns.create({ kind: 'TaskDefinition', name: metadata.name, spec });
    await ns.create(service('example', { taskDefinition: spec.family ?? metadata.name }));
    await ns.until(
      'a task with all its containers running',
      () => runningPods(ns.history, 'example').find(({ status }) => status?.phase === 'Running'),
      120_000,
    );
  });
});
