/** What clients lose while what answers them comes and goes: a constant stream of requests to real containers on two nodes. */
import { beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { realNodePossible } from '../../dev/cluster/index.ts';
import { ensureTrafficServer } from '../../dev/cluster/traffic-server.ts';
import { type TestNamespace, useSuite } from '../support/suite.ts';
import { TrafficStream } from '../support/traffic.ts';
import { applyDeployment, clusterIpOf } from '../support/traffic-deployment.ts';

const { possible, why } = realNodePossible();
const title = possible ? 'a stream of requests' : `a stream of requests (skipped: ${why})`;

/** The longest that a stream goes on where a test does not end it. */
const MOST_SECONDS = 600;

describe.skipIf(!possible).concurrent(title, { timeout: 900_000 }, () => {
  const suite = useSuite({ nodes: 'real=2', operator: true });
  beforeAll(async () => {
    await ensureTrafficServer();
  });

  async function streamTo(context: TestContext, ns: TestNamespace, service: string): Promise<TrafficStream> {
    const host = await clusterIpOf((args) => ns.kubectl(args), service);
    const stream = await TrafficStream.start(suite().cluster.dir, { host, port: 80, seconds: MOST_SECONDS });
    context.onTestFinished(async () => {
      await stream.end();
    });
    return stream;
  }

  it('shows what is lost where a server ends at once on SIGTERM and its pod has no preStop sleep', async (context) => {
    const ns = await suite().namespace(context);
    const kubectl: TestNamespace['kubectl'] = (args, input) => ns.kubectl(args, input);
    await applyDeployment(kubectl, {
      name: 'hasty',
      replicas: 1,
      preStopSeconds: 0,
      environment: { GRACEFUL: 'no', START_AFTER_MS: '500' },
    });
    const stream = await streamTo(context, ns, 'hasty');
    expect(stream.failures).toEqual([]);
    const [task] = stream.tasks;
    await ns.kubectl(['scale', 'deployment/hasty', '--replicas=0']);
    const cut = await Promise.race([stream.failureOf('slow keep-alive'), stream.failureOf('slow new connection')]);
    expect(cut).toMatchObject({ task, error: expect.stringContaining('cut off within the answer') });
    await Promise.all([stream.failureOf('new connection'), stream.failureOf('websocket')]);
    const summary = await stream.end();
    expect(summary.failures).toBe(stream.failures.length);
    expect(summary.answeredBy).toEqual({ [task ?? '']: summary.requests - summary.failures });
  });
});
