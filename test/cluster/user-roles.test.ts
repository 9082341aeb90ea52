/** What Kubernetes' own roles of users allow once deploy/user-roles is installed. */
import { afterAll, beforeAll, describe, it, type TestContext, vi } from 'vitest';
import { KINDS } from '../../dev/generate/kinds.ts';
import { useSuite } from '../support/suite.ts';
import { cluster, definition, GROUP, job, service, task } from '../support/tenancy-attempts.ts';
import { bindRole, install, Tenant } from '../support/tenants.ts';

const suite = useSuite({ nodes: 'kwok=3', operator: false });
let uninstall: (() => Promise<void>) | undefined;
let withTenancy: (() => Promise<void>) | undefined;

beforeAll(async () => {
  uninstall = await install(suite(), 'user-roles');
  withTenancy = await install(suite(), 'tenancy');
});
afterAll(async () => {
  await withTenancy?.();
  await uninstall?.();
});

interface User {
  readonly tenant: Tenant;
  /** `create pods: yes`, `patch services.longshore.dev/status: no`, within the time that roles take to be aggregated. */
  readonly may: (text: string) => Promise<void>;
}

async function user(context: TestContext, role: string): Promise<User> {
  const ns = await suite().namespace(context);
  await ns.createRaw('services', service());
  const name = `${role}-${ns.name}`;
  await bindRole(suite(), role, name, ns.name);
  const tenant = await Tenant.of(context, suite(), name, ns.name);
  const may = (text: string): Promise<void> => {
    const [question = '', answer = ''] = text.split(': ');
    return answers(async () => `${question}: ${(await tenant.may(question)) ? 'yes' : 'no'}`, `${question}: ${answer}`);
  };
  return { tenant, may };
}

const answers = (ask: () => Promise<string>, answer: string): Promise<void> =>
  vi.waitFor(
    async () => {
      const given = await ask();
      if (given !== answer) throw new Error(given);
    },
    { timeout: 90_000, interval: 250 },
  );
const named = (plural: string): string => `${plural}.${GROUP}`;
const namespaced = KINDS.filter(({ resource }) => resource.namespaced).map(({ resource }) => resource.plural);

describe.concurrent('a user bound to', () => {
  it('view reads every kind, and writes none', async (context) => {
    const { may } = await user(context, 'view');
    for (const plural of namespaced) {
      await may(`list ${named(plural)}: yes`);
      for (const verb of ['create', 'update', 'patch', 'delete']) await may(`${verb} ${named(plural)}: no`);
    }
    await may(`patch ${named('services')}/scale: no`);
    await may('use serviceaccounts: no');
  });

  it('edit runs services and jobs, and says nothing of what others may', async (context) => {
    const { tenant, may } = await user(context, 'edit');
    await answers(
      () => tenant.tryCreate('taskdefinitions', definition({ kubernetes: { serviceAccountName: 'a' } })),
      'admitted',
    );
    await answers(() => tenant.tryCreate('batchjobs', job()), 'admitted');
    await answers(() => tenant.tryCreate('tasks', task()), 'admitted');
    await answers(() => tenant.tryPatch('services', 'web', { spec: { desiredCount: 2 } }), 'admitted');
    await answers(() => tenant.tryPatch('services', 'web', { spec: { replicas: 3 } }, '/scale'), 'admitted');
    for (const verb of ['create', 'update', 'patch', 'delete']) await may(`${verb} ${named('clusters')}: no`);
    await may(`grant ${named('clusters')}/policy allowPrivileged: no`);
  });

  it('admin writes the Cluster, but for what only the platform hands out', async (context) => {
    const { tenant, may } = await user(context, 'admin');
    await answers(() => tenant.tryCreate('clusters', cluster({ account: '111122223333' })), 'admitted');
    await may(`grant ${named('clusters')}/policy allowPrivileged: no`);
  });

  it('longshore-platform hands it out', async (context) => {
    const { tenant } = await user(context, 'longshore-platform');
    await bindRole(suite(), 'edit', tenant.name);
    await answers(() => tenant.tryCreate('clusters', cluster({ policy: { allowPrivileged: true } })), 'admitted');
  });

  it.for(['view', 'edit', 'admin'])('%s writes no status', async (role, context) => {
    const { may } = await user(context, role);
    await may(`get ${named('services')}/status: yes`);
    for (const plural of namespaced)
      for (const verb of ['update', 'patch']) await may(`${verb} ${named(plural)}/status: no`);
  });
});
