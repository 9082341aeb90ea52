import { DecoratorHandler, type Dispatcher } from 'undici';
import { NotLeaderError } from './errors.ts';

/**
 * Refuses a write with NotLeaderError at the moment undici would put it on a socket. Asked any earlier, a leader that
 * stood still while the write waited for a connection, or to be sent again, would send it after another one took over.
 */
export function writeFence(mayWrite: () => boolean): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, options.method === 'GET' ? handler : new FencedHandler(handler, options, mayWrite));
}

class FencedHandler extends DecoratorHandler implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #call: Dispatcher.DispatchOptions;
  readonly #mayWrite: () => boolean;

  constructor(handler: Dispatcher.DispatchHandler, call: Dispatcher.DispatchOptions, mayWrite: () => boolean) {
    super(handler);
    this.#handler = handler;
    this.#call = call;
    this.#mayWrite = mayWrite;
  }

  /** Thrown, not aborted: an abort would cost the connection, and each write in line behind a new one. */
  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    if (!this.#mayWrite()) throw new NotLeaderError(this.#call);
    this.#handler.onRequestStart?.(controller, context);
  }
}
