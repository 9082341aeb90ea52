import { describe, expect, it } from 'vitest';
import { service, taskDefinition } from '../support/manifests.ts';
import { podsOf } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

// The newest Kubernetes that has neither; of those supported, 1.34 lacks restart rules.
describe('in a cluster without pod-level resources and restart rules', () => {
  const suite = useSuite({ nodes: 'kwok=3', operator: true, emulate: '1.33' });

  it('spreads what a task may use over its containers, and says so', async (context) => {
    const ns = await suite().namespace(context);
    const container = (name: string, fields: object = {}) => ({ name, image: 'busybox', ...fields });
    await ns.create(
      taskDefinition('task', { cpu: '1024', memory: '512' }, [
        container('main', { cpu: 768, memoryReservation: 128 }),
        container('side', { cpu: 256, memory: 64, restartPolicy: { enabled: true } }),
      ]),
      service('task'),
    );
    const pod = await ns.until('the task', () => podsOf(ns.history, 'task').at(0));
    const spec = JSON.parse(await ns.kubectl(['get', 'pod', pod.metadata.name, '--output=json'])).spec;
    expect(spec.resources).toBeUndefined();
    expect(spec.containers).toMatchObject([
      { resources: { requests: { cpu: '750m', memory: '448Mi' }, limits: { cpu: '1', memory: '512Mi' } } },
      { resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { cpu: '1', memory: '64Mi' } } },
    ]);
    expect(spec.containers[1]).not.toHaveProperty('restartPolicy');

    const reported = await ns.until(
      'the report',
      () => ns.history.get('taskdefinitions', 'task')?.status?.fieldSupport,
    );
    const verdicts = Object.fromEntries(reported.map(({ field, support }) => [field, support]));
    expect(verdicts).toMatchObject({
      'spec.cpu': 'Approximated',
      'spec.memory': 'Approximated',
      'spec.containerDefinitions[1].restartPolicy.enabled': 'Ignored',
    });
    await suite().operator.logged('the cluster lacks features of pods');
  });
});
