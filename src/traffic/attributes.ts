/** What a TargetGroup's attributes mean here. */
import type { FieldSupport } from '../api/status.ts';
import type { TargetGroupSpec } from '../api/target-group.ts';

/** The value of an attribute; undefined where it is not given. */
export const attributeOf = ({ targetGroupAttributes }: TargetGroupSpec, key: string): string | undefined =>
  targetGroupAttributes.find((attribute) => attribute.key === key)?.value;

/** A core Service keeps a client to a target by its address. */
export const isStickyByAddress = (spec: TargetGroupSpec): boolean =>
  attributeOf(spec, 'stickiness.enabled') === 'true' && attributeOf(spec, 'stickiness.type') === 'source_ip';

/** Attributes that have no effect, and why. */
export function attributeSupport(spec: TargetGroupSpec): FieldSupport[] {
  const isUnsticky = attributeOf(spec, 'stickiness.enabled') !== 'true';
  return spec.targetGroupAttributes.flatMap(({ key }, index): FieldSupport[] => {
    if (key === 'deregistration_delay.timeout_seconds') return [];
    const isStickiness = key.startsWith('stickiness.');
    if (isStickiness && (isUnsticky || isStickyByAddress(spec))) return [];
    const reason = isStickiness
      ? 'a core Service keeps clients to a target by their address alone: stickiness.type source_ip'
      : `nothing here does what ${key} asks for`;
    return [{ field: `spec.targetGroupAttributes[${index}]`, support: 'Ignored', reason }];
  });
}
