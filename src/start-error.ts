/** Why the operator cannot begin, and what to do about it. */
export class StartError extends Error {
  override readonly name = 'StartError';

  static connection(cause: unknown): StartError {
    const path =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' && 'path' in cause ? cause.path : undefined;
    const what = path === undefined ? textOf(cause) : `${path} does not exist`;
    return new StartError(
      `no cluster to connect to: ${what}. Set KUBECONFIG, pass --kubeconfig, or run in a pod with a service account.`,
      { cause },
    );
  }

  static healthPort(port: number, cause: unknown): StartError {
    const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const what = inUse ? 'is in use' : `cannot be opened: ${textOf(cause)}`;
    return new StartError(
      `port ${port} for /livez, /readyz and /metrics ${what}. Choose another with --health-port; 0 takes any free one.`,
      { cause },
    );
  }
}

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
