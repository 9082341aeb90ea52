import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTaskDefinition } from '../../../src/api/task-definition.ts';
import { dependenciesOf, startPlan } from '../../../src/pod/start-order.ts';

type Given = Readonly<Record<string, Readonly<Record<string, string | object>>>>;

/** Names → what they depend on; `!` gives further fields. Containers are not essential but those called app. */
function plan(given: Given) {
  const containerDefinitions = Object.entries(given).map(([name, { '!': fields, ...edges }]) => ({
    name,
    image: 'busybox',
    memory: 8,
    essential: name.startsWith('app'),
    dependsOn: Object.entries(edges).map(([containerName, condition]) => ({ containerName, condition })),
    ...(fields as object | undefined),
  }));
  const { init, regular, barriers } = startPlan(parseTaskDefinition({ containerDefinitions }).containerDefinitions);
  return { init: init.map(({ name }) => name), regular: regular.map(({ name }) => name), barriers: [...barriers] };
}

const healthCheck = { command: ['CMD', 'true'] };

describe('the start plan (ecs-semantics §1.5)', () => {
  it.each<[string, Given, ReturnType<typeof plan>]>([
    [
      'START of an essential container is the order of the list',
      { app: { app2: 'START' }, app2: {} },
      { init: [], regular: ['app2', 'app'], barriers: [] },
    ],
    [
      'START of one that may fail alone',
      { app: { log: 'START' }, log: {} },
      { init: [], regular: ['log', 'app'], barriers: ['app'] },
    ],
    [
      'SUCCESS that all wait for',
      { app: { seed: 'SUCCESS' }, seed: {} },
      { init: ['seed'], regular: ['app'], barriers: [] },
    ],
    [
      'a chain of them',
      { app: { b: 'SUCCESS' }, b: { a: 'SUCCESS' }, a: {} },
      { init: ['a', 'b'], regular: ['app'], barriers: [] },
    ],
    [
      'SUCCESS through another container',
      { app: { web: 'START' }, web: { seed: 'SUCCESS' }, seed: {} },
      { init: ['seed'], regular: ['web', 'app'], barriers: ['app'] },
    ],
    [
      'SUCCESS beside a container that does not wait',
      { app: { seed: 'SUCCESS' }, seed: {}, log: {} },
      { init: [], regular: ['seed', 'app', 'log'], barriers: ['app'] },
    ],
    [
      'SUCCESS of one that needs a running container',
      { app: { seed: 'SUCCESS' }, seed: { db: 'START' }, db: {} },
      { init: [], regular: ['db', 'seed', 'app'], barriers: ['seed', 'app'] },
    ],
    ['COMPLETE', { app: { seed: 'COMPLETE' }, seed: {} }, { init: [], regular: ['seed', 'app'], barriers: ['app'] }],
    [
      'HEALTHY, and START behind it',
      { behind: { app: 'START' }, app: { db: 'HEALTHY' }, db: { '!': { healthCheck } } },
      { init: [], regular: ['db', 'app', 'behind'], barriers: ['app', 'behind'] },
    ],
    [
      'SUCCESS and COMPLETE of one',
      { app: { seed: 'SUCCESS' }, other: { seed: 'COMPLETE' }, seed: {} },
      { init: [], regular: ['seed', 'app', 'other'], barriers: ['app', 'other'] },
    ],
    [
      'SUCCESS within a startTimeout',
      { app: { seed: 'SUCCESS' }, seed: { '!': { startTimeout: 5 } } },
      { init: [], regular: ['seed', 'app'], barriers: ['app'] },
    ],
    ['a link', { app: { '!': { links: ['db:x'] } }, db: {} }, { init: [], regular: ['db', 'app'], barriers: ['app'] }],
    [
      'a link to an essential container, and volumesFrom',
      { app: { '!': { links: ['app-db:x'], volumesFrom: [{ sourceContainer: 'data' }] } }, data: {}, 'app-db': {} },
      { init: [], regular: ['app-db', 'data', 'app'], barriers: [] },
    ],
  ])('%s', (_, given, expected) => {
    expect(plan(given)).toEqual(expected);
  });

  it('holds for every graph: nothing is before what it depends on, and only START of an essential container needs no gate', () => {
    const graph = fc
      .array(
        fc.array(fc.constantFrom('', '', 'START', 'SUCCESS', 'COMPLETE', 'HEALTHY'), { minLength: 6, maxLength: 6 }),
        {
          minLength: 2,
          maxLength: 6,
        },
      )
      .map(
        (rows) =>
          parseTaskDefinition({
            containerDefinitions: [
              ...rows.map((row, index) => ({
                name: `c${index}`,
                image: 'busybox',
                memory: 8,
                essential: index % 2 === 1,
                healthCheck,
                dependsOn: row
                  .slice(0, index)
                  .flatMap((condition, target) =>
                    condition === '' || (target % 2 === 1 && (condition === 'SUCCESS' || condition === 'COMPLETE'))
                      ? []
                      : [{ containerName: `c${target}`, condition }],
                  ),
              })),
              { name: 'app', image: 'busybox', memory: 8 },
            ].reverse(),
          }).containerDefinitions,
      );
    fc.assert(
      fc.property(graph, (containers) => {
        const { init, regular, barriers } = startPlan(containers);
        const order = [...init, ...regular];
        expect(order).toHaveLength(containers.length);
        for (const container of order) {
          for (const { container: name, condition } of dependenciesOf(container)) {
            const target = order.findIndex((other) => other.name === name);
            expect(target).toBeLessThan(order.indexOf(container));
            const gated = barriers.has(container.name) || init.some((one) => one.name === name);
            const essential = containers.some((other) => other.name === name && other.essential);
            const free = condition === 'START' && essential && !barriers.has(name);
            expect(gated || free).toBe(true);
          }
        }
      }),
    );
  });
});
