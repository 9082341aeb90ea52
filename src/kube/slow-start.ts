/**
 * Runs the work in batches of 1, 2, 4, 8… and stops at the first batch with a failure, as Kubernetes' own controllers
 * do: a quota that refuses one pod is not asked a thousand times.
 * @throws the first failure, after its batch has ended.
 */
export async function slowStart<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let from = 0, size = 1; from < items.length; from += size / 2) {
    const results = await Promise.allSettled(items.slice(from, from + size).map(work));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    size *= 2;
  }
}
