/** Ports of the node: what the real scheduler does with them, and how that is told. */
import { describe, expect, it } from 'vitest';
import { service, taskDefinition, webContainer } from '../support/manifests.ts';
import { ownNodes } from '../support/nodes.ts';
import type { Pod } from '../support/recorder.ts';
import { messagesOf, readyCondition, runningPods, untilSteady } from '../support/services.ts';
import { useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const unplaced = (name: string, node: string): string =>
  `(service ${name}) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance ${node}) is already using a port required by your task.`;

const nodePortsOf = ({ spec }: Pod): (number | undefined)[] =>
  spec.containers.flatMap(({ ports = [] }) => ports.map(({ hostPort }) => hostPort));

const bridged = (name: string, kubernetes: object, ...mappings: object[][]) =>
  taskDefinition(
    name,
    { networkMode: 'bridge', kubernetes },
    mappings.map((portMappings, index) => ({ ...webContainer, name: `c${index}`, portMappings })),
  );

describe.concurrent('host ports', () => {
  it('that are fixed are each on a node once, whoever asks; dynamic ones are on none', async (context) => {
    const ns = await suite().namespace(context);
    const { kubernetes, names } = await ownNodes(suite(), ns, context, 2);
    const [first, second] = names;
    await ns.create(
      bridged(
        'web',
        kubernetes,
        [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 81, hostPort: 0 },
        ],
        [{ containerPort: 82, hostPort: 8080, protocol: 'udp' }],
      ),
      service('web', { desiredCount: 2 }),
      bridged('dynamic', kubernetes, [{ containerPort: 80, hostPort: 0 }, { containerPort: 81 }]),
      service('dynamic', { desiredCount: 5 }),
    );
    await untilSteady(ns.history, 'web', 2);
    await untilSteady(ns.history, 'dynamic', 5);
    const pods = runningPods(ns.history, 'web');
    expect(pods.map(({ spec }) => spec.nodeName).sort()).toEqual([first, second]);
    for (const pod of pods) expect(nodePortsOf(pod)).toEqual([8080, undefined, 8080]);
    for (const pod of runningPods(ns.history, 'dynamic')) expect(nodePortsOf(pod)).toEqual([undefined, undefined]);

    // TCP 8080 is not in its way, and UDP 8080 is.
    await ns.create(
      bridged('tcp', kubernetes, [{ containerPort: 90, hostPort: 8081 }]),
      service('tcp'),
      bridged('udp', kubernetes, [{ containerPort: 90, hostPort: 8080, protocol: 'udp' }]),
      service('udp'),
      { kind: 'Task', name: 'once', spec: { taskDefinition: 'udp' } },
    );
    await untilSteady(ns.history, 'tcp', 1);
    const waiting = await ns.until('the service to say that its port is taken', () => {
      const found = ns.history.get('services', 'udp');
      return readyCondition(found)?.reason === 'TaskPlacementFailed' && found;
    });
    expect(readyCondition(waiting)?.message).toContain("2 node(s) didn't have free ports for the requested pod ports");
    expect(messagesOf(waiting)).toContain(unplaced('udp', first ?? ''));
    const { failures } = await ns.until('the Task to fail to be placed', () => {
      const { status } = ns.history.get('tasks', 'once') ?? {};
      return (status?.failures?.length ?? 0) > 0 && status;
    });
    expect(failures).toMatchObject([{ reason: 'RESOURCE:PORTS', detail: expect.stringContaining('free ports') }]);
    await ns.delete('tasks', 'once');

    await ns.patch('services', 'web', { spec: { desiredCount: 1 } });
    await untilSteady(ns.history, 'udp', 1);
  });

  it('keep a deployment waiting that may not stop the old task first, and not one that may', async (context) => {
    const ns = await suite().namespace(context);
    const { kubernetes, names } = await ownNodes(suite(), ns, context, 1);
    await ns.create(bridged('web', kubernetes, [{ containerPort: 80, hostPort: 80 }]), service('web'));
    await untilSteady(ns.history, 'web', 1);
    await ns.patch('taskdefinitions', 'web', { spec: { cpu: '256' } });
    const waiting = await ns.until('the deployment to wait for the port', () => {
      const found = ns.history.get('services', 'web');
      return readyCondition(found)?.reason === 'TaskPlacementFailed' && found;
    });
    expect(messagesOf(waiting)).toContain(unplaced('web', names[0] ?? ''));
    expect(waiting.status?.runningCount).toBe(1);
    const deploymentConfiguration = { minimumHealthyPercent: 0, maximumPercent: 100 };
    await ns.patch('services', 'web', { spec: { deploymentConfiguration } });
    const { status } = await untilSteady(ns.history, 'web', 1);
    expect(status?.deployments?.[0]).toMatchObject({ rolloutState: 'COMPLETED', taskDefinition: 'web:2' });
  });
});
