/**
 * Plays the AWS Load Balancer Controller 3.5.0 and the load balancer behind it, for the TargetGroupBindings of one namespace, as
 * its sources have it: pkg/targetgroupbinding/resource_manager.go (registration, conditions, what is asked again and what is
 * not), pkg/backend/endpoint_resolver.go (which endpoints are targets). What it does within 15 s is done at once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, expect, type TestContext } from 'vitest';
import type { KubeObject } from './kube-api.ts';
import type { Pod } from './recorder.ts';
import type { Suite, TestNamespace } from './suite.ts';

export const CRD = 'targetgroupbindings.elbv2.k8s.aws';
const FILE = join(import.meta.dirname, '..', 'fixtures', 'aws-load-balancer-controller', 'targetgroupbindings.yaml');

/** @returns what installs the controller's kind where no test of the file has done so, and returns once it is served. */
export function useBindings(suite: () => Suite): () => Promise<void> {
  let installed: Promise<unknown> | undefined;
  afterAll(async () => {
    if (installed !== undefined) await suite().cluster.kubectl(['delete', `crd/${CRD}`, '--wait=false']);
  });
  return async () => {
    const { cluster } = suite();
    installed ??= cluster.kubectl(['apply', '--server-side', '--filename=-'], { input: readFileSync(FILE, 'utf8') });
    expect(await installed).toMatchObject({ code: 0 });
    const waited = await cluster.kubectl(['wait', '--for=condition=Established', '--timeout=60s', `crd/${CRD}`]);
    expect(waited).toMatchObject({ code: 0 });
  };
}

const FINALIZER = 'elbv2.k8s.aws/resources';

export interface Binding extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly finalizers?: readonly string[] };
  readonly spec: {
    readonly targetGroupARN: string;
    readonly targetType?: string;
    readonly serviceRef: { readonly name: string; readonly port: number | string };
  };
}

interface CoreService extends KubeObject {
  readonly spec: { readonly ports: readonly { readonly name?: string; readonly port: number }[] };
}

interface EndpointSlice extends KubeObject {
  readonly addressType: string;
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[] | null;
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[];
        readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
        readonly targetRef?: { readonly kind: string; readonly name: string };
      }[]
    | null;
}

/** ELBv2's TargetHealth. */
export interface TargetHealth {
  readonly state: 'initial' | 'healthy' | 'unhealthy' | 'draining' | 'unused';
  readonly reason?: string;
  readonly description?: string;
}

const REGISTERING: TargetHealth = {
  state: 'initial',
  reason: 'Elb.RegistrationInProgress',
  description: 'Target registration is in progress',
};
export const CHECKING: TargetHealth = {
  state: 'initial',
  reason: 'Elb.InitialHealthChecking',
  description: 'Initial health checks in progress',
};
export const HEALTHY: TargetHealth = { state: 'healthy' };
export const UNHEALTHY: TargetHealth = {
  state: 'unhealthy',
  reason: 'Target.ResponseCodeMismatch',
  description: 'Health checks failed with these codes: [503]',
};

export class LoadBalancerController {
  /** What the load balancer finds when it checks the target that a pod is. */
  checks: (pod: Pod) => TargetHealth = () => HEALTHY;
  /** What it has been told, oldest first: `register ARN 10.0.0.1:80`, `deregister …`. */
  readonly calls: string[] = [];
  readonly #suite: Suite;
  readonly #ns: TestNamespace;
  /** ARN → address and port → whether it is asked for the first time. */
  readonly #targets = new Map<string, Set<string>>();
  /** Binding → its endpoints when all of them were healthy: nothing is asked again until they change. */
  readonly #done = new Map<string, string>();

  constructor(suite: Suite, ns: TestNamespace) {
    this.#suite = suite;
    this.#ns = ns;
  }

  /** Reconciles again and again until the test is over. */
  static run(suite: Suite, ns: TestNamespace, { onTestFinished }: TestContext): LoadBalancerController {
    const controller = new LoadBalancerController(suite, ns);
    let running = true;
    let problem: unknown;
    const loop = (async () => {
      while (running) {
        await controller.reconcile();
        await setTimeout(200);
      }
    })().catch((error: unknown) => {
      problem = error;
    });
    onTestFinished(async () => {
      running = false;
      await loop;
      await controller.release();
      if (problem !== undefined) throw problem;
    });
    return controller;
  }

  /** Forgets that nothing has to be asked: what the controller does every 30 to 45 minutes. */
  resync(): void {
    this.#done.clear();
  }

  async bindings(): Promise<Binding[]> {
    return (await this.#list<Binding>('/apis/elbv2.k8s.aws/v1beta1', 'targetgroupbindings')) ?? [];
  }

  /** Targets of a target group, as `address:port`. */
  targets(arn: string): string[] {
    return [...(this.#targets.get(arn) ?? [])].sort();
  }

  async reconcile(): Promise<void> {
    for (const binding of await this.bindings()) {
      if (binding.metadata.deletionTimestamp !== undefined) await this.#cleanUp(binding);
      else await this.#reconcile(binding);
    }
  }

  /** So that the namespace of the test can go. */
  async release(): Promise<void> {
    for (const { metadata } of await this.bindings()) await this.#patch(metadata.name, { finalizers: null });
  }

  async #reconcile(binding: Binding): Promise<void> {
    const { metadata, spec } = binding;
    if (spec.targetType !== 'ip') throw new Error(`targetType is not specified: ${metadata.name}`);
    if (metadata.finalizers?.includes(FINALIZER) !== true)
      await this.#patch(metadata.name, { finalizers: [...(metadata.finalizers ?? []), FINALIZER] });
    const endpoints = await this.#endpoints(binding);
    // Its service or the port of it is not there.
    if (endpoints === undefined) return this.#deregister(spec.targetGroupARN, []);
    const type = `target-health.elbv2.k8s.aws/${metadata.name}`;
    const checkpoint = JSON.stringify([...endpoints.keys()].sort());
    const open = [...endpoints.values()].some((pod) => conditionOf(pod, type)?.status === 'False');
    if (this.#done.get(metadata.name) === checkpoint && !open) return;
    this.#done.delete(metadata.name);
    const known = new Set(this.#targets.get(spec.targetGroupARN));
    this.#deregister(spec.targetGroupARN, [...endpoints.keys()]);
    let furtherProbe = false;
    for (const [target, pod] of endpoints) {
      if (!known.has(target)) {
        this.calls.push(`register ${spec.targetGroupARN} ${target}`);
        const own = this.#targets.get(spec.targetGroupARN) ?? new Set();
        this.#targets.set(spec.targetGroupARN, own.add(target));
      }
      if (pod.spec.readinessGates?.some(({ conditionType }) => conditionType === type) !== true) continue;
      const health = known.has(target) ? this.checks(pod) : REGISTERING;
      furtherProbe ||= health.state !== 'healthy';
      await this.#writeCondition(pod, type, health);
    }
    if (!furtherProbe) this.#done.set(metadata.name, checkpoint);
  }

  async #cleanUp({ metadata, spec }: Binding): Promise<void> {
    this.#deregister(spec.targetGroupARN, []);
    const type = `target-health.elbv2.k8s.aws/${metadata.name}`;
    for (const pod of this.#pods())
      if (pod.spec.readinessGates?.some(({ conditionType }) => conditionType === type))
        await this.#writeCondition(pod, type, { state: 'healthy', description: 'Target Group Binding is deleted' });
    await this.#patch(metadata.name, { finalizers: null });
  }

  #deregister(arn: string, wanted: readonly string[]): void {
    const own = this.#targets.get(arn);
    for (const target of own ?? []) {
      if (wanted.includes(target)) continue;
      own?.delete(target);
      this.calls.push(`deregister ${arn} ${target}`);
    }
  }

  /** Of the pods that a binding's service has: the ready ones, and those that wait for nothing but a gate. */
  async #endpoints({ spec }: Binding): Promise<Map<string, Pod> | undefined> {
    const { name, port } = spec.serviceRef;
    const found = (await this.#list<CoreService>('/api/v1', 'services'))?.find(
      ({ metadata }) => metadata.name === name,
    );
    const servicePort = found?.spec.ports.find((one) => (typeof port === 'string' ? one.name : one.port) === port);
    if (servicePort === undefined) return undefined;
    const slices = await this.#list<EndpointSlice>(
      '/apis/discovery.k8s.io/v1',
      `endpointslices?labelSelector=kubernetes.io/service-name=${name}`,
    );
    const targets = new Map<string, Pod>();
    for (const slice of slices ?? []) {
      if (slice.addressType !== 'IPv4') continue;
      for (const { name: portName = '', port: number } of slice.ports ?? []) {
        if (servicePort.name !== undefined && servicePort.name !== portName) continue;
        for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
          const pod =
            targetRef?.kind === 'Pod'
              ? this.#pods().find(({ metadata }) => metadata.name === targetRef.name)
              : undefined;
          if (pod === undefined) continue;
          const waits = conditionOf(pod, 'ContainersReady')?.status === 'True' && conditions?.terminating !== true;
          if (conditions?.ready !== false || waits) targets.set(`${addresses[0]}:${number}`, pod);
        }
      }
    }
    return targets;
  }

  #pods(): Pod[] {
    return this.#ns.history.all('pods');
  }

  async #writeCondition(pod: Pod, type: string, { state, reason = '', description = '' }: TargetHealth): Promise<void> {
    const status = state === 'healthy' ? 'True' : 'False';
    const before = conditionOf(pod, type);
    if (before?.status === status && before.reason === reason && before.message === description) return;
    const lastTransitionTime =
      before?.status === status ? before.lastTransitionTime : new Date().toISOString().replace(/\.\d+/, '');
    const condition = { type, status, reason, message: description, lastTransitionTime };
    const { name, uid } = pod.metadata;
    const { code, stderr } = await this.#suite.cluster.kubectl([
      `--namespace=${this.#ns.name}`,
      'patch',
      'pod',
      name,
      '--subresource=status',
      '--type=strategic',
      `--patch=${JSON.stringify({ metadata: { uid }, status: { conditions: [condition] } })}`,
    ]);
    if (code !== 0 && !stderr.includes('NotFound') && !stderr.includes('Conflict')) throw new Error(stderr);
  }

  async #patch(name: string, metadata: object): Promise<void> {
    const path = `/apis/elbv2.k8s.aws/v1beta1/namespaces/${this.#ns.name}/targetgroupbindings/${name}`;
    await this.#call('PATCH', path, { metadata });
  }

  /** Undefined where there is no such object or kind. */
  async #call<T>(method: string, path: string, body?: object): Promise<T | undefined> {
    while (true) {
      try {
        return await this.#suite.api.call<T>(method, path, body);
      } catch (error) {
        if (String(error).includes(': 404 ')) return undefined;
        // Of a kind that was defined a moment ago, the API server says so for a while.
        if (!String(error).includes(': 429 ')) throw error;
        await setTimeout(100);
      }
    }
  }

  /** Undefined where the API server has no such kind. */
  async #list<T>(root: string, what: string): Promise<T[] | undefined> {
    const list = await this.#call<{ items: T[] }>('GET', `${root}/namespaces/${this.#ns.name}/${what}`);
    return list?.items;
  }
}

const conditionOf = (pod: Pod, type: string) =>
  pod.status?.conditions?.find((condition) => condition.type === type) as
    | {
        readonly status: string;
        readonly reason?: string;
        readonly message?: string;
        readonly lastTransitionTime?: string;
      }
    | undefined;
