/** The operator as JavaScript, with the bill of materials and the licences of what is in it. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { build } from 'rolldown';
import { mustRun } from '../cluster/run.ts';

const root = resolve(import.meta.dirname, '..', '..');

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

const packageIn = (folder: string): Package => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The folder of the npm package that a module belongs to; undefined where it is the project's own. */
const folderOf = (module: string): string | undefined => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(module)?.[0];

/** What the licences ask for: their texts go with the code. */
function licences(folders: readonly string[]): string {
  const texts = folders.map((folder) => {
    const { name, version, license } = packageIn(folder);
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const words = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...words].join('\n\n');
  });
  return `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

/** CycloneDX of the dependencies, without what differs from run to run and from folder to folder. */
async function billOfMaterials(): Promise<string> {
  const args = ['sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--omit=dev', '--package-lock-only'];
  const bom = JSON.parse(await mustRun('npm', args, { cwd: root, timeout: 120_000 }));
  delete bom.serialNumber;
  delete bom.metadata.timestamp;
  bom.metadata.component.name = packageIn(root).name;
  return `${JSON.stringify(bom, null, 2)}\n`;
}

/**
 * Writes `longshore.js` and what belongs to it into a folder, which is made anew; the same sources always make the same
 * bytes. It runs where package.json is in the folder above.
 * @returns the names of the files.
 */
export async function buildOperator(dist: string): Promise<string[]> {
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  const { output } = await build({
    cwd: root,
    input: { longshore: 'src/main.ts' },
    platform: 'node',
    // Not made smaller: stack traces stay readable.
    output: { dir: dist, format: 'esm', chunkFileNames: '[name].js' },
  });
  const chunks = output.filter((file) => file.type === 'chunk');
  // What is not bundled would be missing in the image.
  const missing = chunks
    .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    .filter((name) => !isBuiltin(name) && !chunks.some(({ fileName }) => fileName === name));
  if (missing.length > 0) throw new Error(`not in the bundle: ${missing.join(', ')}`);

  const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
  const folders = [...new Set(modules.map(folderOf))].filter((folder) => folder !== undefined).sort();
  const besides = { 'LICENSES-of-dependencies': licences(folders), 'sbom.cdx.json': await billOfMaterials() };
  for (const [name, text] of Object.entries(besides)) writeFileSync(join(dist, name), text);
  return [...chunks.map(({ fileName }) => fileName), ...Object.keys(besides)];
}
