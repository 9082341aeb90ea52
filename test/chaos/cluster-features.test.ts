import { afterEach, beforeEach, expect, test } from 'vitest';
import { probeFeatures } from '../../src/controllers/cluster-features.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { silentLogger } from '../../src/kube/logger.ts';
import { FakeServer, type Request, respond, status } from './fake-server.ts';

let server: FakeServer;
let client: KubeClient;
const isProbe = ({ method, path }: Request) => method === 'POST' && path.endsWith('/namespaces/shop/podtemplates');

beforeEach(async () => {
  server = await FakeServer.start();
  client = new KubeClient(server.connection());
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

const ask = () => probeFeatures(client, silentLogger, 'shop');

test('what the API server gives back of a pod is what it serves, and nothing is written', async () => {
  server.inject(isProbe, (request, response) => {
    const object = JSON.parse(request.body);
    delete object.template.spec.resources;
    respond(response, 201, object);
  });
  expect(await ask()).toEqual({ podLevelResources: false, containerRestartRules: true });
  expect(server.requests.map(({ query }) => query.get('dryRun'))).toEqual(['All']);
});

test('an API server that refuses the fields serves none of them', async () => {
  server.inject(isProbe, (_request, response) => respond(response, 422, status(422, 'Invalid', 'unknown').body));
  expect(await ask()).toEqual({ podLevelResources: false, containerRestartRules: false });
});

test('where the API server may not be asked, everything is taken as served', async () => {
  server.inject(isProbe, (_request, response) => respond(response, 403, status(403, 'Forbidden', 'no').body));
  expect(await ask()).toEqual({ podLevelResources: true, containerRestartRules: true });
});
