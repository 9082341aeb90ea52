#!/usr/bin/env node
// `npx longshore`, and `kubectl longshore` where kubectl-longshore is on the PATH: the command line on the project's own Node.
process.argv.splice(2, 0, 'src/cli/main.ts');
await import('../../dev/run.mjs');
