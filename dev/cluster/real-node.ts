import type { ApiClient } from './api.ts';
import type { Authority } from './certificates.ts';
import type { Session } from './session.ts';
export interface NodeNetwork {
  readonly address: string;
  readonly serviceCidr: string;
}
export function realNodePossible(): { possible: boolean; why: string } {
  return { possible: false, why: 'not yet' };
}
export async function installPackages(_say: (line: string) => void): Promise<void> {}
export async function claimNetwork(_session: Session): Promise<NodeNetwork> {
  throw new Error('not yet');
}
export async function startRealNodes(
  _s: Session,
  _a: Authority,
  _api: ApiClient,
  _n: NodeNetwork,
  _c: number,
): Promise<void> {}
