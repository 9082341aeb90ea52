/** `npm run image`: makes the operator's image, and gives it to the real nodes of the local cluster. */
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultDir } from '../cluster/options.ts';
import { IMAGE, importImage, makeImage } from './index.ts';

const root = resolve(import.meta.dirname, '..', '..');
const { values } = parseArgs({
  options: {
    output: { type: 'string', default: join(root, 'dist', 'image.tar') },
    dir: { type: 'string', default: defaultDir },
  },
});
mkdirSync(dirname(values.output), { recursive: true });
console.log(`${IMAGE}@${await makeImage(values.output)}`);
console.log(`written to ${values.output}`);
const nodes = await importImage(resolve(values.dir), values.output);
console.log(nodes.length > 0 ? `imported on ${nodes.join(', ')}` : `no cluster with real nodes is up in ${values.dir}`);
