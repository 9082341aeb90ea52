import { ApiError, ConnectionError } from './errors.ts';

/** Attempts of one call, the first included (client-go's limit). */
export const MAX_ATTEMPTS = 10;

/** A server that asks for a longer pause is not waited for by a call, and a watch asks it again sooner. */
export const LONGEST_RETRY_AFTER_SECONDS = 60;

/**
 * How long to wait before the same call may be sent again, or undefined when the caller has to see the error.
 *
 * A refusal that names a Retry-After was not carried out, so anything may be sent again after 429, and everything but
 * POST and PATCH after 5xx. Without an answer only reads are repeated: a write may have been carried out.
 */
export function retryDelayMs(
  method: string,
  error: unknown,
  attempt: number,
  random: () => number,
): number | undefined {
  if (attempt >= MAX_ATTEMPTS) return undefined;
  if (error instanceof ApiError) {
    const { retryAfterSeconds = Infinity } = error;
    if (retryAfterSeconds > LONGEST_RETRY_AFTER_SECONDS) return undefined;
    const refused = error.status === 429 || error.status === 503;
    const repeatable = error.status >= 500 && method !== 'POST' && method !== 'PATCH';
    return refused || repeatable ? retryAfterSeconds * 1000 * (1 + random() * 0.25) : undefined;
  }
  if (error instanceof ConnectionError && method === 'GET' && error.code !== 'ETIMEDOUT' && attempt < 4) {
    return 100 * 2 ** attempt * (0.5 + random());
  }
  return undefined;
}
