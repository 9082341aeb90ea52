import { describe, expect, it } from 'vitest';
import { compile, several } from '../../support/compiled.ts';

describe('memory as a file system', () => {
  it('is each container’s own /dev/shm and tmpfs, of the size asked for', () => {
    const tmpfs = [
      { containerPath: '/run', size: 8, mountOptions: ['noexec', 'ro'] },
      { containerPath: '/scratch', size: 16 },
    ];
    const { spec } = compile(
      several([{ linuxParameters: { sharedMemorySize: 128, tmpfs } }, { linuxParameters: { sharedMemorySize: 64 } }]),
    );
    expect(spec.volumes).toEqual([
      { name: 'longshore-shm-0', emptyDir: { medium: 'Memory', sizeLimit: '128Mi' } },
      { name: 'longshore-tmpfs-0-0', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
      { name: 'longshore-tmpfs-0-1', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
      { name: 'longshore-shm-1', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
    ]);
    expect(spec.containers.map(({ volumeMounts }) => volumeMounts)).toEqual([
      [
        { name: 'longshore-shm-0', mountPath: '/dev/shm' },
        { name: 'longshore-tmpfs-0-0', mountPath: '/run', readOnly: true },
        { name: 'longshore-tmpfs-0-1', mountPath: '/scratch' },
      ],
      [{ name: 'longshore-shm-1', mountPath: '/dev/shm' }],
    ]);
  });

  it('gives way to what the definition mounts at the same path', () => {
    const container = {
      linuxParameters: { sharedMemorySize: 8, tmpfs: [{ containerPath: '/data', size: 8 }] },
      mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
    };
    const { spec } = compile(several([container], { volumes: [{ name: 'data' }] }));
    expect(spec.containers[0]?.volumeMounts).toEqual([
      { name: 'data', mountPath: '/data' },
      { name: 'longshore-shm-0', mountPath: '/dev/shm' },
    ]);
  });
});
