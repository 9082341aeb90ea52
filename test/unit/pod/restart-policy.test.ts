import { describe, expect, it } from 'vitest';
import { ALL_FEATURES } from '../../../src/pod/cluster-features.ts';
import { compile, first, one, several } from '../../support/compiled.ts';

const policy = { enabled: true, ignoredExitCodes: [0, 5, 5], restartAttemptPeriod: 60 };

describe('a restartPolicy', () => {
  it('restarts after every exit code but the ignored ones, in a pod that never restarts', () => {
    const template = one({ restartPolicy: policy });
    expect(template.spec.restartPolicy).toBe('Never');
    expect(template.spec.containers[0]).toMatchObject({
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'NotIn', values: [0, 5] } }],
    });
    expect(JSON.parse(template.annotations['longshore.dev/containers'] ?? '').app).toMatchObject({
      restartPolicy: { ignoredExitCodes: [0, 5, 5], restartAttemptPeriod: 60 },
    });
    expect(first({ restartPolicy: { enabled: true } })).toMatchObject({ restartPolicy: 'Always' });
  });

  it.each([
    ['is not enabled', { enabled: false }, ALL_FEATURES],
    ['cannot be carried out by the cluster', policy, { ...ALL_FEATURES, containerRestartRules: false }],
  ])('that %s leaves nothing on the pod', (_why, restartPolicy, features) => {
    const template = compile(several([{ restartPolicy }]), features);
    expect(template.spec.containers[0]).not.toHaveProperty('restartPolicy');
    expect(JSON.parse(template.annotations['longshore.dev/containers'] ?? '').c0).not.toHaveProperty('restartPolicy');
  });
});
