import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../../../src/telemetry/logger.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'logger-'));
});
afterEach(() => rm(dir, { recursive: true }));

test('headers and tokens that an error or its fields carry are left out of the log, the rest is there', async () => {
  const destination = join(dir, 'log');
  const logger = createLogger({ destination });
  const secret = 'Bearer hunter2';
  const carrying = (message: string, cause?: Error): Error =>
    Object.assign(new Error(message, { cause }), { headers: { authorization: secret }, code: 'ECONNRESET' });
  logger.info({ headers: { authorization: secret }, authorization: secret, token: secret, password: secret }, 'fields');
  logger.error({ err: carrying('outer', carrying('inner')) }, 'an error');
  const lines = (await readFile(destination, 'utf8')).trim().split('\n');
  expect(lines.join()).not.toContain('hunter2');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { level: 'info', msg: 'fields' },
    { level: 'error', msg: 'an error', err: { code: 'ECONNRESET', message: expect.stringContaining('outer') } },
  ]);
});
