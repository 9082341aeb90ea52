/** `npm run build`: the operator as JavaScript in dist/. */
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildOperator } from './operator.ts';

const dist = resolve(import.meta.dirname, '..', '..', 'dist');
for (const name of await buildOperator(dist))
  console.log(`build: dist/${name} (${statSync(join(dist, name)).size} bytes)`);
