import { describe, expect, it } from 'vitest';
import { first } from '../../support/compiled.ts';

describe('a healthCheck', () => {
  it('is asked for as readiness and never as liveness', () => {
    const container = first({
      healthCheck: { command: ['CMD-SHELL', 'curl -f localhost || exit 1'], interval: 10, timeout: 3, retries: 4 },
    });
    expect(container?.readinessProbe).toEqual({
      exec: { command: ['/bin/sh', '-c', 'curl -f localhost || exit 1'] },
      periodSeconds: 10,
      timeoutSeconds: 3,
      failureThreshold: 4,
      successThreshold: 1,
    });
    expect(container?.livenessProbe).toBeUndefined();
  });

  it.each([
    [
      ['CMD', 'check', '-v'],
      ['check', '-v'],
    ],
    // Docker appends all of them to the shell (moby daemon/health.go, cmdProbe.run).
    [
      ['CMD-SHELL', 'check "$0"', 'web'],
      ['/bin/sh', '-c', 'check "$0"', 'web'],
    ],
    // The kubelet replaces variables in probes, too.
    [
      ['CMD-SHELL', 'test -n "$(date)"'],
      ['/bin/sh', '-c', 'test -n "$$(date)"'],
    ],
  ])('%j runs %j', (command, runs) => {
    expect(first({ healthCheck: { command } })?.readinessProbe?.exec?.command).toEqual(runs);
  });
});
