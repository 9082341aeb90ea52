import { describe, expect, it } from 'vitest';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { ALL_FEATURES } from '../../../src/pod/cluster-features.ts';
import { allFieldSupport } from '../../../src/pod/field-support.ts';
import { several } from '../../support/compiled.ts';

const OLD = { podLevelResources: false, containerRestartRules: false };

/** Verdict by path, below the first container where that is where it is. */
function verdicts(containers: readonly object[], task: object = {}, features = ALL_FEATURES): Record<string, string> {
  const definition = parseTaskDefinition(several(containers, task));
  return Object.fromEntries(
    allFieldSupport('TaskDefinition', definition, definition, features).map(({ field, support }) => [
      field.replace('spec.containerDefinitions[0].', '').replace('spec.', ''),
      support,
    ]),
  );
}

const control = (namespace: string) => ({ systemControls: [{ namespace, value: '1' }] });
const host = (hostname: string, ipAddress = '10.0.0.1') => ({ extraHosts: [{ hostname, ipAddress }] });

describe('what becomes of a field', () => {
  it.each<[field: string, support: string, containers: object[], task?: object]>([
    ['dnsServers', 'Exact', [{ dnsServers: ['10.0.0.2'] }]],
    ['dnsServers', 'Approximated', [{ dnsServers: ['10.0.0.2'] }, {}]],
    ['dnsServers', 'Approximated', [{ dnsServers: ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'] }]],
    ['dnsServers', 'Ignored', [{ dnsServers: ['resolver'] }]],
    ['dnsSearchDomains', 'Exact', [{ dnsServers: ['10.0.0.2'], dnsSearchDomains: ['a.example'] }]],
    ['dnsSearchDomains', 'Approximated', [{ dnsServers: ['10.0.0.2'], dnsSearchDomains: ['a.example'] }, {}]],
    ['dnsSearchDomains', 'Approximated', [{ dnsSearchDomains: ['a.example'] }]],
    ['dnsSearchDomains', 'Ignored', [{ dnsSearchDomains: ['a_b'] }]],
    ['extraHosts[0].hostname', 'Exact', [host('legacy')]],
    ['extraHosts[0].hostname', 'Approximated', [host('legacy'), {}]],
    ['extraHosts[0].hostname', 'Ignored', [host('a_b')]],
    ['extraHosts[0].ipAddress', 'Ignored', [host('gateway', 'host-gateway')]],
    ['resourceRequirements[0].value', 'Exact', [{ resourceRequirements: [{ type: 'GPU', value: '1' }] }]],
    ['resourceRequirements[0].value', 'Ignored', [{ resourceRequirements: [{ type: 'GPU', value: 'ALL' }] }]],
    ['resourceRequirements[0].type', 'Ignored', [{ resourceRequirements: [{ type: 'NeuronDevice', value: 'ALL' }] }]],
    ['dockerSecurityOptions', 'Exact', [{ dockerSecurityOptions: ['no-new-privileges'] }]],
    ['dockerSecurityOptions', 'Ignored', [{ dockerSecurityOptions: ['no-new-privileges'], privileged: true }]],
    ['dockerSecurityOptions', 'Approximated', [{ dockerSecurityOptions: ['no-new-privileges', 'apparmor:web'] }]],
    ['dockerSecurityOptions', 'Ignored', [{ dockerSecurityOptions: ['credentialspec:file://a'] }]],
    ['linuxParameters.devices', 'Ignored', [{ linuxParameters: { devices: [{ hostPath: '/dev/fuse' }] } }]],
    [
      'linuxParameters.devices',
      'Approximated',
      [{ privileged: true, linuxParameters: { devices: [{ hostPath: '/dev/fuse' }] } }],
    ],
    [
      'linuxParameters.tmpfs[0].mountOptions',
      'Exact',
      [{ linuxParameters: { tmpfs: [{ containerPath: '/a', size: 1, mountOptions: ['ro'] }] } }],
    ],
    [
      'linuxParameters.tmpfs[0].mountOptions',
      'Ignored',
      [{ linuxParameters: { tmpfs: [{ containerPath: '/a', size: 1, mountOptions: ['noexec'] }] } }],
    ],
    ['systemControls[0].namespace', 'Exact', [control('net.ipv4.tcp_syncookies')]],
    ['systemControls[0].namespace', 'Exact', [control('net.ipv4.tcp_syncookies'), {}], { networkMode: 'awsvpc' }],
    ['systemControls[0].namespace', 'Approximated', [control('net.ipv4.tcp_syncookies'), {}]],
    ['systemControls[0].namespace', 'Approximated', [control('net.core.somaxconn')]],
    ['systemControls[0].value', 'Ignored', [control('kernel.shmmax')], { ipcMode: 'host' }],
    ['ipcMode', 'Exact', [{}], { ipcMode: 'task' }],
    ['ipcMode', 'Approximated', [{}], { ipcMode: 'none' }],
    ['runtimePlatform.operatingSystemFamily', 'Exact', [{}], { runtimePlatform: { operatingSystemFamily: 'LINUX' } }],
    [
      'runtimePlatform.operatingSystemFamily',
      'Approximated',
      [{}],
      { runtimePlatform: { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' } },
    ],
    ['ephemeralStorage.sizeInGiB', 'Approximated', [{}], { ephemeralStorage: { sizeInGiB: 30 } }],
  ])('%s is %s with %j in %j', (field, support, containers, task) => {
    expect(verdicts(containers, task)[field]).toBe(support);
  });

  it('hangs on what the cluster has', () => {
    const given = [[{ restartPolicy: { enabled: true, ignoredExitCodes: [1] } }], { cpu: '256' }] as const;
    const fields = ['cpu', 'restartPolicy.enabled', 'restartPolicy.ignoredExitCodes'];
    const supports = (features: typeof OLD) => fields.map((field) => verdicts(...given, features)[field]);
    expect(supports(ALL_FEATURES)).toEqual(['Exact', 'Approximated', 'Exact']);
    expect(supports(OLD)).toEqual(['Approximated', 'Ignored', 'Ignored']);
  });
});
