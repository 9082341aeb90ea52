import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is read when the metrics are asked for. */
interface ControllerGauges {
  readonly depth: number;
  /** For each reconcile under way, the longest first. */
  readonly workingSeconds: readonly number[];
}

interface CacheGauges {
  readonly resource: string;
  readonly size: number;
  readonly lists: number;
}

/** The buckets of controller-runtime's and client-go's histograms, as far as their dashboards look. */
const RECONCILE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const QUEUE_SECONDS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100, 1000];
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

const RESULTS = ['success', 'requeue', 'requeue_after', 'error'] as const;

/**
 * All of the process's metrics. Queues, reconciles, requests and leadership have the names, labels and meanings of
 * controller-runtime and client-go, so that dashboards and alerts made for those work; what they have no name for
 * begins with `longshore_`.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #controllers = new Map<string, { readonly workers: number; readonly gauges: () => ControllerGauges }>();
  readonly #adds = this.#counter('workqueue_adds_total', 'Total number of adds handled by workqueue.', ['name']);
  readonly #retries = this.#counter('workqueue_retries_total', 'Total number of retries handled by workqueue.', [
    'name',
  ]);
  readonly #waited = this.#histogram(
    'workqueue_queue_duration_seconds',
    'How long in seconds an item stays in workqueue before being requested.',
    ['name'],
    QUEUE_SECONDS,
  );
  readonly #worked = this.#histogram(
    'workqueue_work_duration_seconds',
    'How long in seconds processing an item from workqueue takes.',
    ['name'],
    QUEUE_SECONDS,
  );
  readonly #reconciles = this.#counter(
    'controller_runtime_reconcile_total',
    'Total number of reconciliations per controller.',
    ['controller', 'result'],
  );
  readonly #errors = this.#counter(
    'controller_runtime_reconcile_errors_total',
    'Total number of reconciliation errors per controller; a conflict is none.',
    ['controller'],
  );
  readonly #reconcileSeconds = this.#histogram(
    'controller_runtime_reconcile_time_seconds',
    'Length of time per reconciliation per controller.',
    ['controller'],
    RECONCILE_SECONDS,
  );
  readonly #requests = this.#counter(
    'rest_client_requests_total',
    'Number of HTTP requests, partitioned by status code, method, and host.',
    ['code', 'method', 'host'],
  );
  readonly #requestSeconds = this.#histogram(
    'rest_client_request_duration_seconds',
    'Request latency in seconds, broken down by verb and host; watches are left out.',
    ['verb', 'host'],
    REQUEST_SECONDS,
  );
  readonly #apiRequests = this.#counter(
    'longshore_api_requests_total',
    'Requests to the API server by verb, resource and HTTP status (or the network error when none came).',
    ['verb', 'resource', 'code'],
  );
  readonly #leader = this.#gauge(
    'leader_election_master_status',
    'Whether this process leads: 1 while it does, 0 while it stands by. The name is that of the lease.',
    ['name'],
  );

  constructor(options: { readonly version: string; readonly processMetrics?: boolean }) {
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry });
    this.#gauge('longshore_build_info', 'Always 1; the labels say what runs.', ['version', 'node_version']).set(
      { version: options.version, node_version: process.version },
      1,
    );
    this.#perController('workqueue_depth', 'Current depth of workqueue.', 'name', ({ depth }) => depth);
    this.#perController(
      'workqueue_unfinished_work_seconds',
      'Seconds of work in progress that workqueue_work_duration_seconds has not seen; a growing value is stuck work.',
      'name',
      ({ workingSeconds }) => workingSeconds.reduce((sum, seconds) => sum + seconds, 0),
    );
    this.#perController(
      'workqueue_longest_running_processor_seconds',
      'How many seconds the longest running processor of workqueue has been running.',
      'name',
      ({ workingSeconds }) => workingSeconds[0] ?? 0,
    );
    this.#perController(
      'controller_runtime_active_workers',
      'Number of currently used workers per controller.',
      'controller',
      ({ workingSeconds }) => workingSeconds.length,
    );
    this.#perController(
      'controller_runtime_max_concurrent_reconciles',
      'Maximum number of concurrent reconciles per controller.',
      'controller',
      (_gauges, workers) => workers,
    );
  }

  /** A controller that begins to run. @returns what its work queue reports to. */
  controller = (name: string, workers: number, gauges: () => ControllerGauges) => {
    this.#controllers.set(name, { workers, gauges });
    // As controller-runtime does: a rate needs the zero before the first one.
    for (const result of RESULTS) this.#reconciles.inc({ controller: name, result }, 0);
    this.#errors.inc({ controller: name }, 0);
    return {
      added: () => this.#adds.inc({ name }),
      taken: (seconds: number) => this.#waited.observe({ name }, seconds),
      done: (seconds: number) => this.#worked.observe({ name }, seconds),
      retried: () => this.#retries.inc({ name }),
    };
  };

  reconciled = (controller: string, result: (typeof RESULTS)[number], seconds: number): void => {
    this.#reconciles.inc({ controller, result });
    if (result === 'error') this.#errors.inc({ controller });
    this.#reconcileSeconds.observe({ controller }, seconds);
  };

  /** @param server URL of the API server. @returns what a client of it reports each attempt to. */
  requestsTo = (server: string) => {
    const { host } = new URL(server);
    return (call: { verb: string; method: string; resource: string; code: number | string; seconds: number }): void => {
      const { verb, method, resource, code, seconds } = call;
      this.#requests.inc({ code: typeof code === 'number' ? code : '<error>', method, host });
      this.#apiRequests.inc({ verb, resource, code });
      if (verb !== 'watch') this.#requestSeconds.observe({ verb: method, host }, seconds);
    };
  };

  leading = (lease: string, leads: boolean): void => {
    this.#leader.set({ name: lease }, leads ? 1 : 0);
  };

  /** Caches and dropped events, read when the metrics are asked for. */
  watch = (caches: () => readonly CacheGauges[], droppedEvents: () => number): void => {
    this.#collected('longshore_cache_objects', 'Objects in a cache.', ['resource'], (gauge) => {
      for (const { resource, size } of caches()) gauge.set({ resource }, size);
    });
    this.#collected('longshore_cache_lists_total', 'Complete lists of a cache.', ['resource'], (gauge) => {
      for (const { resource, lists } of caches()) gauge.set({ resource }, lists);
    });
    this.#collected('longshore_events_dropped_total', 'Events the limits kept from being written.', [], (gauge) => {
      gauge.set(droppedEvents());
    });
  };

  /** Read when the metrics are asked for. */
  restarts = (read: () => { readonly granted: number; readonly waiting: number }): void => {
    this.#collected(
      'longshore_restarts_total',
      'Restarts of tasks of services that ended by themselves.',
      [],
      (gauge) => {
        gauge.set(read().granted);
      },
    );
    this.#collected('longshore_restarts_waiting', 'Services that wait for the budget of restarts.', [], (gauge) => {
      gauge.set(read().waiting);
    });
  };

  #counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge<Label extends string>(name: string, help: string, labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #histogram<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }

  #collected<Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    read: (gauge: Gauge<Label>) => void,
  ): void {
    new Gauge<Label>({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        read(this);
      },
    });
  }

  #perController<Label extends string>(
    name: string,
    help: string,
    label: Label,
    value: (gauges: ControllerGauges, workers: number) => number,
  ): void {
    this.#collected<Label>(name, help, [label], (gauge) => {
      for (const [controller, { workers, gauges }] of this.#controllers) {
        const labels: Partial<Record<Label, string>> = {};
        labels[label] = controller;
        gauge.set(labels, value(gauges(), workers));
      }
    });
  }
}
