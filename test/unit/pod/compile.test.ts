import { describe, expect, it } from 'vitest';
import { stampPod } from '../../../src/pod/stamp.ts';
import { compile, first, one } from '../../support/compiled.ts';

describe('a task definition as a pod', () => {
  it('never restarts, and keeps what ECS knows of its containers on the pod', () => {
    const template = one({ healthCheck: { command: ['CMD', 'true'], interval: 7, retries: 2, startPeriod: 9 } });
    expect(template.spec.restartPolicy).toBe('Never');
    expect(template.labels).toMatchObject({ 'longshore.dev/family': 'hello-world', 'longshore.dev/revision': '3' });
    expect(template.annotations['longshore.dev/task-definition']).toBe('hello_world:3');
    expect(JSON.parse(template.annotations['longshore.dev/containers'] ?? '')).toEqual({
      app: { name: 'app', essential: true, healthCheck: { interval: 7, retries: 2, startPeriod: 9 } },
    });
  });

  it('takes entryPoint for the command and command for its arguments, without Kubernetes expanding $(NAME)', () => {
    expect(first({ entryPoint: ['sh', '-c'], command: ['echo $(HOME) $HOME $$ $$(HOME) $'] })).toMatchObject({
      command: ['sh', '-c'],
      args: ['echo $$(HOME) $HOME $$$$ $$$$(HOME) $'],
    });
    expect(first({ command: ['a'] })).not.toHaveProperty('command');
    expect(first({ environment: [{ name: 'A', value: '$(B)' }] })?.env).toEqual([{ name: 'A', value: '$$(B)' }]);
  });

  it('lets the last of two variables of one name count', () => {
    const environment = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ];
    expect(first({ environment })?.env).toEqual([{ name: 'A', value: '2' }]);
  });

  it('starts containers after what they depend on, as given otherwise', () => {
    const container = (name: string, more: object = {}) => ({ name, image: 'busybox', memory: 8, ...more });
    const template = compile({
      containerDefinitions: [
        container('web', { links: ['db:database'], dependsOn: [{ containerName: 'cache', condition: 'START' }] }),
        container('db'),
        container('cache', { dependsOn: [{ containerName: 'db', condition: 'START' }] }),
        container('Log_Router'),
      ],
    });
    expect(template.spec.containers.map(({ name }) => name)).toEqual(['db', 'cache', 'web', 'log-router']);
    expect(template.spec.hostAliases).toEqual([{ ip: '127.0.0.1', hostnames: ['db', 'database'] }]);
  });

  it('gives containers whose AWS names derive one name different ones', () => {
    const containerDefinitions = ['App', 'app'].map((name) => ({ name, image: 'busybox', memory: 8 }));
    const names = compile({ containerDefinitions }).spec.containers.map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    expect(names).toContain('app');
  });

  it('has one grace period, the longest stopTimeout', () => {
    const containerDefinitions = [5, 45].map((stopTimeout) => ({
      name: `c${stopTimeout}`,
      image: 'busybox',
      memory: 8,
      stopTimeout,
    }));
    expect(compile({ containerDefinitions }).spec.terminationGracePeriodSeconds).toBe(45);
  });

  it('stamps tasks without touching the template; injected variables win', () => {
    const template = one({ environment: [{ name: 'AWS_BATCH_X', value: 'user' }] });
    const before = JSON.stringify(template);
    const owner = { apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u', controller: true };
    const environment = [{ name: 'AWS_BATCH_X', value: 'platform' }];
    const pod = stampPod(template, {
      namespace: 'n',
      name: 'p',
      task: 't',
      labels: {},
      annotations: {},
      owner,
      environment,
    });
    expect(pod).toMatchObject({
      metadata: { name: 'p', labels: { 'longshore.dev/task': 't' }, ownerReferences: [owner] },
      spec: { containers: [{ env: [{ name: 'AWS_BATCH_X', value: 'platform' }] }] },
    });
    expect(JSON.stringify(template)).toBe(before);
  });
});
