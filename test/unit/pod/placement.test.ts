import { describe, expect, it } from 'vitest';
import { one } from '../../support/compiled.ts';

describe('runtimePlatform', () => {
  it.each([
    [{}, undefined],
    [{ cpuArchitecture: 'X86_64' }, { 'kubernetes.io/arch': 'amd64' }],
    [
      { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
      { 'kubernetes.io/arch': 'arm64', 'kubernetes.io/os': 'linux' },
    ],
    [
      { operatingSystemFamily: 'WINDOWS_SERVER_2022_CORE' },
      { 'kubernetes.io/os': 'windows', 'node.kubernetes.io/windows-build': '10.0.20348' },
    ],
    [
      { operatingSystemFamily: 'WINDOWS_SERVER_20H2_CORE' },
      { 'kubernetes.io/os': 'windows', 'node.kubernetes.io/windows-build': '10.0.19042' },
    ],
  ])('%j asks for nodes with %j', (runtimePlatform, nodeSelector) => {
    expect(one({}, { runtimePlatform }).spec.nodeSelector).toEqual(nodeSelector);
  });

  it('gives way to kubernetes.nodeSelector', () => {
    const kubernetes = { nodeSelector: { 'kubernetes.io/arch': 'arm64', disk: 'ssd' } };
    const { spec } = one({}, { runtimePlatform: { cpuArchitecture: 'X86_64' }, kubernetes });
    expect(spec.nodeSelector).toEqual({ 'kubernetes.io/arch': 'arm64', disk: 'ssd' });
  });
});
