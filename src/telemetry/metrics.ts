import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** All of the process's metrics. The methods are what controllers and the API client call; see docs for the names. */
export class Metrics {
  readonly registry = new Registry();
  readonly #depth: Gauge<'controller'>;
  readonly #reconcile: Histogram<'controller' | 'outcome'>;
  readonly #errors: Counter<'controller'>;
  readonly #calls: Counter<'verb' | 'resource' | 'code'>;
  readonly #callSeconds: Histogram<'verb'>;
  readonly #leader: Gauge;

  constructor(options: { readonly processMetrics?: boolean } = {}) {
    const registers = [this.registry];
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry });
    this.#depth = new Gauge({
      name: 'longshore_workqueue_depth',
      help: 'Keys waiting for a worker.',
      labelNames: ['controller'],
      registers,
    });
    this.#reconcile = new Histogram({
      name: 'longshore_reconcile_duration_seconds',
      help: 'Time of one reconcile, by outcome: success, requeue, conflict or error.',
      labelNames: ['controller', 'outcome'],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
      registers,
    });
    this.#errors = new Counter({
      name: 'longshore_reconcile_errors_total',
      help: 'Reconciles that failed; a conflict is not a failure.',
      labelNames: ['controller'],
      registers,
    });
    this.#calls = new Counter({
      name: 'longshore_api_requests_total',
      help: 'Requests to the API server by verb, resource and HTTP status (or the network error when none came).',
      labelNames: ['verb', 'resource', 'code'],
      registers,
    });
    this.#callSeconds = new Histogram({
      name: 'longshore_api_request_duration_seconds',
      help: 'Time of one request to the API server; watches are left out.',
      labelNames: ['verb'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30],
      registers,
    });
    this.#leader = new Gauge({ name: 'longshore_leader', help: '1 while this process leads.', registers });
  }

  queueDepth = (controller: string, depth: number): void => {
    this.#depth.set({ controller }, depth);
  };

  reconciled = (controller: string, outcome: 'success' | 'requeue' | 'conflict' | 'error', seconds: number): void => {
    this.#reconcile.observe({ controller, outcome }, seconds);
    if (outcome === 'error') this.#errors.inc({ controller });
  };

  apiCall = (call: { verb: string; resource: string; code: number | string; seconds: number }): void => {
    this.#calls.inc({ verb: call.verb, resource: call.resource, code: call.code });
    if (call.verb !== 'watch') this.#callSeconds.observe({ verb: call.verb }, call.seconds);
  };

  leading = (leads: boolean): void => {
    this.#leader.set(leads ? 1 : 0);
  };
}
