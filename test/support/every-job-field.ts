/** As `every-field.ts`, of a BatchJob. */

const properties = { image: 'busybox', vcpus: 1, memory: 64 };

const job = (fields: object): object => ({ containerProperties: properties, ...fields });

const container = (fields: object): object => job({ containerProperties: { ...properties, ...fields } });

const requirements = (...others: readonly object[]): readonly object[] => [
  { type: 'VCPU', value: '2' },
  { type: 'MEMORY', value: '128' },
  ...others,
];

export const EVERY_JOB_FIELD: readonly object[] = [
  job({ jobName: 'squares' }),
  job({ jobQueue: 'high' }),
  container({ command: ['echo', 'Ref::word'] }),
  { parameters: { word: 'hello' }, containerProperties: { ...properties, command: ['echo', 'Ref::word'] } },
  job({ arrayProperties: { size: 5 } }),
  job({ retryStrategy: { attempts: 3 } }),
  ...['onExitCode', 'onReason', 'onStatusReason'].map((field) =>
    job({ retryStrategy: { attempts: 3, evaluateOnExit: [{ action: 'EXIT', [field]: '1*' }] } }),
  ),
  job({ arrayProperties: { size: 5 }, dependsOn: [{ jobId: 'build', type: 'N_TO_N' }] }),
  job({ timeout: { attemptDurationSeconds: 60 } }),
  job({
    containerOverrides: {
      command: ['echo', 'override'],
      environment: [{ name: 'NAME', value: 'override' }],
      resourceRequirements: requirements(),
    },
  }),
  job({ containerProperties: { image: 'busybox', resourceRequirements: requirements({ type: 'GPU', value: '1' }) } }),
  container({ environment: [{ name: 'NAME', value: 'value' }] }),
  ...['1000', '1000:1000', 'www-data', '1000:www-data'].map((user) => container({ user })),
  container({ privileged: true }),
  container({ readonlyRootFilesystem: true }),
  container({
    volumes: [{ name: 'data', host: { sourcePath: '/srv/data' } }],
    mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: true }],
  }),
];
