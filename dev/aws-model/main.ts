/**
 * `npm run aws-model`: makes src/aws-model/*.json anew from the newest botocore on PyPI (pip's own configuration says
 * where that is). The only command here that needs a network and Python; nothing else runs it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type BotocoreModel, serviceModelText, trim } from './trim.ts';

interface Source {
  /** Folder of the service in botocore's data. */
  readonly service: string;
  readonly apiVersion: string;
  readonly file: string;
  readonly operations: Readonly<Record<string, readonly ('input' | 'output')[]>>;
  /** Absent: as AWS has them. */
  readonly fieldNames?: (name: string) => string;
}

/** ELBv2 and EventBridge Scheduler write their fields in PascalCase; in a manifest all fields are alike. */
const lowerCamel = (name: string): string => name.slice(0, 1).toLowerCase() + name.slice(1);

const SOURCES: readonly Source[] = [
  {
    service: 'ecs',
    apiVersion: '2014-11-13',
    file: 'ecs.json',
    operations: {
      RegisterTaskDefinition: ['input'],
      DescribeTaskDefinition: ['output'],
      CreateService: ['input'],
      DescribeServices: ['output'],
      UpdateService: ['input'],
      RunTask: ['input'],
      CreateCluster: ['input'],
    },
  },
  {
    service: 'batch',
    apiVersion: '2016-08-10',
    file: 'batch.json',
    operations: {
      RegisterJobDefinition: ['input'],
      DescribeJobDefinitions: ['output'],
      SubmitJob: ['input'],
      CreateJobQueue: ['input'],
      DescribeJobQueues: ['output'],
      CreateComputeEnvironment: ['input'],
      DescribeComputeEnvironments: ['output'],
      CreateSchedulingPolicy: ['input'],
      DescribeSchedulingPolicies: ['output'],
    },
  },
  {
    service: 'elbv2',
    apiVersion: '2015-12-01',
    file: 'elbv2.json',
    operations: { CreateTargetGroup: ['input'] },
    fieldNames: lowerCamel,
  },
  {
    service: 'scheduler',
    apiVersion: '2021-06-30',
    file: 'scheduler.json',
    operations: { CreateSchedule: ['input'] },
    fieldNames: lowerCamel,
  },
];

const target = resolve(import.meta.dirname, '../../src/aws-model');
const work = await mkdtemp(join(tmpdir(), 'longshore-aws-model-'));
try {
  execFileSync('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', work, 'botocore'], {
    stdio: 'inherit',
  });
  const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
  const release = wheel === undefined ? undefined : /^botocore-([^-]+)-/.exec(wheel)?.[1];
  if (wheel === undefined || release === undefined) throw new Error(`pip left no wheel of botocore in ${work}`);
  execFileSync('python3', ['-m', 'zipfile', '-e', join(work, wheel), work]);
  for (const { service, apiVersion, file, operations, fieldNames } of SOURCES) {
    const path = `botocore/data/${service}/${apiVersion}/service-2.json.gz`;
    const model = JSON.parse(gunzipSync(await readFile(join(work, path))).toString()) as BotocoreModel;
    const text = serviceModelText(trim(model, operations, `botocore ${release}, ${path}, Apache-2.0`, fieldNames));
    await writeFile(join(target, file), text);
    console.log(`aws-model: src/aws-model/${file} from botocore ${release} (${Buffer.byteLength(text)} bytes)`);
  }
} finally {
  await rm(work, { recursive: true });
}
