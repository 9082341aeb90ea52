/** Kubernetes' MicroTime: RFC 3339 with six digits. */
export function microTime(date: Date): string {
  return date.toISOString().replace('Z', '000Z');
}
