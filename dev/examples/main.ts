/**
 * `npm run examples -- FILE…`: imports AWS task definitions as they are, runs each as a service on a real node, with the
 * real programs where Debian packages them, asks it for a page, and prints a table of what came of each.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { debianImages } from '../cluster/debian-programs.ts';
import { type LocalCluster, up } from '../cluster/index.ts';
import { installKinds } from '../cluster/kinds.ts';
import { run } from '../cluster/run.ts';
import { kubectl } from '../demo/environment.ts';
import { startOperator } from '../demo/operator.ts';
import { type Answer, type ExampleTask, firstPort, tryPage } from './page.ts';

const root = resolve(import.meta.dirname, '..', '..');
const RUN_SECONDS = 240;
const STAND_IN = 'stand-in';

interface Options {
  readonly report?: string;
  readonly standIns?: boolean;
}

interface Row {
  readonly file: string;
  readonly program: string;
  readonly verdict: string;
  readonly notExact: string;
}

interface Manifest {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly family?: string;
    readonly containerDefinitions: readonly ExampleTask['containerDefinitions'][number][];
  };
}

const command = new Command('examples')
  .description('Runs AWS task definitions on a real node and says what came of each.')
  .argument('<file...>', 'task definitions as AWS has them')
  .option('--report <file>', 'writes the table there as Markdown')
  .option('--stand-ins', 'runs the stand-ins of images.yaml, and makes no image of Debian packages')
  .parse();
const options = command.opts<Options>();
const say = (line: string): void => console.error(line);

const programOf = (image: string): string => {
  const name = image.replace(/(:[^/]*|@.*)$/, '');
  return options.standIns !== true && debianImages()[name] !== undefined ? "Debian's" : STAND_IN;
};

async function example(cluster: LocalCluster, file: string, number: number): Promise<Row> {
  const name = basename(file);
  const imported = await run(process.execPath, [join(root, 'src', 'cli', 'main.ts'), 'import', file]);
  if (imported.code !== 0) {
    const reason = imported.stderr.trim().split('\n')[0] ?? '';
    return {
      file: name,
      program: '',
      verdict: `refused: ${reason.slice(reason.indexOf(name) + name.length + 2)}`,
      notExact: '',
    };
  }
  const [definition] = parseAllDocuments(imported.stdout).map((document) => document.toJS() as Manifest);
  if (definition === undefined) throw new Error(`${file}: the import gave no manifest`);
  const namespace = `example-${number}`;
  await kubectl(cluster, ['create', 'namespace', namespace]);
  const service = {
    apiVersion: 'longshore.dev/v1alpha1',
    kind: 'Service',
    metadata: { name: 'example' },
    spec: { taskDefinition: definition.spec.family ?? definition.metadata.name, desiredCount: 1 },
  };
  await kubectl(cluster, ['apply', '-n', namespace, '-f', '-'], imported.stdout);
  await kubectl(cluster, ['apply', '-n', namespace, '-f', '-'], JSON.stringify(service));
  const answer = await answerOf(cluster, namespace, definition.spec);
  const support = await kubectl(cluster, [
    'get',
    'taskdefinitions.longshore.dev',
    '-n',
    namespace,
    definition.metadata.name,
    '-o',
    'jsonpath={range .status.fieldSupport[*]}{.field} {.support};{end}',
  ]);
  await kubectl(cluster, ['delete', 'namespace', namespace, '--wait=true', '--timeout=120s']);
  return {
    file: name,
    program: [...new Set(definition.spec.containerDefinitions.map(({ image }) => programOf(image)))].join(', '),
    verdict: answer,
    notExact: support
      .split(';')
      .filter(Boolean)
      .map((line) => line.replace('spec.', ''))
      .join('<br>'),
  };
}

async function answerOf(cluster: LocalCluster, namespace: string, task: ExampleTask): Promise<Answer> {
  const wait = ['wait', 'pod', '-n', namespace, '-l', 'longshore.dev/service=example'];
  const until = Date.now() + RUN_SECONDS * 1000;
  for (;;) {
    const { code } = await cluster.kubectl([...wait, '--for=jsonpath={.status.phase}=Running', '--timeout=10s']);
    if (code === 0) break;
    if (Date.now() > until) {
      const why = await kubectl(cluster, [
        'get',
        'services.longshore.dev',
        '-n',
        namespace,
        '-o',
        'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].message}',
      ]);
      return `does not run: ${why}`;
    }
  }
  const port = firstPort(task);
  // A stand-in listens where it likes.
  if (port === undefined || task.containerDefinitions.some(({ image }) => programOf(image) === STAND_IN)) return 'runs';
  const address = await kubectl(cluster, [
    'get',
    'pod',
    '-n',
    namespace,
    '-l',
    'longshore.dev/service=example',
    '-o',
    'jsonpath={.items[0].status.podIP}',
  ]);
  return tryPage(`http://${address}:${port}/`, RUN_SECONDS);
}

function markdown(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ file, program, verdict, notExact }) => `| ${file} | ${program} | ${verdict} | ${notExact} |`,
  );
  return ['| file | program | outcome | not exact |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

const dir = mkdtempSync(join(tmpdir(), 'lsh-examples-'));
let cluster: LocalCluster | undefined;
try {
  const programs = options.standIns === true ? {} : { programs: 'debian' as const };
  cluster = await up({ dir, nodes: 'real', onProgress: say, ...programs });
  await installKinds(cluster);
  const operator = await startOperator({ cluster, real: true, started: true }, root, say);
  const rows: Row[] = [];
  for (const [index, file] of command.args.entries()) {
    rows.push(await Promise.race([example(cluster, file, index + 1), operator.ended]));
    say(`${rows.at(-1)?.file}: ${rows.at(-1)?.verdict}`);
  }
  await operator.stop();
  console.log(markdown(rows));
  if (options.report !== undefined) writeFileSync(options.report, markdown(rows));
  process.exitCode = rows.every(({ verdict }) => !verdict.startsWith('does not')) ? 0 : 1;
} finally {
  await cluster?.down();
  rmSync(dir, { recursive: true, force: true });
}
