import { describe, expect, it } from 'vitest';
import { first } from '../../support/compiled.ts';

describe('the user of a container', () => {
  it.each([
    ['1000', { runAsUser: 1000 }],
    ['1000:2000', { runAsUser: 1000, runAsGroup: 2000 }],
    ['root', { runAsUser: 0 }],
    ['0:root', { runAsUser: 0, runAsGroup: 0 }],
    ['app:2000', { runAsGroup: 2000 }],
    ['1000:app', { runAsUser: 1000 }],
    ['app', undefined],
  ])('%s is %o', (user, context) => {
    expect(first({ user })?.securityContext).toEqual(context);
  });
});
