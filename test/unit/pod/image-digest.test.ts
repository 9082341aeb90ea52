import { describe, expect, it } from 'vitest';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { compileTemplate } from '../../../src/pod/compile.ts';
import { pinnedImage, resolveDigests, withDigests } from '../../../src/pod/image-digest.ts';
import { observePod } from '../../../src/pod/observe.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const OTHER = `sha256:${'b2'.repeat(32)}`;

describe('the image of a tag', () => {
  it.each([
    // containerd, which completes names as Docker does.
    ['httpd:2.4', `docker.io/library/httpd@${DIGEST}`, `httpd@${DIGEST}`],
    ['httpd', `docker.io/library/httpd@${DIGEST}`, `httpd@${DIGEST}`],
    ['team/app:1', `docker.io/team/app@${DIGEST}`, `team/app@${DIGEST}`],
    [
      'registry.example.com:5000/app',
      `registry.example.com:5000/app@${DIGEST}`,
      `registry.example.com:5000/app@${DIGEST}`,
    ],
    [
      'registry.example.com:5000/app:v1',
      `registry.example.com:5000/app@${DIGEST}`,
      `registry.example.com:5000/app@${DIGEST}`,
    ],
    // dockerd behind cri-dockerd.
    ['httpd:2.4', `docker-pullable://httpd@${DIGEST}`, `httpd@${DIGEST}`],
  ])('%s that runs as %s is %s', (image, imageID, pinned) => {
    expect(pinnedImage(image, imageID)).toBe(pinned);
  });

  it.each([
    ['that was loaded on the node, which has the digest of its configuration alone', 'httpd:2.4', DIGEST],
    ['that dockerd has built', 'httpd:2.4', `docker://${DIGEST}`],
    ['that the node knows from another repository', 'httpd:2.4', `mirror.example.com/httpd@${DIGEST}`],
    ['that has a digest', `httpd@${OTHER}`, `docker.io/library/httpd@${DIGEST}`],
    ['that nobody has pulled yet', 'httpd:2.4', ''],
    ['whose digest is cut off', 'httpd:2.4', 'docker.io/library/httpd@sha256:abc'],
  ])('is not to be had of one %s', (_, image, imageID) => {
    expect(pinnedImage(image, imageID)).toBeUndefined();
  });
});

const definition = (fields: object = {}) =>
  parseTaskDefinition({
    containerDefinitions: [
      { name: 'web', image: 'httpd:2.4', memory: 8, ...fields },
      { name: 'side', image: `busybox@${OTHER}`, memory: 8, essential: false },
    ],
  });
const template = compileTemplate({ definition: definition(), family: 'web', revision: 1 });

function task(name: string, second: number, imageID?: string, image = 'httpd:2.4') {
  return observePod({
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: new Date(second * 1000).toISOString() },
    spec: {
      containers: [
        { name: 'web', image },
        { name: 'side', image: `busybox@${OTHER}` },
      ],
    },
    ...(imageID !== undefined && {
      status: {
        containerStatuses: [
          { name: 'web', imageID },
          { name: 'side', imageID: '' },
        ],
      },
    }),
  });
}
const web = (digest: string) => `docker.io/library/httpd@${digest}`;
const PINNED = { web: ['httpd:2.4', `httpd@${DIGEST}`] };

describe('the images of a deployment', () => {
  it('are those of its oldest task that has pulled them, whatever the order in which they are seen', () => {
    const tasks = [task('c', 3, web(OTHER)), task('b', 2, web(DIGEST)), task('a', 1), task('d', 2, web(OTHER))];
    expect(resolveDigests(template, tasks, 0)).toEqual(PINNED);
    expect(resolveDigests(template, tasks.toReversed(), 0)).toEqual(PINNED);
  });

  it('are not known before one has, and not by a task that ran something else', () => {
    expect(resolveDigests(template, [task('a', 1), task('b', 2, '')], 2)).toBeUndefined();
    expect(resolveDigests(template, [task('a', 1, web(DIGEST), 'httpd:2.3')], 0)).toBeUndefined();
  });

  it('are left by tag where three tasks fail before (developer guide, deployment-type-ecs)', () => {
    expect(resolveDigests(template, [task('a', 1)], 3)).toEqual({});
    expect(resolveDigests(template, [task('a', 1), task('b', 2, web(DIGEST))], 3)).toEqual(PINNED);
  });

  it('are left by tag where there is nothing to pin: disabled, with a digest, loaded on the node', () => {
    const compiled = (fields: object) => compileTemplate({ definition: definition(fields), family: 'web' });
    const tasks = [task('a', 1, web(DIGEST))];
    expect(resolveDigests(compiled({ versionConsistency: 'disabled' }), tasks, 0)).toBeUndefined();
    expect(resolveDigests(compiled({ versionConsistency: 'enabled' }), tasks, 0)).toEqual(PINNED);
    expect(resolveDigests(compiled({ image: `httpd@${DIGEST}` }), tasks, 3)).toBeUndefined();
    expect(resolveDigests(template, [task('a', 1, DIGEST)], 0)).toBeUndefined();
  });

  it('are in the pods that start later, but not where the Cluster has mapped the image to another since', () => {
    const digests = { web: ['httpd:2.4', `httpd@${DIGEST}`] } as const;
    const images = (of: typeof template) => withDigests(of, digests).spec.containers.map(({ image }) => image);
    expect(images(template)).toEqual([`httpd@${DIGEST}`, `busybox@${OTHER}`]);
    const mapped = compileTemplate({
      definition: definition({ image: 'mirror.example.com/httpd:2.4' }),
      family: 'web',
    });
    expect(images(mapped)).toEqual(['mirror.example.com/httpd:2.4', `busybox@${OTHER}`]);
  });
});
