import { expect, it } from 'vitest';
import { FaultProxy } from '../support/fault-proxy.ts';
import { cluster, service, taskDefinition } from '../support/manifests.ts';
import { OPERATOR_USER, useSuite } from '../support/suite.ts';
import { until } from '../support/until.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });

it('a Cluster that was there before a service or job holds for its first task, however late the watch of Clusters', async (context) => {
  const ns = await suite().namespace(context);
  const proxy = await FaultProxy.start(await suite().cluster.userKubeconfig(OPERATOR_USER, []));
  const operator = suite().newOperator(['--no-leader-elect', '--namespace', ns.name], proxy.kubeconfig);
  try {
    await operator.ready();
    await ns.create(taskDefinition('app'));
    await ns.until('the definition to be registered', () => ns.history.get('taskdefinitions', 'app')?.status);
    const images = [{ prefix: 'httpd', replacement: 'mirror.example.com/httpd' }];
    for (const object of [
      service('web', { taskDefinition: 'app' }),
      { kind: 'BatchJob', name: 'job', spec: { taskDefinition: 'app' } } as const,
    ]) {
      const hold = proxy.hold(/\/clusters\?.*\bwatch=/);
      await ns.create(cluster(object.name, { mappings: { images } }));
      await ns.create(object);
      // What the watch has to show, and the new list that is asked for.
      await until(proxy, 'the operator to ask for a new list of Clusters', () => hold.waiting === 2);
      const podsOf = () => ns.history.all('pods').filter(({ metadata }) => metadata.name.startsWith(object.name));
      await ns.history.caughtUp();
      expect(podsOf()).toEqual([]);
      hold.release();
      const [pod] = await ns.until(`a pod of ${object.name}`, () => (podsOf().length > 0 ? podsOf() : undefined));
      expect(pod?.spec.containers[0]?.image).toBe('mirror.example.com/httpd:2.4');
      await ns.delete('clusters', object.name);
    }
  } finally {
    await operator.kill('SIGKILL');
    await proxy.stop();
  }
});
