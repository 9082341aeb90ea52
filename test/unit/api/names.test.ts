import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arnName, dnsName, parseArn, parseTaskDefinitionReference, uniqueDnsName } from '../../../src/api/names.ts';

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const awsNames = fc.stringMatching(/^[A-Za-z0-9_-]{1,255}$/);
const anyNames = fc.oneof(awsNames, fc.string({ maxLength: 300 }));

describe('DNS names of AWS names', () => {
  it.each([
    ['web', 'web'],
    ['hello_world', 'hello-world'],
    ['consulClient', 'consulclient'],
    ['_a__b_', 'a--b'],
    ['-web-', 'web'],
  ])('%s becomes %s', (name, expected) => {
    expect(dnsName(name)).toBe(expected);
  });

  it('are cut with a hash where they are too long', () => {
    expect(dnsName('a'.repeat(64))).toMatch(/^a{54}-[0-9a-f]{8}$/);
    expect(dnsName('a'.repeat(64), 20)).toMatch(/^a{11}-[0-9a-f]{8}$/);
    expect(dnsName(`${'a'.repeat(80)}b`)).not.toBe(dnsName(`${'a'.repeat(80)}c`));
  });

  it('of objects differ where AWS names differ', () => {
    expect(uniqueDnsName('web')).toBe('web');
    expect(uniqueDnsName('hello_world')).toMatch(/^hello-world-[0-9a-f]{8}$/);
    expect(uniqueDnsName('Web')).toMatch(/^web-[0-9a-f]{8}$/);
    expect(uniqueDnsName('___')).toMatch(/^[0-9a-f]{8}$/);
    fc.assert(
      fc.property(awsNames, awsNames, (a, b) => {
        fc.pre(a !== b);
        expect(uniqueDnsName(a)).not.toBe(uniqueDnsName(b));
      }),
    );
  });

  it.each([
    ['dnsName', dnsName],
    ['uniqueDnsName', uniqueDnsName],
  ])('%s always gives a DNS-1123 label no longer than asked, and keeps one as it is', (_, derive) => {
    fc.assert(
      fc.property(anyNames, fc.integer({ min: 9, max: 63 }), (name, maxLength) => {
        const derived = derive(name, maxLength);
        expect(derived).toMatch(label);
        expect(derived.length).toBeLessThanOrEqual(maxLength);
        expect(derive(derived, maxLength)).toBe(derived);
      }),
    );
  });
});

describe('references to task definitions', () => {
  const arn = {
    partition: 'aws',
    service: 'ecs',
    region: 'eu-west-1',
    account: '111122223333',
    resource: 'task-definition/hello_world:8',
  };

  it.each([
    ['web', { family: 'web' }],
    ['hello_world:3', { family: 'hello_world', revision: 3 }],
    ['task-definition/web:3', { family: 'web', revision: 3 }],
    ['task-definition/web', { family: 'web' }],
    ['arn:aws:ecs:eu-west-1:111122223333:task-definition/hello_world:8', { family: 'hello_world', revision: 8, arn }],
  ])('%s is read', (text, expected) => {
    expect(parseTaskDefinitionReference(text)).toEqual(expected);
  });

  it.each([
    '',
    'web:',
    'web:0',
    'web:x',
    'a b',
    'web:1:2',
    'task-definition/',
    'cluster/web:3',
    'arn:aws:ecs:r:1:service/web',
    'arn:aws:batch:r:1:task-definition/web',
  ])('%j is refused with what is allowed', (text) => {
    const reference = parseTaskDefinitionReference(text);
    expect('error' in reference && reference.error).toContain('family:revision');
  });

  it('are read back as they were written', () => {
    const revisions = fc.integer({ min: 1, max: 9_999_999 });
    fc.assert(
      fc.property(
        awsNames,
        fc.option(revisions, { nil: undefined }),
        fc.constantFrom('', 'task-definition/', 'arn:aws-cn:ecs:r:1:task-definition/'),
        (family, revision, prefix) => {
          const reference = parseTaskDefinitionReference(
            `${prefix}${family}${revision === undefined ? '' : `:${revision}`}`,
          );
          expect(reference).toMatchObject({ family, ...(revision === undefined ? {} : { revision }) });
        },
      ),
    );
  });
});

describe('names in ARNs', () => {
  it.each([
    ['arn:aws:ecs:eu-west-1:111122223333:service/prod/web', 'web'],
    ['arn:aws:ecs:eu-west-1:111122223333:service/web', 'web'],
    ['arn:aws:iam::111122223333:role/path/ecsTaskRole', 'ecsTaskRole'],
    ['arn:aws:batch:eu-west-1:111122223333:job-queue/high', 'high'],
    ['arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/6d0ecf831eec9f09', 'web'],
    ['arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/front/50dc6c495c0c9188', 'front'],
    ['targetgroup/web/6d0ecf831eec9f09', 'web'],
    ['job-queue/high', 'high'],
    ['high', 'high'],
  ])('%s: %s', (text, name) => {
    expect(arnName(text)).toBe(name);
  });

  it('a bare name is no ARN', () => {
    expect(parseArn('web')).toBeUndefined();
    expect(parseArn('arn:aws:iam::111122223333:role/x')).toMatchObject({
      region: '',
      account: '111122223333',
      resource: 'role/x',
    });
  });
});
