import { ANNOTATIONS } from '../api/meta.ts';
import type { TaskDefinitionSpec } from '../api/task-definition.ts';
import type { ContainerTraits } from '../ecs/task.ts';
import { checkedTarget } from './health.ts';
import { restartPolicyOf } from './restart-policy.ts';
import { dependenciesOf } from './start-order.ts';
import type { TaskContext } from './task-context.ts';

/** What ECS knows of the containers, by pod container name: a task describes itself (`design/`, foundation). */
export function containerTraits(task: TaskContext): Record<string, ContainerTraits> {
  const { containers, containerNames, start } = task;
  const traits: Record<string, ContainerTraits> = {};
  for (const container of containers) {
    const { name, essential, healthCheck, startTimeout } = container;
    const policy = restartPolicyOf(container, task);
    const dependsOn = dependenciesOf(container);
    const podName = containerNames.get(name) ?? name;
    const barrier = start.barriers.has(name);
    const registrations = task.registrations.filter((one) => one.container === name);
    const check = checkedTarget(container, task)?.check;
    const afterInit = dependsOn.some((edge) => start.init.some((target) => target.name === edge.container));
    traits[podName] = {
      name,
      essential,
      ...(healthCheck !== undefined && {
        healthCheck: {
          interval: healthCheck.interval,
          retries: healthCheck.retries,
          startPeriod: healthCheck.startPeriod,
        },
      }),
      ...(registrations.length > 0 && {
        endpoints: registrations.map(({ service, containerPort, protocol, portName, servicePort, targetGroup }) => ({
          service,
          port: containerPort,
          protocol,
          portName: servicePort ?? portName,
          ...(targetGroup !== undefined && { arn: targetGroup.arn }),
        })),
      }),
      ...(check !== undefined && {
        targetCheck: { interval: check.intervalSeconds, retries: check.unhealthyThresholdCount, startPeriod: 0 },
      }),
      ...((barrier || afterInit) && { dependsOn }),
      ...(barrier && { barrier: podName }),
      ...(startTimeout !== undefined && { startTimeout }),
      ...(policy !== undefined && {
        restartPolicy: {
          ignoredExitCodes: policy.ignoredExitCodes,
          restartAttemptPeriod: policy.restartAttemptPeriod,
        },
      }),
    };
  }
  return traits;
}

/** What AWS would send elsewhere stays readable where a node's log agent looks: in the pod's annotations. */
export function logAnnotations({ containerDefinitions }: TaskDefinitionSpec): Record<string, string> {
  const logs = containerDefinitions.filter(({ logConfiguration }) => logConfiguration !== undefined);
  if (logs.length === 0) return {};
  const byContainer = Object.fromEntries(logs.map(({ name, logConfiguration }) => [name, logConfiguration]));
  return { [ANNOTATIONS.logConfiguration]: JSON.stringify(byContainer) };
}

/** Labels of all containers by container, and each as an annotation of the pod where Kubernetes takes it for one. */
export function labelAnnotations({ containerDefinitions }: TaskDefinitionSpec): Record<string, string> {
  const labelled = containerDefinitions.filter(({ dockerLabels }) => Object.keys(dockerLabels).length > 0);
  if (labelled.length === 0) return {};
  const labels = labelled.flatMap(({ dockerLabels }) => Object.entries(dockerLabels));
  const contradicted = (key: string, value: string) => labels.some(([other, its]) => other === key && its !== value);
  return {
    ...Object.fromEntries(labels.filter(([key, value]) => isAnnotation(key) && !contradicted(key, value))),
    [ANNOTATIONS.dockerLabels]: JSON.stringify(
      Object.fromEntries(labelled.map(({ name, dockerLabels }) => [name, dockerLabels])),
    ),
  };
}

/** A qualified name of Kubernetes, but of none of the domains whose annotations make Kubernetes or Longshore do something. */
function isAnnotation(key: string): boolean {
  const [name = '', domain, ...rest] = key.split('/').reverse();
  if (rest.length > 0 || !/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(name)) return false;
  if (domain === undefined) return true;
  return (
    domain.length <= 253 &&
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(domain) &&
    !/(^|\.)(kubernetes\.io|k8s\.io|longshore\.dev)$/.test(domain)
  );
}
