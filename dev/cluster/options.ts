import { resolve } from 'node:path';

export interface ClusterOptions {
  /** Where everything of the cluster lives; default `<repository>/.cluster`. */
  readonly dir?: string;
  /** `kwok=N`, `real`, `real=2`, or a combination such as `real,kwok=2`; default `kwok=3`. */
  readonly nodes?: string;
  /** Writes every request, at Metadata level, to `<dir>/logs/audit.log`. */
  readonly audit?: boolean;
  /** The Kubernetes version whose API and feature gates the control plane shows, such as `1.34`; default its own. */
  readonly emulate?: string;
  /**
   * Seconds of a node's silence after which the controller manager takes it as lost; default Kubernetes' own (50). Real
   * nodes then say four times as often as that allows that they are there.
   */
  readonly nodeMonitorGraceSeconds?: number;
  /** `debian`: real nodes run the programs of debian-programs.yaml under their names, and not stand-ins. */
  readonly programs?: 'debian';
  readonly onProgress?: (line: string) => void;
}

export interface NodeCounts {
  readonly kwok: number;
  readonly real: number;
}

export const defaultDir = resolve(import.meta.dirname, '..', '..', '.cluster');

/** Reads `--nodes`. */
export function parseNodes(text: string): NodeCounts {
  const counts = { kwok: 0, real: 0 };
  for (const part of text.split(',')) {
    const match = /^(kwok|real|kind)(?:=(\d+))?$/.exec(part.trim());
    if (match === null) {
      throw new Error(`--nodes ${text}: expected kwok=N, real, real=2 or kind, for example "kwok=3" or "real,kwok=2"`);
    }
    if (match[1] === 'kind') throw new Error(kindAdvice);
    const kind = match[1] === 'real' ? 'real' : 'kwok';
    counts[kind] = Number(match[2] ?? (kind === 'real' ? 1 : 3));
  }
  if (counts.kwok > 1_000) throw new Error(`--nodes ${text}: at most 1000 KWOK nodes`);
  if (counts.real > 4) throw new Error(`--nodes ${text}: at most 4 real nodes on one machine`);
  if (counts.kwok + counts.real === 0) throw new Error(`--nodes ${text}: at least one node`);
  return counts;
}

const kindAdvice =
  '--nodes kind: this command does not run kind itself. Where `docker info` answers, run `kind create cluster ' +
  '--kubeconfig .cluster/kubeconfig` and use that kubeconfig; everywhere else use --nodes kwok=N or --nodes real';
