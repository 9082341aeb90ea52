/** The gate of a target of AWS, with the kubelet and the endpoints that the AWS Load Balancer Controller would find. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { bindingName } from '../../src/traffic/target-group-binding.ts';
import { CHECKING, HEALTHY, LoadBalancerController, useBindings } from '../support/aws-load-balancer-controller.ts';
import { shell } from '../support/containers.ts';
import { cluster, service, targetGroup, taskDefinition } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a target of AWS on a real kubelet' : `a target of AWS on a real kubelet (skipped: ${why})`;

const ARN = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/6d0ecf831eec9f09';
const NAME = bindingName('web', ARN);
const GATE = `target-health.elbv2.k8s.aws/${NAME}`;
const web = shell('web', "trap 'exit 0' TERM; while :; do sleep 0.2; done", {
  portMappings: [{ containerPort: 8080 }],
});
const ends = shell('ends', 'exit 0', { essential: false });

const stateOf = (pod: Pod | undefined, type: string): string | undefined =>
  pod?.status?.conditions?.find((condition) => condition.type === type)?.status;
/** @param ready whether each endpoint of its core Service is. */
const untilEndpoints = (ns: TestNamespace, ready: readonly boolean[]) =>
  ns.until(`endpoints that are ready: ${ready}`, () => {
    const now = ns.history
      .all('endpointslices')
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === NAME)
      .flatMap(({ endpoints }) => endpoints ?? [])
      .map(({ conditions }) => conditions?.ready);
    return isDeepStrictEqual(now, ready);
  });

describe.skipIf(!possible).concurrent(title, () => {
  const suite = useSuite({ nodes: 'real', operator: true });
  const install = useBindings(suite);

  it.for([
    ['whose containers all go on', [web], [false], [true]],
    // Its pod is never ready; Longshore writes its endpoint.
    ['of which a container ends', [web, ends], [true], [true]],
  ] as const)(
    '%s is registered before its gate is open, and healthy when it is',
    async ([, containers, before, after], context) => {
      await install();
      const ns = await suite().namespace(context);
      const controller = LoadBalancerController.run(suite(), ns, context);
      controller.checks = () => CHECKING;
      await ns.create(
        cluster('prod', { policy: { targetGroupArns: [ARN] } }),
        targetGroup('web', 1),
        taskDefinition('web', {}, [...containers]),
        service('web', { loadBalancers: [{ targetGroupArn: ARN, containerName: 'web', containerPort: 8080 }] }),
      );
      const pod = await ns.until('the first checks', () =>
        runningPods(ns.history, 'web').find((one) => stateOf(one, GATE) === 'False'),
      );
      expect(controller.targets(ARN)).toEqual([`${pod.status?.podIP}:8080`]);
      expect(stateOf(pod, 'Ready')).toBe('False');
      await untilEndpoints(ns, before);
      controller.checks = () => HEALTHY;
      await untilSteady(ns.history, 'web', 1);
      const ready = containers.length === 1 ? 'True' : 'False';
      await ns.until('the pod to be as ready as it gets', () => {
        const now = ns.history.get('pods', pod.metadata.name);
        return stateOf(now, GATE) === 'True' && stateOf(now, 'Ready') === ready;
      });
      await untilEndpoints(ns, after);
    },
  );
});
