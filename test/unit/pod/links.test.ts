import { describe, expect, it } from 'vitest';
import { compile, several } from '../../support/compiled.ts';

// moby daemon/links/links_test.go: TestLinkEnv, TestLinkMultipleEnv.
describe('a link', () => {
  const containers = [
    {
      name: 'web',
      links: ['My-DB:db', 'cache'],
      environment: [
        { name: 'OWN', value: '1' },
        { name: 'DB_ENV_OVERRIDDEN', value: 'by the container' },
      ],
    },
    {
      name: 'My-DB',
      portMappings: [{ containerPort: 6379, protocol: 'udp' }, { containerPort: 5432 }],
      environment: [
        { name: 'PASSWORD', value: '$(gordon)' },
        { name: 'OVERRIDDEN', value: 'by the link' },
        { name: 'PATH', value: '/bin' },
      ],
    },
    { name: 'cache' },
  ];
  const web = compile(several(containers)).spec.containers.find(({ name }) => name === 'web');

  it('hands on address, ports and variables of the other container, below the variables of its own', () => {
    expect(Object.fromEntries((web?.env ?? []).map(({ name, value }) => [name, value]))).toEqual({
      DB_PORT: 'tcp://127.0.0.1:5432',
      DB_PORT_5432_TCP: 'tcp://127.0.0.1:5432',
      DB_PORT_5432_TCP_ADDR: '127.0.0.1',
      DB_PORT_5432_TCP_PORT: '5432',
      DB_PORT_5432_TCP_PROTO: 'tcp',
      DB_PORT_6379_UDP: 'udp://127.0.0.1:6379',
      DB_PORT_6379_UDP_ADDR: '127.0.0.1',
      DB_PORT_6379_UDP_PORT: '6379',
      DB_PORT_6379_UDP_PROTO: 'udp',
      DB_NAME: '/web/db',
      DB_ENV_PASSWORD: '$$(gordon)',
      DB_ENV_OVERRIDDEN: 'by the container',
      CACHE_NAME: '/web/cache',
      OWN: '1',
    });
  });

  it('gives the other container nothing', () => {
    const others = compile(several(containers)).spec.containers.filter(({ name }) => name === 'cache');
    expect(others[0]?.env).toEqual([]);
  });
});
