/** The command-line tool: `longshore import`, `export` and `validate`. The operator's own options are in ../options.ts. A verb is loaded when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { version } from '../version.ts';
import type { ExportOptions } from './export/command.ts';
import type { ImportOptions } from './import/command.ts';
import { EXIT, type Io } from './io.ts';
import { problemLine, RefusedError } from './problem.ts';
import type { ValidateOptions } from './validate/command.ts';

/** Runs one command line, without the program's name; gives the exit code. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    await program(io).parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof RefusedError)) throw error;
    io.err(`${error.problems.map((problem) => `longshore: ${problemLine(problem)}`).join('\n')}\n`);
    return EXIT.refused;
  }
}

function program(io: Io): Command {
  const root = new Command('longshore')
    .description('Brings files of Amazon ECS and AWS Batch to Longshore and back.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 something given was refused, or cannot be read or written; 2 wrong command line.',
    );
  root
    .command('import')
    .description(
      'writes manifests for what files of ECS, Batch, CloudFormation and Terraform hold, and reports what becomes of each field',
    )
    .argument('<file...>', 'files of AWS; - is standard input')
    .option('-n, --namespace <name>', 'namespace to put into the manifests')
    .option('-o, --output <path>', 'file, or folder for one file an object (default: standard output)')
    .option('--report <file>', 'writes the report as JSON to this file, instead of to standard error')
    .option('--family <name>', 'family of container definitions that come without one, as from Terraform')
    .addOption(
      new Option(
        '--parameter <name=value>',
        'value of what a CloudFormation template refers to: Parameter, AWS::Region, Resource, Resource.Attribute; repeatable',
      ).argParser(parameter),
    )
    .option('--drop-unsupported', 'leaves out fields that Longshore does not take yet, and reports them')
    .action(async (files: string[], options: ImportOptions) =>
      (await import('./import/command.ts')).runImport(files, options, io),
    );
  root
    .command('export')
    .description('writes the JSON that the AWS command line takes for what manifests, or objects of a cluster, hold')
    .argument('<file|kind/name...>', 'manifests, - for standard input, or objects such as taskdefinition/web')
    .option('-n, --namespace <name>', "namespace of the objects (default: the context's)")
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .addOption(
      new Option(
        '--revision <number>',
        'registered revision of the task definition (default: what the object says)',
      ).argParser(revision),
    )
    .option('-o, --output <path>', 'file, or folder for one file an input (default: standard output)')
    .action(async (targets: string[], options: ExportOptions) =>
      (await import('./export/command.ts')).runExport(targets, options, io),
    );
  root
    .command('validate')
    .description('checks manifests offline, with the messages of the API server')
    .argument('<file...>', 'manifests, YAML or JSON; - is standard input')
    .option('--report <file>', 'writes what becomes of each field as JSON to this file, instead of to standard error')
    .option('-q, --quiet', 'prints problems only')
    .action(async (files: string[], options: ValidateOptions) =>
      (await import('./validate/command.ts')).runValidate(files, options, io),
    );
  return root;
}

function revision(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('allowed: a whole number from 1.');
  return Number(text);
}

function parameter(text: string, before: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('allowed: NAME=VALUE.');
  return new Map([...before, [name, value]]);
}
