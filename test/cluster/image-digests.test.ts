import { describe, expect, it } from 'vitest';
import { kwok, service, taskDefinition, webContainer } from '../support/manifests.ts';
import type { Pod } from '../support/recorder.ts';
import { runningPods, untilSteady } from '../support/services.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: true });

const digest = (pair: string): string => `sha256:${pair.repeat(32)}`;
/** What the nodes say that the tag is. */
const pulled = (pair: string, more: Parameters<typeof kwok>[0] = {}) => ({
  podAnnotations: kwok({ imageId: `docker.io/library/httpd@${digest(pair)}`, ...more }),
});
const imageOf = ({ spec }: Pod): string | undefined => spec.containers[0]?.image;
const imagesOf = (ns: TestNamespace): (string | undefined)[] => runningPods(ns.history, 'web').map(imageOf).sort();
const pinnedTo = (pair: string): string => `httpd@${digest(pair)}`;
const isPinned = (ns: TestNamespace, number: number) =>
  ns.until(
    `the images of deployment ${number}`,
    () =>
      ns.history.get('controllerrevisions', `service-web-${number}`)?.metadata.annotations?.[
        'longshore.dev/image-digests'
      ],
  );

describe.concurrent('the images of a service', () => {
  it('pins the tag of an image by its first task, until the next deployment, and at once in a rollback', async (context) => {
    const ns = await suite().namespace(context);
    // Old tasks go first, so that a rollback has to start them all anew.
    const deploymentConfiguration = { minimumHealthyPercent: 0, maximumPercent: 100 };
    await ns.create(taskDefinition('web', { kubernetes: pulled('a1') }), service('web', { deploymentConfiguration }));
    await untilSteady(ns.history, 'web', 1);
    await isPinned(ns, 1);
    expect(imagesOf(ns)).toEqual(['httpd:2.4']);
    await ns.patch('services', 'web', { spec: { desiredCount: 3 } });
    await untilSteady(ns.history, 'web', 3);
    expect(imagesOf(ns)).toEqual(['httpd:2.4', pinnedTo('a1'), pinnedTo('a1')]);

    // The tag has moved. The next deployment begins with the tag, and a rollback with what it was before.
    await ns.patch('taskdefinitions', 'web', { spec: { kubernetes: pulled('b2', { readyAfter: '1h' }) } });
    expect(await isPinned(ns, 2)).toBe(JSON.stringify({ web: ['httpd:2.4', pinnedTo('b2')] }));
    await ns.patch('services', 'web', { metadata: { annotations: { 'longshore.dev/rollback': 'back' } } });
    await ns.until('the first deployment again', () => {
      const [primary, ...others] = ns.history.get('services', 'web')?.status?.deployments ?? [];
      return others.length === 0 && primary?.taskDefinition === 'web:1' && primary.rolloutState === 'COMPLETED';
    });
    expect(imagesOf(ns)).toEqual([pinnedTo('a1'), pinnedTo('a1'), pinnedTo('a1')]);

    await ns.patch('services', 'web', { metadata: { annotations: { 'longshore.dev/force-new-deployment': 'now' } } });
    expect(await isPinned(ns, 3)).toBe(JSON.stringify({ web: ['httpd:2.4', pinnedTo('b2')] }));
  });

  it('leaves a tag what it is where versionConsistency is disabled', async (context) => {
    const ns = await suite().namespace(context);
    const container = { ...webContainer, versionConsistency: 'disabled' };
    await ns.create(taskDefinition('web', { kubernetes: pulled('a1') }, [container]), service('web'));
    await untilSteady(ns.history, 'web', 1);
    await ns.patch('services', 'web', { spec: { desiredCount: 3 } });
    await untilSteady(ns.history, 'web', 3);
    expect(imagesOf(ns)).toEqual(['httpd:2.4', 'httpd:2.4', 'httpd:2.4']);
  });
});
