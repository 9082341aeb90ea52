/** Target groups of a service: who is behind their core Services, and how a task leaves them. */
import { describe, expect, it } from 'vitest';
import { writesOf } from '../support/audit.ts';
import {
  kwok,
  service,
  sidecarContainer,
  targetGroup,
  taskDefinition,
  version,
  webContainer,
} from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { runningPods, untilSteady } from '../support/services.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const web = { name: 'web', image: 'httpd:2.4', memoryReservation: 8, portMappings: [{ containerPort: 8080 }] };
const behind = (group: string, port = 8080) => ({ targetGroupArn: group, containerName: 'web', containerPort: port });
const ARN = 'arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/internal/6d0ecf831eec9f09';

/** Names of the pods that a core Service sends to. */
const targetsOf = (ns: TestNamespace, group: string): string[] =>
  ns.history
    .all('endpointslices')
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === group)
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready === true)
    .map(({ targetRef }) => targetRef?.name ?? '')
    .sort();
const namesOf = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name).sort();
const untilTargets = (ns: TestNamespace, group: string, names: readonly string[]) =>
  ns.until(`${names.join(', ')} behind ${group}`, () => {
    const targets = targetsOf(ns, group);
    return targets.length === names.length && targets.every((name, index) => name === names[index]);
  });
const eventsOf = (ns: TestNamespace): string[] =>
  (ns.history.get('services', 'web')?.status?.events ?? []).map(({ message }) =>
    message.replaceAll(/[0-9a-f]{32}/g, 'T'),
  );
const conditionOf = (ns: TestNamespace, kind: 'services' | 'targetgroups', name: string, type = 'Ready') =>
  ns.history.get(kind, name)?.status?.conditions?.find((condition) => condition.type === type);

describe.concurrent('a service with target groups', () => {
  it('registers its tasks in every target group, and drains those that stop before they end', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      targetGroup('public', 20),
      targetGroup('private-group', 3, { name: 'internal', port: 9090, protocolVersion: 'HTTP2' }),
      taskDefinition('web', {}, [web]),
      service('web', { desiredCount: 3, loadBalancers: [behind('public'), behind(ARN)] }),
    );
    await untilSteady(ns.history, 'web', 3);
    const all = namesOf(runningPods(ns.history, 'web'));
    await untilTargets(ns, 'public', all);
    await untilTargets(ns, 'private-group', all);
    const core = JSON.parse(await ns.kubectl(['get', 'services.v1.', 'private-group', '-o', 'json'])) as {
      spec: { ports: { port: number; targetPort: string }[] };
    };
    expect(core.spec.ports).toMatchObject([
      { port: 9090, targetPort: expect.stringMatching(/^lb-/), appProtocol: 'kubernetes.io/h2c' },
    ]);
    const [pod] = runningPods(ns.history, 'web');
    expect(pod?.spec).toMatchObject({
      terminationGracePeriodSeconds: 45,
      containers: [
        {
          lifecycle: { preStop: { sleep: { seconds: 15 } } },
          readinessProbe: { httpGet: { path: '/', port: 8080, scheme: 'HTTP' }, periodSeconds: 5, failureThreshold: 2 },
        },
      ],
    });

    await ns.patch('services', 'web', { spec: { desiredCount: 2 } });
    const leaving = await ns.until('a task that is DEACTIVATING', () =>
      ns.history.all('pods').find(({ metadata }) => metadata.labels?.['longshore.dev/last-status'] === 'DEACTIVATING'),
    );
    expect(leaving.spec.activeDeadlineSeconds).toBeUndefined();
    const { annotations, labels, name } = leaving.metadata;
    expect(Object.keys(labels ?? {}).filter((key) => key.startsWith('traffic.'))).toEqual([]);
    const seconds = (key: string): number => Date.parse(annotations?.[`longshore.dev/${key}`] ?? '') / 1000;
    expect(seconds('draining-until') - seconds('stopping-at')).toBe(20);
    const staying = all.filter((other) => other !== name);
    await untilTargets(ns, 'public', staying);
    await untilTargets(ns, 'private-group', staying);
    await ns.until('its end', () => ns.history.get('pods', name)?.spec.activeDeadlineSeconds === 1);
    // It waits for its SIGTERM by itself for the rest of the delay.
    const told = ns.history.entries.find(
      ({ kind, object }) =>
        kind === 'pods' && object.metadata.name === name && (object as Pod).spec.activeDeadlineSeconds === 1,
    );
    expect((told?.seenAt ?? 0) / 1000).toBeGreaterThanOrEqual(seconds('draining-until') - 15);
    await untilSteady(ns.history, 'web', 2);
    await ns.until('its sweep', () => ns.history.get('pods', name) === undefined);
    const writes = writesOf(suite().auditLog, OPERATOR_USER, ns.name).filter(({ what }) => what === `pods ${name}`);
    expect(writes.map(({ verb }) => verb)).toEqual(['create', 'patch', 'patch']);
    expect(eventsOf(ns).reverse()).toEqual([
      '(service web) has started 3 tasks: (task T) (task T) (task T).',
      '(service web) registered 3 targets in (target-group public)',
      `(service web) registered 3 targets in (target-group ${ARN})`,
      expect.stringContaining('deployment completed.'),
      '(service web) has reached a steady state.',
      '(service web) has stopped 1 running tasks: (task T).',
      '(service web) deregistered 1 targets in (target-group public)',
      `(service web) deregistered 1 targets in (target-group ${ARN})`,
      '(service web) has begun draining connections on 1 tasks.',
      '(service web) has reached a steady state.',
    ]);
  });

  it('waits for its target group, and for a container that it names', async (context) => {
    const ns = await suite().namespace(context);
    const checked = { ...web, healthCheck: webContainer.healthCheck };
    await ns.create(taskDefinition('web', {}, [checked]), service('web', { loadBalancers: [behind('late', 81)] }));
    const waits = (reason: string, message: string) =>
      ns.until(reason, () => {
        const ready = conditionOf(ns, 'services', 'web');
        return ready?.reason === reason && ready.message.includes(message);
      });
    await waits('TargetGroupNotFound', 'spec.loadBalancers[0].targetGroupArn: "late": namespace');
    await ns.create(targetGroup('late'));
    await waits(
      'LoadBalancerMismatch',
      'spec.loadBalancers[0].containerPort: The container web did not have a container port 81 defined.',
    );
    await ns.patch('services', 'web', { spec: { loadBalancers: [behind('late')] } });
    await untilSteady(ns.history, 'web', 1);
    await untilTargets(ns, 'late', namesOf(runningPods(ns.history, 'web')));
    await ns.patch('services', 'web', { spec: { loadBalancers: [] } });
    await ns.until('a deployment without target group', () => targetsOf(ns, 'late').length === 0);
    await untilSteady(ns.history, 'web', 1);
  });

  it('keeps a task whose sidecar has ended among the targets, and its new revision comes in when it is healthy', async (context) => {
    const ns = await suite().namespace(context);
    const containers = [web, sidecarContainer];
    const kubernetes = { podAnnotations: kwok({ exitAfter: '1s', exitCode: 0, exitContainer: 'sidecar' }) };
    await ns.create(
      targetGroup('mixed'),
      taskDefinition('web', { kubernetes }, containers),
      service('web', { desiredCount: 2, loadBalancers: [behind('mixed')] }),
    );
    await untilSteady(ns.history, 'web', 2);
    const isOver = ({ status }: Pod): boolean =>
      status?.containerStatuses?.some(({ name, state }) => name === 'sidecar' && state?.terminated !== undefined) ===
      true;
    await ns.until('the end of the sidecars', () => runningPods(ns.history, 'web').every(isOver));
    const before = namesOf(runningPods(ns.history, 'web'));
    await untilTargets(ns, 'mixed', before);
    await ns.patch('taskdefinitions', 'web', { spec: { containerDefinitions: [{ ...web, ...version('2') }] } });
    await ns.until('the second revision', () => {
      const [primary, ...others] = ns.history.get('services', 'web')?.status?.deployments ?? [];
      return others.length === 0 && primary?.taskDefinition === 'web:2' && primary.rolloutState === 'COMPLETED';
    });
    await untilTargets(ns, 'mixed', namesOf(runningPods(ns.history, 'web')));
  });

  it('replaces a task that fails the checks of its target group', async (context) => {
    const ns = await suite().namespace(context);
    await ns.create(
      targetGroup('strict'),
      taskDefinition('web', { kubernetes: { podAnnotations: kwok({ readyAfter: '1h' }) } }, [web]),
      service('web', { loadBalancers: [behind('strict')] }),
    );
    const failed = await ns.until('a task that is stopped', () =>
      ns.history.get('services', 'web')?.status?.stoppedTasks?.at(0),
    );
    expect(failed).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: 'Task failed ELB health checks in (target-group strict)',
    });
    expect(eventsOf(ns)).toContain(
      '(service web) (task T) (port 8080) is unhealthy in (target-group strict) due to (reason Health checks failed).',
    );
  });

  it('checks its targets as each target group has it', async (context) => {
    const ns = await suite().namespace(context);
    const own = { command: ['CMD', 'true'], interval: 7, timeout: 3, retries: 4, startPeriod: 9 };
    const containers = [
      { ...web, healthCheck: own },
      { name: 'admin', image: 'httpd:2.4', memoryReservation: 8, portMappings: [{ containerPort: 9000 }] },
      { name: 'free', image: 'httpd:2.4', memoryReservation: 8, portMappings: [{ containerPort: 9001 }] },
    ];
    await ns.create(
      targetGroup('deep', 0, {
        healthCheckProtocol: 'HTTPS',
        healthCheckPort: '8443',
        healthCheckPath: '/deep',
        healthCheckIntervalSeconds: 11,
        healthCheckTimeoutSeconds: 4,
        unhealthyThresholdCount: 6,
        healthyThresholdCount: 2,
        matcher: { httpCode: '200-399' },
      }),
      targetGroup('tcp', 0, { protocol: 'TCP', healthCheckTimeoutSeconds: null }),
      targetGroup('unchecked', 0, { healthCheckEnabled: false }),
      taskDefinition('web', {}, containers),
      service('web', {
        loadBalancers: [
          behind('deep'),
          { targetGroupArn: 'tcp', containerName: 'admin', containerPort: 9000 },
          { targetGroupArn: 'unchecked', containerName: 'free', containerPort: 9001 },
        ],
      }),
    );
    const pod = await ns.until('a task', () => ns.history.all('pods').at(0));
    expect(pod.spec.containers).toMatchObject([
      {
        name: 'web',
        readinessProbe: {
          httpGet: { path: '/deep', port: 8443, scheme: 'HTTPS' },
          periodSeconds: 11,
          timeoutSeconds: 4,
          failureThreshold: 6,
        },
        // The container's own check ends it: a pod has one readiness a container.
        livenessProbe: { exec: { command: ['true'] }, periodSeconds: 7, failureThreshold: 4, initialDelaySeconds: 9 },
      },
      { name: 'admin', readinessProbe: { tcpSocket: { port: 9000 }, periodSeconds: 5, timeoutSeconds: 4 } },
      { name: 'free' },
    ]);
    expect(pod.spec.containers[2]).not.toHaveProperty('readinessProbe');
    // Nothing drains where the delay is 0.
    expect(pod.spec.containers[0]).not.toHaveProperty('lifecycle');
    const support = ns.history.get('targetgroups', 'deep')?.status?.fieldSupport?.map(({ field }) => field);
    expect(support).toEqual(['spec.targetType', 'spec.healthyThresholdCount']);
  });

  it('says whose core Service is in the way, and takes a name once', async (context) => {
    const ns = await suite().namespace(context);
    await ns.kubectl(['create', 'service', 'clusterip', 'taken', '--tcp=80']);
    const names = ['first', 'second'];
    await ns.create(targetGroup('taken'), ...names.map((name) => targetGroup(name, 0, { name: 'same' })));
    // Of two that are made within a second nobody can tell which is the older.
    const holder = await ns.until('one of them', () => {
      const held = names.filter((name) => conditionOf(ns, 'targetgroups', name)?.status === 'True');
      const others = names.filter((name) => conditionOf(ns, 'targetgroups', name)?.reason === 'NameTaken');
      return held.length === 1 && others.length === 1 && held[0];
    });
    await ns.until('the taken one', () => conditionOf(ns, 'targetgroups', 'taken')?.reason === 'ServiceNotWritten');
    expect(conditionOf(ns, 'targetgroups', 'taken')?.message).toBe(
      'Service "taken" exists and does not belong to this TargetGroup: delete or rename it',
    );
    await ns.delete('targetgroups', holder);
    const [other = ''] = names.filter((name) => name !== holder);
    await ns.until('the other in its place', () => conditionOf(ns, 'targetgroups', other)?.status === 'True');
  });
});
