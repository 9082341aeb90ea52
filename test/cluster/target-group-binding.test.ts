/** Target groups of AWS: what the AWS Load Balancer Controller finds, and what a service makes of what it says. */
import { describe, expect, it, type TestContext } from 'vitest';
import { bindingName } from '../../src/traffic/target-group-binding.ts';
import { writesOf } from '../support/audit.ts';
import {
  type Binding,
  CHECKING,
  CRD,
  HEALTHY,
  LoadBalancerController,
  UNHEALTHY,
  useBindings,
} from '../support/aws-load-balancer-controller.ts';
import { FaultProxy, type Moment } from '../support/fault-proxy.ts';
import { taskIdOf } from '../support/invariants.ts';
import { cluster, service, targetGroup, taskDefinition, version, webContainer } from '../support/manifests.ts';
import type { Operator } from '../support/operator.ts';
import type { Pod } from '../support/recorder.ts';
import { messagesOf, podsOf, readyCondition, runningPods, stoppedTaskOf, untilSteady } from '../support/services.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';
import { until } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

const install = useBindings(suite);

/** They go through many states, and operators that start. */
const SLOW_MS = 600_000;

const arnOf = (name: string): string =>
  `arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/${name}/6d0ecf831eec9f09`;
const ARN = arnOf('web');
const OTHER = arnOf('web-2');
const allowed = (...targetGroupArns: string[]) => cluster('prod', { policy: { targetGroupArns } });
const container = { name: 'web', image: 'httpd:2.4', memoryReservation: 8, portMappings: [{ containerPort: 8080 }] };
const behind = (arn: string) => ({ targetGroupArn: arn, containerName: 'web', containerPort: 8080 });
const name = bindingName('web', ARN);
const GATE = `target-health.elbv2.k8s.aws/${name}`;

const untilSaid = (ns: TestNamespace, reason: string, message: string) =>
  ns.until(`the service to be ${reason}: ${message}`, () => {
    const ready = readyCondition(ns.history.get('services', 'web'));
    return ready?.reason === reason && ready.message === message;
  });
const stateOf = (pod: Pod | undefined) => pod?.status?.conditions?.find(({ type }) => type === GATE);
const byAge = (ns: TestNamespace): Pod[] => runningPods(ns.history, 'web');
const addressesOf = (pods: readonly Pod[]): string[] => pods.map(({ status }) => `${status?.podIP}:8080`).sort();
const isTarget = (pod: Pod): boolean =>
  Object.keys(pod.metadata.labels ?? {}).some((key) => key.startsWith('traffic.longshore.dev/'));

/** The controller finds the Service of a binding, and the binding of a pod, from the first moment. */
function expectOrder(ns: TestNamespace): void {
  const made = writesOf(suite().auditLog, OPERATOR_USER, ns.name).filter(({ verb }) => verb === 'create');
  const core = made.findIndex(({ what }) => what === `services ${name}`);
  const binding = made.findIndex(({ what }) => what === `targetgroupbindings ${name}`);
  const pod = made.findIndex(({ what }) => what.startsWith('pods '));
  expect(core).toBeGreaterThanOrEqual(0);
  expect(binding).toBeGreaterThan(core);
  expect(pod).toBeGreaterThan(binding);
}

describe('a service with a target group of AWS', { timeout: SLOW_MS }, () => {
  it('waits for the controller, and has its binding before its first pod; load balancers decide what is healthy', async (context) => {
    const ns = await suite().namespace(context);
    operate(context, ns);
    await ns.create(
      allowed(ARN.replace(/\/[^/]*$/, '*')),
      // What AWS cannot be asked for.
      targetGroup('web', 1),
      taskDefinition('web', {}, [container]),
      service('web', { desiredCount: 2, loadBalancers: [behind(ARN)] }),
    );
    await untilSaid(
      ns,
      'LoadBalancerControllerMissing',
      `spec.loadBalancers[0].targetGroupArn: "${ARN}": the API server has no ${CRD}: install the AWS Load Balancer Controller, or take the ARN out of policy.targetGroupArns of the namespace's Cluster, so that it means a TargetGroup of the namespace`,
    );
    expect(podsOf(ns.history, 'web')).toEqual([]);

    await install();
    const pods = await ns.until('two tasks to run', () => byAge(ns).length === 2 && byAge(ns));
    expectOrder(ns);
    for (const pod of pods) {
      expect(pod.spec.readinessGates).toEqual([{ conditionType: GATE }]);
      expect(pod.spec.containers[0]).not.toHaveProperty('readinessProbe');
    }
    const [binding] = await new LoadBalancerController(suite(), ns).bindings();
    const port = expect.stringMatching(/^lb-[0-9a-f]{8}$/);
    expect(binding).toMatchObject({
      metadata: { name, ownerReferences: [{ kind: 'Service', name: 'web' }] },
      spec: { targetGroupARN: ARN, targetType: 'ip', serviceRef: { name, port } },
    });
    const core = JSON.parse(await ns.kubectl(['get', 'services.v1.', name, '-o', 'json']));
    expect(core.spec).toMatchObject({ clusterIP: 'None', ports: [{ name: port, port: 8080, targetPort: port }] });

    // They are checked for the first time, for as long as the load balancer likes.
    const controller = LoadBalancerController.run(suite(), ns, context);
    controller.checks = () => CHECKING;
    await ns.until('their first checks', () => byAge(ns).every((pod) => stateOf(pod)?.reason === CHECKING.reason));
    expect(controller.targets(ARN)).toEqual(addressesOf(byAge(ns)));
    const counted = await ns.until('both to run for the service', () => {
      const [primary] = ns.history.get('services', 'web')?.status?.deployments ?? [];
      return primary?.runningCount === 2 && primary;
    });
    expect(counted.rolloutState).toBe('IN_PROGRESS');
    controller.checks = () => HEALTHY;
    await untilSteady(ns.history, 'web', 2);
    expect(messagesOf(ns.history.get('services', 'web'))).toContain(
      `(service web) registered 2 targets in (target-group ${ARN})`,
    );

    // A deployment: nobody goes before the load balancer has said that the new ones are healthy.
    const old = new Set(pods.map(({ metadata }) => metadata.name));
    const isNew = ({ metadata }: Pod): boolean => !old.has(metadata.name);
    controller.checks = (pod) => (isNew(pod) ? CHECKING : HEALTHY);
    await ns.patch('taskdefinitions', 'web', { spec: { containerDefinitions: [{ ...container, ...version('2') }] } });
    await ns.until('the new tasks to be checked', () => {
      const fresh = byAge(ns).filter(isNew);
      return fresh.length === 2 && fresh.every((pod) => stateOf(pod)?.reason === CHECKING.reason);
    });
    expect(byAge(ns).filter((pod) => !isNew(pod) && isTarget(pod))).toHaveLength(2);
    controller.checks = () => HEALTHY;
    await untilSteady(ns.history, 'web', 2);
    const now = byAge(ns);
    expect(now.every(isNew)).toBe(true);
    await context.expect.poll(() => controller.targets(ARN), { timeout: 60_000 }).toEqual(addressesOf(now));

    // One fails: that counts once the grace period is over.
    await ns.patch('services', 'web', { spec: { healthCheckGracePeriodSeconds: 3600 } });
    const [failing, other] = now as [Pod, Pod];
    const isFailing = ({ metadata }: Pod): boolean => metadata.name === failing.metadata.name;
    controller.checks = (pod) => (isFailing(pod) ? UNHEALTHY : HEALTHY);
    controller.resync();
    await ns.until('the service not to be steady', () => {
      const ready = readyCondition(ns.history.get('services', 'web'));
      return ready?.status === 'False' && stateOf(ns.history.get('pods', failing.metadata.name))?.status === 'False';
    });
    expect(
      byAge(ns)
        .map(({ metadata }) => metadata.name)
        .sort(),
    ).toEqual([failing, other].map(({ metadata }) => metadata.name).sort());
    await ns.patch('services', 'web', { spec: { healthCheckGracePeriodSeconds: 0 } });
    const { status } = await untilSteady(ns.history, 'web', 2).then(() =>
      ns.until('the record of the one that failed', () => {
        const found = ns.history.get('services', 'web');
        return stoppedTaskOf(found, failing) !== undefined && found;
      }),
    );
    expect(stoppedTaskOf(ns.history.get('services', 'web'), failing)).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: `Task failed ELB health checks in (target-group ${ARN})`,
    });
    expect(status?.events?.map(({ message }) => message)).toContain(
      `(service web) (task ${taskIdOf(failing)}) (port 8080) is unhealthy in (target-group ${ARN}) due to (reason Health checks failed with these codes: [503]).`,
    );
    expect(byAge(ns).map(({ metadata }) => metadata.name)).toContain(other.metadata.name);

    // What somebody deletes comes back; what is not wanted any more goes, the binding before its Service.
    const [bound] = (await controller.bindings()) as [Binding];
    await ns.kubectl(['delete', CRD, name]);
    const present = async () =>
      (await controller.bindings()).map(({ metadata, spec }) => ({ uid: metadata.uid, spec }));
    await context.expect
      .poll(present, { timeout: 60_000 })
      .toEqual([{ uid: expect.not.stringMatching(bound.metadata.uid), spec: bound.spec }]);
    await ns.patch('services', 'web', { spec: { loadBalancers: [behind(OTHER)] } });
    await untilSteady(ns.history, 'web', 2);
    await ns.kubectl(['wait', '--for=delete', '--timeout=120s', `${CRD}/${name}`]);
    await ns.kubectl(['wait', '--for=delete', '--timeout=120s', `services.v1./${name}`]);
    expect(controller.targets(OTHER)).toEqual(addressesOf(byAge(ns)));
    expect((await controller.bindings()).map(({ spec }) => spec.targetGroupARN)).toEqual([OTHER]);
  });
});

describe.concurrent('an ARN', () => {
  it('that the Cluster does not allow means the TargetGroup of its name, and says what is missing', async (context) => {
    await install();
    const ns = await suite().namespace(context);
    operate(context, ns);
    await ns.create(
      allowed(arnOf('shop')),
      taskDefinition('web', {}, [container]),
      service('web', { loadBalancers: [behind(ARN)] }),
    );
    await untilSaid(
      ns,
      'TargetGroupNotFound',
      `spec.loadBalancers[0].targetGroupArn: "${ARN}": namespace "${ns.name}" has no TargetGroup "web", and its Cluster does not have the ARN in policy.targetGroupArns`,
    );
    expect(podsOf(ns.history, 'web')).toEqual([]);
    await ns.create(targetGroup('web'));
    await untilSteady(ns.history, 'web', 1);
    const [pod] = byAge(ns);
    expect(pod?.spec).not.toHaveProperty('readinessGates');
    expect(pod?.spec.containers[0]).toHaveProperty('readinessProbe');
    expect(await new LoadBalancerController(suite(), ns).bindings()).toEqual([]);
  });

  it('of another account is nothing here, whoever allows it', async (context) => {
    const ns = await suite().namespace(context);
    operate(context, ns);
    const account = '444455556666';
    await ns.create(
      cluster('prod', { account, policy: { targetGroupArns: [ARN] } }),
      targetGroup('web'),
      taskDefinition('web', {}, [container]),
      service('web', { loadBalancers: [behind(ARN)] }),
    );
    await untilSaid(
      ns,
      'ForeignReference',
      `spec.loadBalancers[0].targetGroupArn: "${ARN}": it is not of this cluster: it is of account 111122223333, and this cluster stands for ${account}`,
    );
  });
});

describe.concurrent('a binding', { timeout: SLOW_MS }, () => {
  it.for<[string, Moment, boolean]>([
    ['killed before', 'before', true],
    ['killed after', 'after', true],
    ['cut off from the answer to', 'after', false],
  ])(
    'is made once, and before the first pod, by an operator that is %s each of its writes',
    async ([, moment, killed], context) => {
      await install();
      const ns = await suite().namespace(context);
      const proxy = await FaultProxy.start(await suite().cluster.userKubeconfig(OPERATOR_USER, []));
      context.onTestFinished(() => proxy.stop());
      let operator = operate(context, ns, proxy.kubeconfig);
      const act = async (): Promise<void> => {
        await operator.kill('SIGKILL');
        operator = operate(context, ns, proxy.kubeconfig);
      };
      const faultAt = async (of: RegExp): Promise<void> => {
        proxy.set({ write: 1, of, moment, ...(killed && { act }) });
        await until(proxy, `a fault at ${of}`, () => of.test(proxy.broken ?? ''));
        await proxy.settled();
      };
      const checked = { ...webContainer, portMappings: container.portMappings };
      await ns.create(allowed(ARN), targetGroup('web', 1));
      await ns.kubectl(['wait', '--for=create', '--timeout=60s', 'services.v1./web']);
      const made = faultAt(new RegExp(`^POST /api/v1/namespaces/${ns.name}/services$`));
      await ns.create(taskDefinition('web', {}, [checked]), service('web', { loadBalancers: [behind(ARN)] }));
      await made;
      await faultAt(/^POST .*\/targetgroupbindings$/);
      LoadBalancerController.run(suite(), ns, context);
      await untilSteady(ns.history, 'web', 1);
      const all = (await ns.kubectl(['get', `services.v1.,${CRD}`, '-o', 'name'])).trim().split('\n');
      expect(all.filter((each) => each.includes('/tg-'))).toEqual([
        `service/${name}`,
        `targetgroupbinding.elbv2.k8s.aws/${name}`,
      ]);
      expectOrder(ns);
    },
  );
});

function operate(context: TestContext, ns: TestNamespace, kubeconfig?: string): Operator {
  const operator = suite().newOperator(['--no-leader-elect', '--namespace', ns.name], kubeconfig);
  context.onTestFinished(() => operator.kill('SIGKILL'));
  context.onTestFailed(() => console.error(operator.describe()));
  return operator;
}
