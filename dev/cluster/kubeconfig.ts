import { readFileSync, writeFileSync } from 'node:fs';
import type { Authority, Subject } from './certificates.ts';

/** Writes a kubeconfig for a user with a client certificate. JSON is YAML: every client reads it. */
export async function writeKubeconfig(
  path: string,
  authority: Authority,
  server: string,
  subject: Subject,
): Promise<string> {
  const files = await authority.issue(`client-${subject.user.replaceAll(/[^\w.-]/g, '-')}`, subject);
  const data = (file: string) => readFileSync(file).toString('base64');
  const name = 'longshore';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': data(authority.ca.cert) } }],
    users: [
      {
        name: subject.user,
        user: { 'client-certificate-data': data(files.cert), 'client-key-data': data(files.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: subject.user } }],
  };
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  return path;
}
