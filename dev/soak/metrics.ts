/** What the operator says of itself on /metrics. */

export interface Reading {
  readonly rssMiB: number;
  /** What outlives V8's young generation: objects, and buffers outside of the heap. A leak is seen here. */
  readonly keptMiB: number;
  /** Of the young generation, used or not. V8 lets it grow to 128 MiB while there is work, and that is most of the RSS. */
  readonly youngMiB: number;
  /** Open files and sockets; absent where the system does not tell. */
  readonly openFiles: number;
  /** Handles that libuv keeps: sockets, timers are not among them. */
  readonly handles: number;
  /** Objects in all caches. */
  readonly cached: number;
  /** Calls that were no reads; the lease and events, whose counts are written up to 10 s later, left out. */
  readonly writes: number;
  readonly errors: number;
}

interface Sample {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const MIB = 1024 * 1024;
const READS = /verb="(get|list|watch)"/;
const OLD = /space="(old|large_object)"/;
const UNCOUNTED = /resource="(leases|events)"/;

function samplesOf(text: string): Sample[] {
  return [...text.matchAll(/^(\w+)(\{.*\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels,
    value: Number(value),
  }));
}

export async function readMetrics(port: number): Promise<Reading> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  const samples = samplesOf(await answer.text());
  const sum = (name: string, counts: (labels: string) => boolean = () => true): number =>
    samples.filter((one) => one.name === name && counts(one.labels)).reduce((total, { value }) => total + value, 0);
  return {
    rssMiB: sum('process_resident_memory_bytes') / MIB,
    keptMiB:
      (sum('nodejs_heap_space_size_used_bytes', (labels) => OLD.test(labels)) + sum('nodejs_external_memory_bytes')) /
      MIB,
    youngMiB: sum('nodejs_heap_space_size_total_bytes', (labels) => labels.includes('"new"')) / MIB,
    openFiles: sum('process_open_fds'),
    handles: sum('nodejs_active_handles_total'),
    cached: sum('longshore_cache_objects'),
    writes: sum('longshore_api_requests_total', (labels) => !READS.test(labels) && !UNCOUNTED.test(labels)),
    errors: sum('controller_runtime_reconcile_errors_total'),
  };
}
