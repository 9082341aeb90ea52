import { describe, expect, it } from 'vitest';
import { cluster, kwok, service, taskDefinition } from '../support/manifests.ts';
import { untilAllowed } from '../support/operator-rights.ts';
import { PrometheusServer } from '../support/prometheus.ts';
import { messagesOf, podsOf, readyCondition, untilSteady } from '../support/services.ts';
import { OPERATOR_USER, type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const never = { podAnnotations: kwok({ readyAfter: '1h' }) };
const QUERY = 'sum(rate(errors_total[1m])) > 1';

const statusOf = (ns: TestNamespace) => ns.history.get('services', 'web')?.status;
const primaryOf = (ns: TestNamespace) => statusOf(ns)?.deployments?.[0];
const conditionOf = (ns: TestNamespace, type: string) =>
  statusOf(ns)?.conditions?.find((condition) => condition.type === type);
const ofRevision = (ns: TestNamespace, revision: string) =>
  podsOf(ns.history, 'web').filter(({ metadata }) => metadata.labels?.['longshore.dev/revision'] === revision);
const untilRunning = (ns: TestNamespace, revision: string) =>
  ns.until(`tasks of ${revision}`, () => {
    const primary = primaryOf(ns);
    return primary?.taskDefinition === revision && primary.runningCount === primary.desiredCount ? primary : undefined;
  });
const untilStalled = (ns: TestNamespace, end: string) =>
  ns.until(`the verdict: ${end}`, () => {
    const stalled = conditionOf(ns, 'Stalled');
    return stalled?.status === 'True' && stalled.message.endsWith(end) ? stalled.message : undefined;
  });

const withAlarms = (alarmNames: string[], fields: object = {}) => ({
  desiredCount: 2,
  deploymentConfiguration: {
    alarms: { alarmNames, enable: true, rollback: true },
    bakeTimeInMinutes: 0,
    ...fields,
  },
});
const mappings = (prometheusUrl: string, alarms: object[]) =>
  cluster('prod', {
    mappings: { alarms, alarmEvaluation: { prometheusUrl, intervalSeconds: 1, timeoutSeconds: 30 } },
  });

describe.concurrent('alarms of a deployment', () => {
  it('rolls a revision back when a query gives a result, and starts none of it before it has asked', async (context) => {
    const ns = await suite().namespace(context);
    const prometheus = await PrometheusServer.start();
    context.onTestFinished(() => prometheus.stop());
    await ns.create(
      mappings(prometheus.url, [{ alarmName: 'errors', query: QUERY }]),
      taskDefinition('web'),
      service('web', withAlarms(['errors'])),
    );
    const first = (await untilSteady(ns.history, 'web', 2)).status?.deployments?.[0]?.id;
    expect(new Set(prometheus.asked)).toEqual(new Set([QUERY]));

    prometheus.hold();
    const asked = prometheus.untilAsked(1);
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: never } });
    await asked;
    await ns.history.caughtUp();
    expect(ofRevision(ns, '2')).toEqual([]);
    prometheus.release();
    const { id: second } = await untilRunning(ns, 'web:2');
    expect(conditionOf(ns, 'AlarmsMonitored')).toMatchObject({ status: 'True', reason: 'Monitoring' });
    prometheus.firing.add(QUERY);
    const told = await untilStalled(ns, 'rolled back to web:1');
    expect(told).toBe(`deployment ${second} of web:2 failed: alarm detected (errors); rolled back to web:1`);
    expect(messagesOf(ns.history.get('services', 'web'))).toEqual(
      expect.arrayContaining([
        `(service web) (deployment ${second}) deployment failed: alarm detected.`,
        `(service web) rolling back to deployment ${first}.`,
      ]),
    );
    const shown = ns.history.statesOf('services', 'web').flatMap(({ status }) => status?.deployments ?? []);
    expect(shown).toContainEqual(
      expect.objectContaining({
        id: second,
        rolloutState: 'FAILED',
        rolloutStateReason: 'ECS deployment alarms: alarm detected.',
      }),
    );

    // It is still in ALARM when the next one begins, which therefore looks at none.
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: { podAnnotations: kwok({ readyAfter: '2s' }) } } });
    const ignored = await ns.until('the alarms to be ignored', () => {
      const condition = conditionOf(ns, 'AlarmsMonitored');
      return condition?.reason === 'AlarmAtStart' ? condition : undefined;
    });
    expect(ignored.message).toMatch(/^no alarm counts for deployment ecs-svc\/\d{19}: in ALARM when it began: errors$/);
    await untilSteady(ns.history, 'web', 2);
    expect(primaryOf(ns)).toMatchObject({ taskDefinition: 'web:3', rolloutState: 'COMPLETED' });
  });

  it('may be the condition of any object', async (context) => {
    const ns = await suite().namespace(context);
    await ns.kubectl(['create', 'role', 'alarms', '--verb=get', '--resource=persistentvolumeclaims']);
    await ns.kubectl(['create', 'rolebinding', 'alarms', '--role=alarms', `--user=${OPERATOR_USER}`]);
    await untilAllowed(suite().cluster, OPERATOR_USER, 'get', 'persistentvolumeclaims', ns.name);
    const claim = `/api/v1/namespaces/${ns.name}/persistentvolumeclaims`;
    const say = (status: string) => {
      const conditions = [{ type: 'Degraded', status, lastTransitionTime: '2026-11-22T00:00:00Z' }];
      return suite().api.call('PATCH', `${claim}/canary/status`, { status: { conditions } });
    };
    const condition = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'canary', type: 'Degraded' };
    const deploymentCircuitBreaker = { enable: true, rollback: true };
    const alarms = { alarmNames: ['degraded'], enable: true, rollback: false };
    await ns.create(
      mappings('http://127.0.0.1:1', [{ alarmName: 'degraded', condition }]),
      taskDefinition('web'),
      service('web', withAlarms(['degraded'], { alarms, deploymentCircuitBreaker })),
    );
    await untilSteady(ns.history, 'web', 2);
    const said = (reason: string, message: string) =>
      ns.until(message, () => {
        const shown = conditionOf(ns, 'AlarmsMonitored');
        return shown?.reason === reason && shown.message.includes(message);
      });
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: never } });
    await said('InsufficientData', 'alarm "degraded": there is no PersistentVolumeClaim canary');
    await suite().api.call('POST', claim, {
      metadata: { name: 'canary' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'none',
        resources: { requests: { storage: '1Gi' } },
      },
    });
    await said('InsufficientData', 'PersistentVolumeClaim canary has no condition Degraded');
    await say('False');
    await said('Monitoring', 'all alarms can be read');
    await untilRunning(ns, 'web:2');
    await say('True');
    // The alarm has fired, so that its own word about the rollback counts, not the circuit breaker's.
    await untilStalled(ns, 'of web:2 failed: alarm detected (degraded)');
    expect(messagesOf(ns.history.get('services', 'web')).join()).not.toContain('rolling back');
  });

  it('holds a deployment IN_PROGRESS through the bake time, and fails it there, too', async (context) => {
    const ns = await suite().namespace(context);
    const prometheus = await PrometheusServer.start();
    context.onTestFinished(() => prometheus.stop());
    await ns.create(
      mappings(prometheus.url, [{ alarmName: 'errors', query: QUERY }]),
      taskDefinition('web'),
      service('web', withAlarms(['errors'])),
    );
    await untilSteady(ns.history, 'web', 2);
    await ns.patch('services', 'web', { spec: { deploymentConfiguration: { bakeTimeInMinutes: 1440 } } });
    await ns.patch('taskdefinitions', 'web', {
      spec: { kubernetes: { podAnnotations: kwok({ readyAfter: '100ms' }) } },
    });
    const baking = await ns.until('the bake time', () => {
      const primary = primaryOf(ns);
      return primary?.blockedBy?.startsWith('waiting for the end of the bake time, ') ? primary : undefined;
    });
    expect(baking).toMatchObject({ taskDefinition: 'web:2', rolloutState: 'IN_PROGRESS', runningCount: 2 });
    expect(statusOf(ns)?.deployments).toHaveLength(1);
    expect(readyCondition(ns.history.get('services', 'web'))).toMatchObject({
      status: 'False',
      reason: 'DeploymentInProgress',
    });
    // Looked at again and again, and still not over.
    await prometheus.untilAsked(2);
    expect(primaryOf(ns)?.rolloutState).toBe('IN_PROGRESS');
    prometheus.firing.add(QUERY);
    await untilStalled(ns, 'rolled back to web:1');
  });

  it('say which of them cannot be read, and fail no deployment by that', async (context) => {
    const ns = await suite().namespace(context);
    const prometheus = await PrometheusServer.start();
    context.onTestFinished(() => prometheus.stop());
    const alarms = [
      { alarmName: 'broken', query: '(' },
      { alarmName: 'scalar', query: '1' },
      { alarmName: 'kind', condition: { apiVersion: 'example.com/v1', kind: 'Alarm', name: 'x', type: 'X' } },
    ];
    await ns.create(
      mappings(prometheus.url, alarms),
      taskDefinition('web', { kubernetes: never }),
      service('web', withAlarms(['broken', 'scalar', 'kind', 'unknown'])),
    );
    const { message } = await ns.until('the condition', () => {
      const condition = conditionOf(ns, 'AlarmsMonitored');
      return condition?.reason === 'InsufficientData' ? condition : undefined;
    });
    for (const text of [
      'alarm "broken": Prometheus: invalid parameter "query": 1:2: parse error',
      'alarm "scalar": the query gives a scalar, and an alarm is a vector',
      'alarm "kind": the API server has no Alarm of example.com/v1',
      'alarm "unknown": the Cluster of the namespace has no mappings.alarms of that name',
    ]) {
      expect(message).toContain(text);
    }
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: null } });
    await untilSteady(ns.history, 'web', 2);
    const asked = prometheus.asked.length;
    // Nothing is in progress: nobody asks.
    await ns.patch('services', 'web', { spec: { desiredCount: 3 } });
    await untilSteady(ns.history, 'web', 3);
    expect(prometheus.asked.length).toBe(asked);
  });
});
