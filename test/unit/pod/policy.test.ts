import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/api/cluster.ts';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { summary, type TaskProblem, taskProblems } from '../../../src/pod/problems.ts';
import { app } from '../../support/compiled.ts';

const problems = (policy: object, definition: object, mappings: object = {}): TaskProblem[] =>
  taskProblems(parseTaskDefinition(definition), parseCluster({ policy, mappings }));
const task = (container: object = {}, fields: object = {}) => ({ ...fields, containerDefinitions: [app(container)] });
const volume = (sourcePath: string) => task({}, { volumes: [{ name: 'v', host: { sourcePath } }] });
const binding = (device: string) =>
  task({}, { volumes: [{ name: 'v', dockerVolumeConfiguration: { driverOpts: { o: 'bind', device } } }] });
const at = 'spec.containerDefinitions[0]';

describe('the policy of a Cluster', () => {
  it.each<[string, object, object, string]>([
    ['privileged', { allowPrivileged: false }, task({ privileged: true }), `${at}.privileged: true`],
    ['paths of the node', { allowHostPaths: false }, volume('/srv'), 'spec.volumes[0]: /srv'],
    ['paths that Docker binds', { allowHostPaths: false }, binding('/srv'), 'spec.volumes[0]: /srv'],
    ['other paths', { hostPathPrefixes: ['/var/log/'] }, volume('/var/logs'), 'spec.volumes[0]: /var/logs'],
    [
      'paths that climb',
      { hostPathPrefixes: ['/var/log'] },
      volume('/var/log/../../etc'),
      'spec.volumes[0]: /var/log/',
    ],
    [
      'the network of the node',
      { allowHostNetwork: false },
      task({}, { networkMode: 'host' }),
      'spec.networkMode: host',
    ],
    [
      'fixed ports of the node',
      { allowHostPorts: false },
      task({ portMappings: [{ containerPort: 80, hostPort: 8080 }] }),
      `${at}.portMappings: hostPort 8080`,
    ],
    ['the processes of the node', { allowHostNamespaces: false }, task({}, { pidMode: 'host' }), 'spec.pidMode: host'],
    ['the memory of the node', { allowHostNamespaces: false }, task({}, { ipcMode: 'host' }), 'spec.ipcMode: host'],
    [
      'capabilities',
      { allowAddedCapabilities: false },
      task({ linuxParameters: { capabilities: { add: ['NET_ADMIN'] } } }),
      `${at}.linuxParameters.capabilities.add: NET_ADMIN`,
    ],
    [
      'other capabilities',
      { addableCapabilities: ['SYS_PTRACE'] },
      task({ linuxParameters: { capabilities: { add: ['SYS_PTRACE', 'NET_ADMIN'] } } }),
      `${at}.linuxParameters.capabilities.add: NET_ADMIN`,
    ],
    [
      'devices',
      { allowDevices: false },
      task({ linuxParameters: { devices: [{ hostPath: '/dev/kvm' }] } }),
      `${at}.linuxParameters.devices: /dev/kvm`,
    ],
    [
      'a ServiceAccount',
      { allowServiceAccountName: false },
      task({}, { kubernetes: { serviceAccountName: 'admin' } }),
      'spec.kubernetes.serviceAccountName: admin',
    ],
    ['other images', { imagePrefixes: ['registry.example.com/'] }, task(), `${at}.image: busybox`],
    [
      'roles that have no mapping',
      { allowUnmappedRoles: false },
      task({}, { taskRoleArn: 'web' }),
      'spec.taskRoleArn: "web" has no mapping',
    ],
  ])('can refuse %s', (_, policy, definition, begins) => {
    const found = problems(policy, definition);
    expect(found).toMatchObject([{ blocks: true }]);
    expect(found[0]?.message.startsWith(begins), found[0]?.message).toBe(true);
    expect(problems({}, definition).filter(({ blocks }) => blocks)).toEqual([]);
  });

  it('names the rule', () => {
    expect(problems({ allowPrivileged: false }, task({ privileged: true }))[0]).toEqual({
      reason: 'NotAllowed',
      message: `${at}.privileged: true is not allowed: the namespace's Cluster does not have policy.allowPrivileged: true`,
      blocks: true,
    });
  });

  it('allows what it names', () => {
    expect(problems({ hostPathPrefixes: ['/var/log/'] }, volume('/var/log'))).toEqual([]);
    expect(problems({ hostPathPrefixes: ['/var/log', '/srv'] }, volume('//srv//app/'))).toEqual([]);
    const ptrace = task({ linuxParameters: { capabilities: { add: ['SYS_PTRACE'] } } });
    expect(problems({ addableCapabilities: ['SYS_PTRACE'] }, ptrace)).toEqual([]);
    const dynamic = task({ portMappings: [{ containerPort: 80, hostPort: 0 }] });
    expect(problems({ allowHostPorts: false }, dynamic)).toEqual([]);
  });

  it('judges an image as it is pulled, after the mapping', () => {
    const images = [{ prefix: 'docker.io/library/', replacement: 'registry.example.com/' }];
    expect(problems({ imagePrefixes: ['registry.example.com/'] }, task(), { images })).toEqual([]);
  });

  it('holds for the spec.kubernetes of a Service too', () => {
    const cluster = parseCluster({ policy: { allowServiceAccountName: false } });
    const kubernetes = parseTaskDefinition({ ...task(), kubernetes: { serviceAccountName: 'admin' } }).kubernetes;
    expect(taskProblems(parseTaskDefinition(task()), cluster, { kubernetes, volumeConfigurations: [] })).toMatchObject([
      { reason: 'NotAllowed' },
    ]);
  });
});

describe('several problems', () => {
  const problem = (message: string, fields: object = {}): TaskProblem => ({
    reason: 'MappingMissing',
    message,
    blocks: true,
    ...fields,
  });

  it('are one sentence: what is not allowed first, then what is missing, then what is only left out', () => {
    const list = [problem('c', { blocks: false }), problem('b'), problem('a', { reason: 'NotAllowed' })];
    expect(summary(list)).toEqual({ reason: 'NotAllowed', message: 'a; b; c' });
  });

  it('beyond five are counted', () => {
    expect(summary(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((text) => problem(text)))).toEqual({
      reason: 'MappingMissing',
      message: 'a; b; c; d; e; and 2 more',
    });
    expect(summary([])).toBeUndefined();
  });
});
