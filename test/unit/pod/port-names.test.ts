import { describe, expect, it } from 'vitest';
import type { PortMapping } from '../../../src/api/port-mapping.ts';
import { portNameOf } from '../../../src/pod/port-names.ts';

const mapping = (fields: Partial<PortMapping>): PortMapping => ({ protocol: 'tcp', containerPort: 80, ...fields });

describe('a port of a pod is called', () => {
  it.each([
    [{ name: 'http' }, 'http'],
    [{ name: 'web-8080-tcp' }, 'web-8080-tcp'],
    [{}, 'tcp-80'],
    [{ protocol: 'udp', containerPort: 65535 } as const, 'udp-65535'],
    [{ name: 'api_http' }, 'api-ht-20ce0d80'],
    [{ name: 'api-http' }, 'api-http'],
    [{ name: 'symfony-8082-tcp' }, 'symfon-27f3370d'],
    [{ name: '8080' }, 'p-'],
    [{ name: 'a--b' }, 'p-'],
    [{ name: '_' }, ''],
    [{ name: 'a-' }, ''],
  ])('of %j %s', (fields, expected) => {
    const name = portNameOf(mapping(fields));
    if (expected.length > 2) expect(name).toBe(expected);
    else expect(name?.startsWith(expected)).toBe(true);
    // Kubernetes: IsValidPortName.
    expect(name).toMatch(/^(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
  });

  it('by no name where it is a range without one', () => {
    expect(portNameOf({ protocol: 'tcp', containerPortRange: '80-90' })).toBeUndefined();
  });
});
