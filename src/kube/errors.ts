export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

interface Status {
  kind?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: StatusDetails;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  /** As RBAC has it, such as `watch` or `deletecollection`. Default: the method. */
  readonly verb?: string;
}

/** The API server answered, and said no. The message is the server's own. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status code. */
  readonly status: number;
  /** Kubernetes' reason, such as `NotFound`; empty when the answer was not a Status (a proxy's, for instance). */
  readonly reason: string;
  readonly details: StatusDetails;
  readonly retryAfterSeconds?: number;
  readonly method: string;
  readonly path: string;
  readonly verb: string;

  constructor(
    call: Call,
    answer: {
      status: number;
      reason?: string;
      message?: string;
      details?: StatusDetails;
      retryAfterSeconds?: number;
    },
  ) {
    super(answer.message || `${call.method} ${call.path} answered ${answer.status}`);
    this.status = answer.status;
    this.reason = answer.reason ?? '';
    this.details = answer.details ?? {};
    this.method = call.method;
    this.path = call.path;
    this.verb = call.verb ?? call.method;
    const retryAfterSeconds = answer.retryAfterSeconds ?? answer.details?.retryAfterSeconds;
    if (retryAfterSeconds !== undefined) this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * No answer came. After a write nobody knows whether the server carried it out, unless `sent` is false:
 * then no connection was made. A later write under the same name is safe, since it meets 409 or a resourceVersion.
 */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** Node's or undici's code, such as ECONNRESET, or ETIMEDOUT for the request timeout. */
  readonly code: string;
  readonly sent: boolean;
  readonly method: string;
  readonly path: string;

  constructor(call: Call, code: string, cause?: unknown) {
    super(`${call.method} ${call.path}: no answer from the API server (${code})`, cause ? { cause } : undefined);
    this.code = code;
    this.sent = !neverSent.has(code) && !isUntrusted(code);
    this.method = call.method;
    this.path = call.path;
  }
}

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether the code says that the server's certificate was not accepted: Node's names of OpenSSL's verify errors. */
export function isUntrusted(code: string): boolean {
  return /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_(CA|PURPOSE)|HOSTNAME_|ERR_TLS_CERT_)/.test(code);
}

/** Reads a non-2xx answer: a Status, or whatever text something on the way put there (kept to 200 characters). */
export function toApiError(call: Call, httpStatus: number, text: string, retryAfter?: string): ApiError {
  const seconds = retryAfter === undefined ? undefined : parseRetryAfter(retryAfter);
  const wait = seconds === undefined ? {} : { retryAfterSeconds: seconds };
  const status = parseStatus(text);
  if (status === undefined) {
    const message = `${call.method} ${call.path} answered ${httpStatus}${text ? `: ${text.slice(0, 200).trim()}` : ''}`;
    return new ApiError(call, { status: httpStatus, message, ...wait });
  }
  return statusToApiError(call, status, httpStatus, wait);
}

/** The error inside a watch's ERROR event, whose object is a Status. */
export function watchErrorToApiError(call: Call, object: unknown): ApiError {
  return statusToApiError(call, isStatus(object) ? object : {}, 500, {});
}

function statusToApiError(call: Call, status: Status, httpStatus: number, wait: { retryAfterSeconds?: number }) {
  return new ApiError(call, {
    status: status.code ?? httpStatus,
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    ...(status.message === undefined ? {} : { message: status.message }),
    ...(status.details === undefined ? {} : { details: status.details }),
    ...wait,
  });
}

function parseStatus(text: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isStatus(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}

/** Seconds of a Retry-After header, which may also be an HTTP date. */
function parseRetryAfter(header: string): number | undefined {
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}

type Answered = (error: unknown) => error is ApiError;

const has =
  (status: number, reason?: string): Answered =>
  (error): error is ApiError =>
    error instanceof ApiError && error.status === status && (reason === undefined || error.reason === reason);

export const isNotFound: Answered = has(404);
export const isAlreadyExists: Answered = has(409, 'AlreadyExists');
/** The object changed since it was read (409 Conflict), or a precondition on its uid or resourceVersion failed. */
export const isConflict: Answered = has(409, 'Conflict');
/** The resourceVersion is older than what the server still has: list again. */
export const isGone: Answered = has(410);
/** The API server refuses what the object says (422). */
export const isInvalid: Answered = has(422);
export const isForbidden: Answered = has(403);
/** Refused because the namespace is being deleted: nothing will come of trying again. */
export function isNamespaceTerminating(error: unknown): boolean {
  return isForbidden(error) && (error.details.causes?.some(({ reason }) => reason === 'NamespaceTerminating') ?? false);
}
/**
 * A 403 for want of a right, in one sentence.
 * @param resource with its group.
 * @param namespace absent: all namespaces.
 */
export function missingRight({ verb, message }: ApiError, resource: string, namespace?: string): string {
  const scope = namespace === undefined ? 'in all namespaces' : `in namespace ${namespace}`;
  return `not allowed to ${verb} ${resource} ${scope}; the API server says: ${message}`;
}
export const isTooManyRequests: Answered = has(429);
/** True when the server may have carried out the call although no usable answer came. */
export function isAmbiguous(error: unknown): boolean {
  return (error instanceof ConnectionError && error.sent) || has(504)(error);
}

/** What a reconcile needs is not there yet. It is tried again, and is no error; whoever throws it says so in a status. */
export class NotYetError extends Error {}

/** A write that was not sent, since this process may no longer write: another one may lead. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';

  constructor({ method, path }: Call) {
    super(`${method} ${path} was not sent: this process does not hold the lease any more`);
  }
}
