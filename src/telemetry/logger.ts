import { pino } from 'pino';

/** Takes fields first and the message second; pino's own shape. */
export type Logger = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error'> & {
  child(fields: Record<string, unknown>): Logger;
};

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Connection material that an error or an object could carry along. */
const secrets = ['headers', 'err.headers', 'err.cause.headers', 'authorization', 'token', 'password'];

/**
 * JSON lines on standard output, written synchronously: the last line before a crash is not lost. Times are ISO 8601,
 * levels are words.
 */
export function createLogger(
  options: { readonly level?: LogLevel; readonly destination?: number | string } = {},
): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secrets, remove: true },
    },
    pino.destination({ dest: options.destination ?? 1, sync: true }),
  );
}
