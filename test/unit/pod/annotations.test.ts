import { describe, expect, it } from 'vitest';
import { compile, several } from '../../support/compiled.ts';

describe('Docker labels', () => {
  const labels = (...dockerLabels: Record<string, string>[]) =>
    compile(several(dockerLabels.map((given) => ({ dockerLabels: given })))).annotations;

  it('are annotations of the pod, and by container in one of their own', () => {
    const annotations = labels({ 'com.example.team': 'a b', 'prometheus.io/scrape': 'true' }, { other: '' });
    expect(annotations).toMatchObject({ 'com.example.team': 'a b', 'prometheus.io/scrape': 'true', other: '' });
    expect(JSON.parse(annotations['longshore.dev/docker-labels'] ?? '')).toEqual({
      c0: { 'com.example.team': 'a b', 'prometheus.io/scrape': 'true' },
      c1: { other: '' },
    });
  });

  it('give way to kubernetes.podAnnotations', () => {
    const definition = several([{ dockerLabels: { team: 'a' } }], { kubernetes: { podAnnotations: { team: 'b' } } });
    expect(compile(definition).annotations.team).toBe('b');
  });

  it('that contradict each other, or that Kubernetes does not take or acts upon, are in that one only', () => {
    const taken = labels(
      { same: '1', differs: '1', 'not a key': '', [`${'a'.repeat(64)}`]: '', 'A.b/c': '', 'a/b/c': '' },
      { same: '1', differs: '2', 'longshore.dev/stop': 'x', 'x.kubernetes.io/y': 'x', '/empty': '' },
    );
    expect(taken).toMatchObject({ same: '1' });
    expect(Object.keys(taken).filter((key) => !key.startsWith('longshore.dev/'))).toEqual(['same']);
    expect(taken['longshore.dev/stop']).toBeUndefined();
  });
});
