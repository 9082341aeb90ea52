import { describe, expect, it } from 'vitest';
import { fixture, imported, readFixture, refused } from './imports.ts';
import { json } from './run.ts';

describe('what run-task takes', () => {
  const asked = () => readFixture('run-task.json');

  it('becomes a Task with that spec, named after what it runs', async () => {
    const { manifests, err } = await imported([fixture('run-task.json')]);
    expect(manifests).toEqual([
      {
        apiVersion: 'longshore.dev/v1alpha1',
        kind: 'Task',
        metadata: { name: expect.stringMatching(/^data-migrate-[0-9a-f]{8}$/) },
        spec: asked(),
      },
    ]);
    expect(err).toContain('Approximated  launchType: ');
    expect(err).toMatch(/Exact .* count, .* overrides\.containerOverrides\[\]\.command/);
  });

  it('loses its clientToken, and says so', async () => {
    const { manifests, err } = await imported(['-'], json({ taskDefinition: 'web', clientToken: 'x' }));
    expect(manifests).toMatchObject([{ kind: 'Task', metadata: { name: 'web' }, spec: { taskDefinition: 'web' } }]);
    expect(err).toContain('Dropped       clientToken: "x": ');
  });

  it('is refused where AWS or Longshore refuses it', async () => {
    expect(await refused(['-'], json({ ...asked(), Count: 3 }))).toEqual([expect.stringContaining('Count')]);
    expect(await refused(['-'], json({ ...asked(), count: 11 }))).toEqual([expect.stringContaining('count')]);
    expect(await refused(['-'], json({ ...asked(), volumeConfigurations: [{ name: 'data' }] }))).toEqual([
      expect.stringContaining('volumeConfigurations'),
    ]);
  });
});
