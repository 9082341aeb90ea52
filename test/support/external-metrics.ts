/** A metrics API of the test's own (external.metrics.k8s.io), behind the API server: what autoscalers read. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { Authority } from '../../dev/cluster/certificates.ts';
import type { Suite, TestNamespace } from './suite.ts';

const GROUP_VERSION = 'external.metrics.k8s.io/v1beta1';
const REGISTRATION = '/apis/apiregistration.k8s.io/v1/apiservices';
const NAME = 'v1beta1.external.metrics.k8s.io';

export interface ExternalMetric {
  readonly name: string;
  set(value: number): void;
}

/** Serves one metric of the namespace; at most one test at a time, since the API is the cluster's. */
export async function externalMetric(suite: Suite, ns: TestNamespace, context: TestContext): Promise<ExternalMetric> {
  const name = 'queue-length';
  let value = 0;
  const authority = await Authority.open(join(suite.cluster.dir, 'pki'));
  const pair = await authority.issue(`metrics-${ns.name}`, { user: 'metrics', hosts: [`metrics.${ns.name}.svc`] });
  const server = createServer({ cert: readFileSync(pair.cert), key: readFileSync(pair.key) }, (request, response) => {
    const items = [{ metricName: name, metricLabels: {}, timestamp: new Date().toISOString(), value: String(value) }];
    const answers: Record<string, object> = {
      [`/apis/${GROUP_VERSION}`]: {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: GROUP_VERSION,
        resources: [],
      },
      [`/apis/${GROUP_VERSION}/namespaces/${ns.name}/${name}`]: {
        kind: 'ExternalMetricValueList',
        apiVersion: GROUP_VERSION,
        metadata: {},
        items,
      },
    };
    const answer = answers[(request.url ?? '').split('?')[0] ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  // The API server reaches a Service without any proxy of the node's where it is but another name.
  await suite.api.call('POST', `/api/v1/namespaces/${ns.name}/services`, {
    metadata: { name: 'metrics' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  });
  await suite.api.call('POST', REGISTRATION, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: NAME },
    spec: {
      group: 'external.metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      service: { namespace: ns.name, name: 'metrics', port },
      caBundle: readFileSync(authority.ca.cert).toString('base64'),
    },
  });
  context.onTestFinished(async () => {
    await suite.api.call('DELETE', `${REGISTRATION}/${NAME}`);
    server.closeAllConnections();
    server.close();
  });
  await ns.kubectl(['wait', '--for=condition=Available', '--timeout=120s', `apiservice/${NAME}`]);
  return {
    name,
    set: (next) => {
      value = next;
    },
  };
}
