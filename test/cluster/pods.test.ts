import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidSpecError } from '../../src/api/parse.ts';
import { parseTaskDefinition, type TaskDefinitionSpec } from '../../src/api/task-definition.ts';
import { compileTemplate } from '../../src/pod/compile.ts';
import { stampPod } from '../../src/pod/stamp.ts';
import { arbitraryTaskDefinition } from '../support/arbitrary-task-definition.ts';
import { pathOf } from '../support/kube-api.ts';
import { useSuite } from '../support/suite.ts';

/** Undefined where a rule between its fields is broken. */
function valid(definition: object): TaskDefinitionSpec | undefined {
  try {
    return parseTaskDefinition(definition);
  } catch (error) {
    if (error instanceof InvalidSpecError) return undefined;
    throw error;
  }
}

const features = fc.record({ podLevelResources: fc.boolean(), containerRestartRules: fc.boolean() });

describe('the pod of a task definition', () => {
  const suite = useSuite({ nodes: 'kwok=3', operator: false });

  it('is one that the API server takes, whatever the definition', async (context) => {
    const ns = await suite().namespace(context);
    const path = `${pathOf('pods', ns.name)}?dryRun=All&fieldValidation=Strict`;
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'u', controller: true };
    await fc.assert(
      fc.asyncProperty(arbitraryTaskDefinition, features, async (given, served) => {
        const definition = valid(given);
        fc.pre(definition !== undefined);
        const template = compileTemplate({ definition, family: 'Any_Family', revision: 1, features: served });
        const pod = stampPod(template, {
          namespace: ns.name,
          name: 'task',
          task: 'ab'.repeat(16),
          labels: {},
          annotations: {},
          owner,
        });
        const refusal = await suite()
          .api.call('POST', path, pod)
          .then(() => undefined, String);
        expect(refusal).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});
