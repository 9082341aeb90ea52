import { Command } from 'commander';
import { down, status, up } from './index.ts';
import { installKinds } from './kinds.ts';
import { defaultDir } from './options.ts';

const say = (line: string) => console.error(`cluster: ${line}`);

const program = new Command('cluster').description('A local Kubernetes cluster of real components, built from source.');

program
  .command('up')
  .description('build what is missing, start the cluster, and wait until its nodes are Ready')
  .option('--nodes <kinds>', 'kwok=N (simulated), real, real=2 (containers; Linux, root), or "real,kwok=2"', 'kwok=3')
  .option('--dir <path>', 'where everything of the cluster lives', defaultDir)
  .option('--emulate <version>', 'show the API and feature gates of an older Kubernetes, such as 1.34')
  .option('--audit', 'write every request to <dir>/logs/audit.log')
  .action(async (options: { nodes: string; dir: string; emulate?: string; audit?: boolean }) => {
    const stop = (signal: string) => {
      say(`${signal}: taking down what was started`);
      void down(options.dir).finally(() => process.exit(130));
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    const cluster = await up({ ...options, onProgress: say });
    await installKinds(cluster);
    say("Longshore's kinds are installed (crds/)");
    console.log(
      `export KUBECONFIG=${cluster.kubeconfig}\nexport PATH=${cluster.kubectlPath.replace(/\/kubectl$/, '')}:$PATH`,
    );
  });

program
  .command('down')
  .description('stop the cluster and remove all it occupied')
  .option('--dir <path>', 'where everything of the cluster lives', defaultDir)
  .action(async (options: { dir: string }) => {
    await down(options.dir);
    say('down');
  });

program
  .command('status')
  .description('show every component and node; exits 1 when the cluster is not wholly up')
  .option('--dir <path>', 'where everything of the cluster lives', defaultDir)
  .action(async (options: { dir: string }) => {
    const { state, server, components, nodes } = await status(options.dir);
    console.log(`${state}${server === undefined ? '' : `  ${server}`}`);
    for (const { name, pid, running } of components)
      console.log(`  ${name.padEnd(26)} ${running ? 'running' : 'ENDED'}  pid ${pid}`);
    for (const { name, kind, ready } of nodes)
      console.log(`  node ${name.padEnd(21)} ${ready ? 'Ready' : 'NotReady'}  ${kind}`);
    for (const { name, log, logEnd } of components)
      if (logEnd !== undefined) console.log(`\n${name} has ended; the end of ${log}:\n${logEnd}`);
    process.exitCode = state === 'up' ? 0 : 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
