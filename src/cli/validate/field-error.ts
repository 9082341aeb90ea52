/** The API server's field errors, in its words (apimachinery, util/validation/field). */
import { marshal, plain, quote } from './go-text.ts';

const LABELS = {
  Required: 'Required value',
  Duplicate: 'Duplicate value',
  Invalid: 'Invalid value',
  TypeInvalid: 'Invalid value',
  NotSupported: 'Unsupported value',
  Forbidden: 'Forbidden',
  TooLong: 'Too long',
  TooMany: 'Too many',
} as const;

export interface FieldError {
  readonly type: keyof typeof LABELS;
  /** Empty: the object as a whole. */
  readonly field: string;
  /** Absent where the message shows no value. */
  readonly value?: unknown;
  readonly detail?: string;
}

/** `spec.cpu: Invalid value: "x": spec.cpu in body should match …`. */
export function fieldErrorLine({ type, field, value, detail }: FieldError): string {
  const parts: string[] = [field === '' ? '<nil>' : field, LABELS[type]];
  if (value !== undefined) parts.push(valueText(value));
  if (detail) parts.push(detail);
  return parts.join(': ');
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean' || typeof value === 'number') return plain(value);
  return marshal(value);
}

/** Errors after which the API server evaluates no rule. */
export const blocksRules = ({ type }: FieldError): boolean =>
  type === 'NotSupported' || type === 'Required' || type === 'TooLong' || type === 'TooMany' || type === 'TypeInvalid';
