/** `npm run bench -- <scenario> [options]`: each scenario is a file beside this one. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Those that other scenarios use. */
const PARTS = ['main', 'pods', 'cache-process', 'batch-runs', 'batch-report'];

const scenarios = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length))
  .filter((name) => !PARTS.includes(name));

const [scenario = ''] = process.argv.splice(2, 1);
if (!scenarios.includes(scenario)) {
  console.error(`npm run bench -- <scenario> [options]; the scenarios are ${scenarios.join(', ')}`);
  process.exit(1);
}
await import(pathToFileURL(join(import.meta.dirname, `${scenario}.ts`)).href);
