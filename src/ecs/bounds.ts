export interface Bounds {
  /** So many tasks stay healthy. */
  readonly min: number;
  /** So many tasks may exist. */
  readonly max: number;
}

/** Both bounds with AWS's rounding: the lower bound up, the upper bound down (`ecs-semantics §3.3`). */
export function bounds(desiredCount: number, minimumHealthyPercent: number, maximumPercent: number): Bounds {
  return {
    min: Math.ceil((desiredCount * minimumHealthyPercent) / 100),
    max: Math.floor((desiredCount * maximumPercent) / 100),
  };
}
