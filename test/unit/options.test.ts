import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseOptions } from '../../src/options.ts';

let said: string;

beforeEach(() => {
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const parse = (...args: string[]) => parseOptions(['node', 'longshore', ...args]);

test('the lease has the times of kube-controller-manager unless told otherwise', () => {
  expect(parse()).toMatchObject({
    leaderElect: true,
    leaderElectLeaseDuration: 15_000,
    leaderElectRenewDeadline: 10_000,
    leaderElectRetryPeriod: 2_000,
    leaderElectResourceName: 'longshore',
  });
});

test('each time of the lease has a flag, with durations as Go writes them', () => {
  const options = parse(
    '--leader-elect-lease-duration=1m30s',
    '--leader-elect-renew-deadline=60s',
    '--leader-elect-retry-period=500ms',
    '--leader-elect-resource-name=mine',
    '--leader-elect-resource-namespace=ops',
  );
  expect(options).toMatchObject({
    leaderElectLeaseDuration: 90_000,
    leaderElectRenewDeadline: 60_000,
    leaderElectRetryPeriod: 500,
    leaderElectResourceName: 'mine',
    leaderElectResourceNamespace: 'ops',
  });
});

for (const [args, message] of [
  [['--leader-elect-lease-duration=15'], 'allowed: a duration above zero, such as 15s'],
  [['--leader-elect-lease-duration=0s'], 'allowed: a duration above zero'],
  [['--leader-elect-lease-duration=10s'], '--leader-elect-renew-deadline must be less than'],
  [['--leader-elect-lease-duration=15500ms'], 'must be whole seconds'],
  [['--leader-elect-retry-period=9s'], '--leader-elect-retry-period must be less than'],
  [['--workers=0'], 'allowed: 1 to 64'],
  [['--restarts-per-second=0'], 'allowed: 1 to 1000'],
  [['--log-level=loud'], 'Allowed choices are debug, info'],
] as const) {
  test(`${args.join(' ')} is refused with what is allowed`, () => {
    expect(() => parse(...args)).toThrow('exit 1');
    expect(said).toContain(message);
  });
}
