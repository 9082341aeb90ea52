import { describe, expect, it } from 'vitest';
import { compile, first, one, several } from '../../support/compiled.ts';

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

describe('what a container may do', () => {
  it('has capabilities added and dropped', () => {
    const capabilities = { add: ['SYS_PTRACE'], drop: ['ALL'] };
    expect(first({ linuxParameters: { capabilities } })?.securityContext).toEqual({ capabilities });
    expect(first({ linuxParameters: { capabilities: {} } })).not.toHaveProperty('securityContext');
  });

  it.each([
    [['no-new-privileges'], { allowPrivilegeEscalation: false }],
    [['apparmor:web'], { appArmorProfile: { type: 'Localhost', localhostProfile: 'web' } }],
    [['apparmor:unconfined'], { appArmorProfile: { type: 'Unconfined' } }],
    [['apparmor:docker-default'], { appArmorProfile: { type: 'RuntimeDefault' } }],
    [['label:type:svirt_t', 'label:level:s0:c1,c2'], { seLinuxOptions: { type: 'svirt_t', level: 's0:c1,c2' } }],
    [['label:disable'], { seLinuxOptions: { type: 'spc_t' } }],
    [['credentialspec:file://x.json', 'label:what'], undefined],
  ])('with the security options %j is %j', (dockerSecurityOptions, context) => {
    expect(first({ dockerSecurityOptions })?.securityContext).toEqual(context);
  });

  it('is everything when privileged, also with no-new-privileges, which Kubernetes refuses beside it', () => {
    const container = first({ privileged: true, dockerSecurityOptions: ['no-new-privileges'] });
    expect(container?.securityContext).toEqual({ privileged: true });
  });

  it('is bounded by the default seccomp profile of the runtime, as Docker does', () => {
    expect(one({}).spec.securityContext).toEqual({ seccompProfile: { type: 'RuntimeDefault' } });
  });
});

describe('systemControls', () => {
  const control = (namespace: string, value: string) => ({ namespace, value });

  it('are those of all containers, the later one wins', () => {
    const containers = [
      { systemControls: [control('net.core.somaxconn', '1'), control('kernel.shmmax', '2')] },
      { systemControls: [control('net.core.somaxconn', '3')] },
    ];
    expect(compile(several(containers)).spec.securityContext?.sysctls).toEqual([
      { name: 'net.core.somaxconn', value: '3' },
      { name: 'kernel.shmmax', value: '2' },
    ]);
  });

  it.each([
    [{ networkMode: 'host' }, ['kernel.shmmax']],
    [{ ipcMode: 'host' }, ['net.core.somaxconn']],
    [{}, ['net.core.somaxconn', 'kernel.shmmax']],
  ])('of a task with %j are %j: the rest would be the node’s', (task, names) => {
    const systemControls = [control('net.core.somaxconn', '1'), control('kernel.shmmax', '2')];
    const { securityContext } = one({ systemControls }, task).spec;
    expect(securityContext?.sysctls?.map(({ name }) => name)).toEqual(names);
  });
});

describe('the namespaces of a task', () => {
  it.each([
    [{}, false, {}],
    [{ pidMode: 'task' }, false, { shareProcessNamespace: true }],
    [{ pidMode: 'host' }, true, { hostPID: true }],
    [{}, true, { shareProcessNamespace: true }],
    [{ ipcMode: 'host' }, false, { hostIPC: true }],
    [{ ipcMode: 'none' }, false, {}],
  ])('with %j and initProcessEnabled %s are %j', (task, initProcessEnabled, namespaces) => {
    const { hostPID, hostIPC, shareProcessNamespace } = one({ linuxParameters: { initProcessEnabled } }, task).spec;
    expect(JSON.parse(JSON.stringify({ hostPID, hostIPC, shareProcessNamespace }))).toEqual(namespaces);
  });
});
