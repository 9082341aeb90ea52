import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../dev/cluster/api.ts';
import { type LocalCluster, up } from '../../dev/cluster/index.ts';
import { installKinds } from '../../dev/cluster/kinds.ts';
import { parseBatchJob } from '../../src/api/batch-job.ts';
import { parseCluster } from '../../src/api/cluster.ts';
import { parseComputeEnvironment } from '../../src/api/compute-environment.ts';
import { parseJobQueue } from '../../src/api/job-queue.ts';
import {
  API_VERSION,
  batchJobs,
  clusters,
  computeEnvironments,
  jobQueues,
  scheduledTasks,
  services,
  targetGroups,
  taskDefinitions,
  tasks,
} from '../../src/api/meta.ts';
import { InvalidSpecError, type SpecProblem } from '../../src/api/parse.ts';
import { parseScheduledTask } from '../../src/api/scheduled-task.ts';
import { parseService } from '../../src/api/service.ts';
import { parseTargetGroup } from '../../src/api/target-group.ts';
import { parseTask } from '../../src/api/task.ts';
import { parseTaskDefinition } from '../../src/api/task-definition.ts';
import { soundTaskDefinition } from '../support/sound-task-definition.ts';
import { brokenFields, brokenRules } from '../unit/api/broken-rules.ts';
import { clusterSamples } from '../unit/api/cluster-samples.ts';
import { mutation } from '../unit/api/mutation.ts';
import {
  computeEnvironment,
  job,
  jobQueue,
  samples as otherSamples,
  runTask,
  type SampleKind,
  scheduled,
  service,
  task,
  wordpress,
} from '../unit/api/samples.ts';
import { serviceDiscoverySamples } from '../unit/api/service-discovery-samples.ts';
import { longshore } from '../unit/cli/run.ts';

const crds = join(import.meta.dirname, '../../crds');
const resources = [
  taskDefinitions,
  services,
  batchJobs,
  tasks,
  clusters,
  targetGroups,
  scheduledTasks,
  jobQueues,
  computeEnvironments,
];
const samples = [...otherSamples, ...clusterSamples, ...serviceDiscoverySamples];
const parsers = {
  TaskDefinition: parseTaskDefinition,
  Service: parseService,
  BatchJob: parseBatchJob,
  Task: parseTask,
  Cluster: parseCluster,
  TargetGroup: parseTargetGroup,
  ScheduledTask: parseScheduledTask,
  JobQueue: parseJobQueue,
  ComputeEnvironment: parseComputeEnvironment,
};
const plurals = {
  TaskDefinition: 'taskdefinitions',
  Service: 'services',
  BatchJob: 'batchjobs',
  Task: 'tasks',
  Cluster: 'clusters',
  TargetGroup: 'targetgroups',
  ScheduledTask: 'scheduledtasks',
  JobQueue: 'jobqueues',
  ComputeEnvironment: 'computeenvironments',
};

const dir = mkdtempSync(join(tmpdir(), 'longshore-crds-'));
let cluster: LocalCluster;
let api: ApiClient;

const object = (kind: SampleKind, spec: unknown, name = 'sample') => ({
  apiVersion: API_VERSION,
  kind,
  metadata: { name, ...(kind !== 'ComputeEnvironment' && { namespace: 'default' }) },
  spec,
});

const dryRunPath = (kind: SampleKind) =>
  `/apis/${API_VERSION}${kind === 'ComputeEnvironment' ? '' : '/namespaces/default'}/${plurals[kind]}?dryRun=All&fieldValidation=Strict`;

const kubectl = (args: string[], input?: unknown) =>
  cluster.kubectl(args, input === undefined ? {} : { input: JSON.stringify(input) });

async function succeed(args: string[], input?: unknown): Promise<string> {
  const { stdout, stderr, code } = await kubectl(args, input);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** What zod finds wrong; empty when nothing. */
function zodProblems(kind: SampleKind, spec: unknown): string {
  try {
    parsers[kind](spec);
    return '';
  } catch (error) {
    if (error instanceof InvalidSpecError) return error.message;
    throw error;
  }
}

beforeAll(async () => {
  cluster = await up({ dir, nodes: 'kwok=1' });
  api = new ApiClient(cluster.kubeconfig);
  await installKinds(cluster);
});

afterAll(async () => {
  api?.close();
  await cluster?.down();
  rmSync(dir, { recursive: true, force: true });
});

describe('the CRDs', () => {
  it('can be applied again with plain kubectl apply, and change nothing', async () => {
    const output = await succeed(['apply', '-f', crds]);
    expect(output.match(/unchanged/g)).toHaveLength(resources.length);
  });

  it('raise no condition of a schema that is not structural', async () => {
    for (const { plural, group } of resources) {
      const crd = JSON.parse(await succeed(['get', 'crd', `${plural}.${group}`, '-o', 'json']));
      const types = crd.status.conditions.map(
        ({ type, status }: { type: string; status: string }) => `${type}=${status}`,
      );
      expect(types.sort()).toEqual(['Established=True', 'NamesAccepted=True']);
    }
  });

  it('explain themselves', async () => {
    // Discovery lists a kind some moments after it is Established.
    const explained = (field: string) =>
      expect.poll(async () => (await kubectl(['explain', field, '--api-version', API_VERSION])).stdout, {
        timeout: 30_000,
      });
    await explained('taskdefinitions.spec.containerDefinitions.healthCheck').toContain('5 to 300. Default: 30.');
    await explained('services.spec.desiredCount').toContain('Tasks to keep running, from 0.');
    await explained('tasks.spec.count').toContain('Tasks to run, 1 to 10. Default: 1.');
    await explained('batchjobs.status.attempts').toContain('Exit code of the container');
  });
});

describe('the API server and zod give one verdict', () => {
  it.concurrent.for(samples)('$kind: $title', async ({ kind, spec, refused }, { expect }) => {
    const accepted = refused === undefined;
    expect(zodProblems(kind, spec) === '', 'verdict of zod').toBe(accepted);
    for (const way of [['apply'], ['apply', '--server-side']]) {
      const args = [...way, '--dry-run=server', '--validate=strict', '-f', '-'];
      const { stderr, code } = await kubectl(args, object(kind, spec));
      expect(code === 0, `verdict of the API server on kubectl ${way.join(' ')}: ${stderr}`).toBe(accepted);
      // Server-side apply refuses some mistakes earlier, in words of its own.
      if (way.length === 1) for (const text of refused ?? []) expect(stderr).toContain(text);
    }
  });

  it('on specs with one field broken at random', async () => {
    const accepted = samples.filter(({ refused }) => refused === undefined);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...accepted).chain(mutation), async ({ kind, spec, change }) => {
        const { status, body } = await api.call('POST', dryRunPath(kind), object(kind, spec));
        const zod = zodProblems(kind, spec);
        expect(status === 201, `${kind} with ${change}\nzod: ${zod}\nAPI server: ${body}`).toBe(zod === '');
      }),
      { numRuns: 500 },
    );
  });
});

describe('the API server and zod give one verdict on task definitions of every shape', () => {
  const seed = Date.now();
  const whole = fc.sample(soundTaskDefinition, { numRuns: 250, seed });
  const broken = fc.sample(
    soundTaskDefinition.chain((spec) => mutation({ kind: 'TaskDefinition', spec })),
    { numRuns: 250, seed },
  );

  it('that keep to all rules', async () => {
    const refused = await concurrently(whole, async (spec) => {
      const problems = await serverProblems(spec);
      const zod = zodProblems('TaskDefinition', spec);
      return problems.length === 0 && zod === '' ? [] : [{ spec, problems, zod }];
    });
    expect(refused, `seed ${seed}`).toEqual([]);
  });

  it('that have one place broken at random', async () => {
    const verdicts = await concurrently(broken, async ({ spec, change }) => {
      const { status, body } = await api.call('POST', dryRunPath('TaskDefinition'), object('TaskDefinition', spec));
      return [{ change, accepted: status === 201, body, zod: zodProblems('TaskDefinition', spec) }];
    });
    expect(
      verdicts.filter(({ accepted, zod }) => accepted !== (zod === '')),
      `seed ${seed}`,
    ).toEqual([]);
    expect(verdicts.filter(({ accepted }) => !accepted).length).toBeGreaterThan(50);
  });
});

/** The results for all items, eight at a time. */
async function concurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<readonly Result[]>,
): Promise<Result[]> {
  const rest = [...items.entries()];
  const results: (readonly Result[])[] = [];
  const worker = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return results.flat();
}

/** What the API server finds wrong with a spec, in the form that zod's problems have. */
async function serverProblems(spec: unknown, kind: SampleKind = 'TaskDefinition'): Promise<SpecProblem[]> {
  const { body } = await api.call('POST', dryRunPath(kind), object(kind, spec));
  const causes: { field: string; message: string }[] = JSON.parse(body).details?.causes ?? [];
  // A note of the API server itself, not a problem: some validation rules were not checked because the object was invalid.
  return causes.filter(({ field }) => field !== '<nil>').map(({ field, message }) => ({ path: field, message }));
}

describe('a spec that breaks one rule', () => {
  it.concurrent.for(brokenRules)(
    'is refused by the API server with one problem: $kind $path: $message',
    async ({ kind, spec, path, message }, { expect }) => {
      const problems = await serverProblems(spec, kind);
      expect(problems.map((problem) => problem.path)).toEqual([path]);
      // Before its own text a rule's message has the value, where that is not an object or a list.
      expect(problems[0]?.message.replace(/^Invalid value: ("([^"\\]|\\.)*"|-?\d+): |^Invalid value: /, '')).toBe(
        message,
      );
    },
  );

  it.concurrent.for(brokenFields)(
    'of a single field is refused with one problem, at $path',
    async ({ spec, path }, { expect }) => {
      expect((await serverProblems(spec)).map((problem) => problem.path)).toEqual([path]);
    },
  );

  it('is refused by kubectl apply and by longshore validate in the same words', async () => {
    const items = brokenRules.map(({ kind, spec }, index) => object(kind, spec, `rule-${index}`));
    const list = { apiVersion: 'v1', kind: 'List', items };
    const { stderr, code } = await kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], list);
    expect(code).toBe(1);
    const validated = await longshore(['validate', '--quiet', '-'], JSON.stringify(list));
    expect(validated.code).toBe(1);
    const applied = stderr
      .trim()
      .split('\n')
      .filter((line) => line.includes('is invalid: '));
    const ours = validated.err.trim().split('\n');
    expect([applied.length, ours.length]).toEqual([items.length, items.length]);
    for (const [index, { kind, path, message }] of brokenRules.entries()) {
      const name = `rule-${index}`;
      const line = applied.find((text) => text.includes(`"${name}" is invalid: `))?.replace(/^.*? is invalid: /, '');
      expect(line?.startsWith(`${path}: Invalid value: `), line).toBe(true);
      expect(line?.endsWith(message), `${line} should end with ${message}`).toBe(true);
      expect(ours).toContain(`longshore: standard input, items[${index}]: ${kind} ${name}: ${line}`);
    }
  });
});

describe('objects', () => {
  it.each(['default', 'kube-system'])(
    'of the whole cluster are taken where they name namespace %s, by kubectl apply and by longshore validate',
    async (namespace) => {
      const given = object('ComputeEnvironment', computeEnvironment(), 'placed');
      const placed = { ...given, metadata: { ...given.metadata, namespace } };
      const { code, stderr } = await kubectl(['apply', '--dry-run=server', '-f', '-'], placed);
      const validated = await longshore(['validate', '-'], JSON.stringify(placed));
      expect([code, validated.code], stderr).toEqual([0, 0]);
    },
  );

  it.each([
    ['client-side apply', ['apply']],
    ['server-side apply', ['apply', '--server-side', '--force-conflicts']],
    ['create', ['replace', '--force']],
  ])('with null for what was never set mean the same as without it: %s', async (_, how) => {
    const spec = task({ family: null, networkMode: null, volumes: null });
    Object.assign((spec.containerDefinitions as object[])[0] ?? {}, { essential: null, ulimits: null, cpu: null });
    await succeed([...how, '-f', '-'], object('TaskDefinition', spec, 'nulls'));
    const stored = JSON.parse(await succeed(['get', 'taskdefinitions', 'nulls', '-o', 'json']));
    expect(stored.spec).toMatchObject({
      networkMode: 'bridge',
      containerDefinitions: [{ name: 'web', essential: true, stopTimeout: 30 }],
    });
    expect(parseTaskDefinition(stored.spec)).toEqual(parseTaskDefinition(spec));
  });

  it('of a service scale, and show AWS columns', async () => {
    await succeed(['apply', '-f', '-'], object('Service', service(), 'web'));
    await succeed(['scale', 'services.longshore.dev/web', '--replicas=7']);
    const now = new Date().toISOString();
    const deployment = {
      id: 'ecs-svc/1234567890123456789',
      status: 'PRIMARY',
      taskDefinition: 'web:1',
      desiredCount: 7,
      pendingCount: 1,
      runningCount: 6,
      failedTasks: 0,
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: 'ECS deployment ecs-svc/1234567890123456789 in progress.',
      createdAt: now,
      updatedAt: now,
    };
    const status = {
      status: 'ACTIVE',
      desiredCount: 7,
      pendingCount: 1,
      runningCount: 6,
      taskDefinition: 'web:1',
      selector: 'longshore.dev/service=web',
      deployments: [deployment],
    };
    await succeed([
      'patch',
      'services.longshore.dev/web',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
    const [header, row] = (await succeed(['get', 'services.longshore.dev', 'web'])).split('\n');
    expect(header?.split(/\s+/)).toEqual([
      'NAME',
      'STATUS',
      'DESIRED',
      'PENDING',
      'RUNNING',
      'TASKDEF',
      'ROLLOUT',
      'AGE',
    ]);
    expect(row?.split(/\s+/).slice(0, 7)).toEqual(['web', 'ACTIVE', '7', '1', '6', 'web:1', 'IN_PROGRESS']);
    const scale = JSON.parse(
      await succeed(['get', '--raw', `/apis/${API_VERSION}/namespaces/default/services/web/scale`]),
    );
    expect(scale).toMatchObject({
      spec: { replicas: 7 },
      status: { replicas: 6, selector: 'longshore.dev/service=web' },
    });
  });

  it('of a job cannot be changed', async () => {
    await succeed(['apply', '-f', '-'], object('BatchJob', job(), 'sum'));
    await succeed(['apply', '-f', '-'], object('BatchJob', job(), 'sum'));
    const { stderr, code } = await kubectl(
      ['apply', '-f', '-'],
      object('BatchJob', job({ retryStrategy: { attempts: 2 } }), 'sum'),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('the spec of a BatchJob cannot be changed');
  });

  it('of a task cannot be changed', async () => {
    await succeed(['apply', '-f', '-'], object('Task', runTask(), 'once'));
    await succeed(['apply', '-f', '-'], object('Task', runTask(), 'once'));
    const { stderr, code } = await kubectl(['apply', '-f', '-'], object('Task', runTask({ count: 2 }), 'once'));
    expect(code).toBe(1);
    expect(stderr).toContain('the spec of a Task cannot be changed');
  });

  it('of a service keep their name', async () => {
    await succeed(['apply', '-f', '-'], object('Service', service({ serviceName: 'a' }), 'named'));
    const { stderr, code } = await kubectl(
      ['apply', '-f', '-'],
      object('Service', service({ serviceName: 'b' }), 'named'),
    );
    expect(code).toBe(1);
    expect(stderr).toContain('spec.serviceName');
    expect(stderr).toContain('serviceName cannot be changed');
  });

  it('of a target group keep their protocol', async () => {
    const group = (protocol: string) => object('TargetGroup', { protocol, port: 80 }, 'edge');
    await succeed(['apply', '-f', '-'], group('TCP'));
    const { stderr, code } = await kubectl(['apply', '-f', '-'], group('UDP'));
    expect(code).toBe(1);
    expect(stderr).toContain('spec.protocol');
    expect(stderr).toContain('protocol cannot be changed');
  });

  it('of a queue and of a compute environment have the defaults of AWS, and show its columns', async () => {
    await succeed(
      ['apply', '-f', '-'],
      object('JobQueue', { ...jobQueue(), kubernetes: null, state: null }, 'columns'),
    );
    await succeed(['apply', '-f', '-'], object('ComputeEnvironment', computeEnvironment(), 'columns'));
    const patch = (kind: string, status: object) =>
      succeed(['patch', kind, 'columns', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
    const now = new Date().toISOString();
    const blocked = {
      job: 'sum',
      name: 'Sum',
      reason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
      message: '.',
      since: now,
    };
    await patch('ejq', { status: 'VALID', runnable: 7, starting: 1, running: 2, blocked });
    await patch('ece', { status: 'VALID', usedVcpus: 0.75, usedMemoryMiB: 512 });
    const table = async (kind: string) =>
      (await succeed(['get', kind, 'columns', '-o', 'wide'])).split('\n').map((line) => line.split(/ {2,}/).slice(1));
    const [queueColumns, queue] = await table('ejq');
    expect(
      Object.fromEntries((queueColumns ?? []).map((column, index) => [column.trim(), queue?.[index]])),
    ).toMatchObject({
      STATE: 'ENABLED',
      STATUS: 'VALID',
      PRIORITY: '1',
      RUNNABLE: '7',
      RUNNING: '2',
      ENVIRONMENTS: 'shared',
      BLOCKED: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY',
    });
    const [columns, environment] = await table('ece');
    expect(
      Object.fromEntries((columns ?? []).map((column, index) => [column.trim(), environment?.[index]])),
    ).toMatchObject({
      STATE: 'ENABLED',
      STATUS: 'VALID',
      MAXVCPUS: '16',
      USEDVCPUS: '0.75',
      USEDMIB: '512',
    });
  });

  it('of a queue have their scheduling policy changed, and neither given nor taken', async () => {
    const queue = (fields: object) => object('JobQueue', { ...jobQueue(), ...fields }, 'fair');
    const fair = (shareDecaySeconds: number) => ({ schedulingPolicy: { fairsharePolicy: { shareDecaySeconds } } });
    await succeed(['apply', '-f', '-'], queue(fair(0)));
    await succeed(['apply', '-f', '-'], queue(fair(3600)));
    const { stderr, code } = await kubectl(['apply', '-f', '-'], queue({}));
    expect(code).toBe(1);
    expect(stderr).toContain('a schedulingPolicy can be changed, but neither given to a queue nor taken from it');
  });

  it('can be applied by the server, and are found by category and short name', async () => {
    await succeed(['apply', '--server-side', '-f', '-'], object('TaskDefinition', wordpress, 'hello-world'));
    expect(await succeed(['get', 'etd', 'hello-world', '-o', 'name'])).toBe(
      'taskdefinition.longshore.dev/hello-world\n',
    );
    await succeed(['apply', '--server-side', '-f', '-'], object('Cluster', {}, 'prod'));
    expect(await succeed(['get', 'ecluster', 'prod', '-o', 'name'])).toBe('cluster.longshore.dev/prod\n');
    await succeed(['apply', '--server-side', '-f', '-'], object('TargetGroup', { protocol: 'HTTP', port: 80 }, 'web'));
    expect(await succeed(['get', 'etg', 'web', '-o', 'name'])).toBe('targetgroup.longshore.dev/web\n');
    await succeed(['apply', '--server-side', '-f', '-'], object('ScheduledTask', scheduled(), 'nightly'));
    expect(await succeed(['get', 'esched', 'nightly', '-o', 'name'])).toBe('scheduledtask.longshore.dev/nightly\n');
    await succeed(['apply', '--server-side', '-f', '-'], object('JobQueue', jobQueue(), 'high'));
    expect(await succeed(['get', 'ejq', 'high', '-o', 'name'])).toBe('jobqueue.longshore.dev/high\n');
    await succeed(['apply', '--server-side', '-f', '-'], object('ComputeEnvironment', computeEnvironment(), 'shared'));
    expect(await succeed(['get', 'ece', 'shared', '-o', 'name'])).toBe('computeenvironment.longshore.dev/shared\n');
    const all = await succeed(['get', 'longshore', '-o', 'name']);
    for (const { singular } of resources) expect(all).toContain(`${singular}.longshore.dev/`);
  });
});
