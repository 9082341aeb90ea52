import { describe, expect, it } from 'vitest';
import { fixture, imported, readFixture, refused } from './imports.ts';
import { json } from './run.ts';

describe('a Batch job', () => {
  const definition = () => readFixture('job-definition.json');
  const submit = () => readFixture('submit-job.json');

  it('is a job definition and the SubmitJob that names it', async () => {
    const { manifests } = await imported([fixture('submit-job.json'), fixture('job-definition.json')]);
    const { jobDefinitionName, type, ...own } = definition();
    const { jobDefinition, ...asked } = submit();
    expect(manifests).toEqual([
      {
        apiVersion: 'longshore.dev/v1alpha1',
        kind: 'BatchJob',
        metadata: {
          name: 'report-2026-03-02-0b2299a7',
          annotations: {
            'longshore.dev/job-definition': 'Nightly_Report:3',
            'longshore.dev/submit-job-fields': 'retryStrategy',
          },
        },
        spec: { ...own, ...asked },
      },
    ]);
  });

  it('may be a job definition alone, which runs once under its name', async () => {
    const { manifests } = await imported([fixture('job-definition.json')]);
    expect(manifests).toMatchObject([{ kind: 'BatchJob', spec: { jobName: 'Nightly_Report' } }]);
  });

  it('takes of a field that both have what SubmitJob says, parameters by name', async () => {
    const both =
      json({ ...definition(), retryStrategy: { attempts: 5 } }) +
      json({ ...submit(), parameters: { Format: 'pdf' }, timeout: null });
    const { manifests, err } = await imported(['-'], both);
    expect(manifests[0]?.spec).toMatchObject({
      parameters: { input: 'all', Format: 'pdf' },
      retryStrategy: { attempts: 2 },
      timeout: { attemptDurationSeconds: 600 },
    });
    expect(err).toContain(
      'Converted     retryStrategy of the job definition: {"attempts":5} → {"attempts":2}: SubmitJob\'s takes its place',
    );
  });

  it('takes the revision that SubmitJob names, otherwise the newest active one', async () => {
    const revision = (number: number, status: string) => ({
      ...definition(),
      jobDefinitionArn: `arn:aws:batch:eu-west-1:111122223333:job-definition/Nightly_Report:${number}`,
      revision: number,
      status,
      parameters: { revision: String(number) },
    });
    const described = { jobDefinitions: [revision(3, 'ACTIVE'), revision(5, 'INACTIVE'), revision(4, 'ACTIVE')] };
    const parametersOf = async (jobDefinition: string) => {
      const { manifests } = await imported(['-'], json(described) + json({ ...submit(), jobDefinition }));
      return manifests.map(({ spec }) => spec.parameters);
    };
    expect(await parametersOf('Nightly_Report:3')).toEqual([{ revision: '3' }]);
    expect(await parametersOf('Nightly_Report')).toEqual([{ revision: '4' }]);
    expect(await parametersOf('arn:aws:batch:eu-west-1:111122223333:job-definition/Nightly_Report:5')).toEqual([
      { revision: '5' },
    ]);
  });

  it('of several containers is what describe-job-definitions prints, with the overrides of SubmitJob by name', async () => {
    const { jobDefinitionName, type, ...own } = readFixture('ecs-job-definition.json');
    const { jobDefinition, ...asked } = readFixture('ecs-submit-job.json');
    const described = {
      ...{ jobDefinitionName, type, ...own },
      jobDefinitionArn: 'arn:aws:batch:eu-west-1:111122223333:job-definition/Simulation:1',
      revision: 1,
      status: 'ACTIVE',
      containerOrchestrationType: 'ECS',
    };
    const { manifests } = await imported(
      ['-'],
      json({ jobDefinitions: [described] }) + json({ jobDefinition, ...asked }),
    );
    expect(manifests.map(({ kind, spec }) => ({ kind, spec }))).toEqual([
      { kind: 'BatchJob', spec: { ...own, ...asked } },
    ]);
  });

  it('has the tags of both, and those of SubmitJob win', async () => {
    const both =
      json({ ...definition(), tags: { team: 'a', stage: 'prod' } }) + json({ ...submit(), tags: { team: 'b' } });
    const { manifests, err } = await imported(['-'], both);
    expect(manifests[0]?.spec.tags).toEqual({ team: 'b', stage: 'prod' });
    expect(err).toContain("SubmitJob's are added to those of the job definition");
  });

  it('without its definition is refused', async () => {
    expect(await refused(['-'], json(submit()))).toEqual([
      'jobDefinition: "Nightly_Report:3" is not among the files; a BatchJob has its job definition in itself: give that as well, as register-job-definition takes it or describe-job-definitions prints it',
    ]);
  });

  it('of several nodes is refused', async () => {
    expect(await refused(['-'], json({ ...definition(), type: 'multinode' }))).toEqual([
      'type: "multinode" is not taken yet; allowed: container',
    ]);
  });
});
