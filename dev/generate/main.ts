import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { customResourceDefinitionFile, kindsKustomization } from './custom-resource-definition.ts';
import { KINDS } from './kinds.ts';
import { roleFiles, withPermissions, withRightsTable } from './roles.ts';
import { supportMatrixFile } from './support-matrix.ts';

/** `kubectl apply` keeps the whole object in an annotation, whose limit is 262144 bytes. */
const APPLY_LIMIT = 250_000;

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });

const definitions = KINDS.map(customResourceDefinitionFile);
for (const { path, content } of definitions) {
  const size = Buffer.byteLength(content);
  if (size > APPLY_LIMIT) throw new Error(`${path} has ${size} bytes; kubectl apply takes at most ${APPLY_LIMIT}`);
}

const edited = async (path: string, edit: (text: string) => string): Promise<{ path: string; content: string }> => ({
  path,
  content: edit(await readFile(join(root, path), 'utf8')),
});
const kustomization = kindsKustomization(definitions.map(({ path }) => path));
const files = [
  ...definitions,
  kustomization,
  supportMatrixFile(),
  ...roleFiles(),
  await edited('README.md', withRightsTable),
  await edited('docs/install.md', withPermissions),
];
const wanted = new Map(files.map(({ path, content }) => [path, content]));
const committed = (await readdir(join(root, 'crds')).catch(() => [])).map((name) => `crds/${name}`);
const superfluous = committed.filter((path) => !wanted.has(path));
const stale: string[] = [];
for (const [path, content] of wanted) {
  if ((await readFile(join(root, path), 'utf8').catch(() => undefined)) !== content) stale.push(path);
}

if (options.check) {
  for (const path of stale) console.error(`generate: ${path} does not follow from src`);
  for (const path of superfluous) console.error(`generate: ${path} belongs to no kind`);
  if (stale.length + superfluous.length > 0) {
    console.error('generate: run `npm run generate` and commit what it writes');
    process.exitCode = 1;
  } else {
    console.log(`generate: ${wanted.size} files are current`);
  }
} else {
  for (const path of superfluous) await rm(join(root, path));
  for (const path of stale) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), wanted.get(path) ?? '');
  }
  for (const [path, content] of wanted) {
    console.log(`generate: ${path} (${Buffer.byteLength(content)} bytes)${stale.includes(path) ? ' written' : ''}`);
  }
}
