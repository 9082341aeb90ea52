import { describe, expect, it } from 'vitest';
import { parseCluster } from '../../../src/api/cluster.ts';
import {
  externalSecret,
  externalSecretName,
  resolveFileSystem,
  resolveImage,
  resolvePullSecret,
  resolveRole,
  resolveSecret,
} from '../../../src/pod/references.ts';

const account = '111122223333';
const home = { account, region: 'eu-west-1' };
const secretArn = (name: string, tail = '', at = `eu-west-1:${account}`) =>
  `arn:aws:secretsmanager:${at}:secret:${name}${tail}`;
const parameterArn = (name: string, at = `eu-west-1:${account}`) => `arn:aws:ssm:${at}:parameter/${name}`;

const mapped = (secrets: object[], more: object = {}) => parseCluster({ ...more, mappings: { secrets } });
/** `secret key`, or what is said of an unresolved one. */
function where(text: string, cluster = parseCluster({})): string {
  const found = resolveSecret(text, cluster);
  return 'unresolved' in found ? found.unresolved : `${found.secretName} ${found.key}`;
}

describe('a secret without a mapping', () => {
  it.each([
    ['db-password', 'db-password value'],
    ['/prod/db/password', 'prod-db-password value'],
    ['/Prod/DB_password', 'prod-db-password value'],
  ])('named %s is in the Secret of that name', (name, expected) => {
    expect(where(name)).toBe(expected);
  });

  it.each([
    [parameterArn('db-password'), 'db-password value'],
    [parameterArn('prod/db/password'), 'prod-db-password value'],
    [secretArn('prod/db-AbCdEf'), 'prod-db value'],
    [secretArn('prod/db-AbCdEf', ':password::'), 'prod-db password'],
    [secretArn('prod/db-AbCdEf', ':password:AWSCURRENT:'), 'prod-db password'],
  ])('with ARN %s goes by its name where the Cluster is of this account and region', (arn, expected) => {
    expect(where(arn, parseCluster(home))).toBe(expected);
  });

  it.each([
    ['no Cluster', {}],
    ['an account alone', { account }],
    ['a region alone', { region: 'eu-west-1' }],
  ])('with an ARN and %s is one sentence that names it', (_, spec) => {
    const arn = secretArn('db-AbCdEf');
    expect(where(arn, parseCluster(spec))).toBe(
      `"${arn}" has no mapping: add {valueFrom, secretName, key} to spec.mappings.secrets of the namespace's Cluster`,
    );
  });

  it.each([
    [
      'account',
      secretArn('db', '', 'eu-west-1:999999999999'),
      `of account 999999999999, and this cluster stands for ${account}`,
    ],
    [
      'region',
      parameterArn('db', `us-east-1:${account}`),
      'of region us-east-1, and this cluster stands for eu-west-1',
    ],
  ])('of another %s is never taken as local', (_, arn, because) => {
    expect(where(arn, parseCluster(home))).toContain(because);
  });

  it('with a version that is not the current one says that Secrets have none', () => {
    const versions = [secretArn('db-AbCdEf', '::AWSPREVIOUS:'), secretArn('db-AbCdEf', ':password::some-version-id')];
    for (const arn of versions) expect(where(arn, parseCluster(home))).toContain('names a version');
  });

  it('with a json-key that no Secret can have says so', () => {
    expect(where(secretArn('db-AbCdEf', ':pass word::'), parseCluster(home))).toContain(
      '"pass word" cannot be a key of a Secret',
    );
  });

  it('that is neither kind of ARN is refused', () => {
    expect(where('arn:aws:s3:::bucket/key')).toContain('neither the ARN of a Secrets Manager secret');
  });
});

describe('a mapped secret', () => {
  const arn = secretArn('prod/db-AbCdEf');

  it.each<[string, string, object, string]>([
    ['the ARN', arn, { valueFrom: arn }, 'mine value'],
    ['the ARN, for its json-keys', `${arn}:password::`, { valueFrom: arn }, 'mine password'],
    ['the ARN with a key', arn, { valueFrom: arn, key: 'pw' }, 'mine pw'],
    [
      'the ARN without what Secrets Manager appends',
      `${arn}:password::`,
      { valueFrom: secretArn('prod/db') },
      'mine password',
    ],
    ['the whole reference', `${arn}:password::`, { valueFrom: `${arn}:password::`, key: 'pw' }, 'mine pw'],
    ['a version, by the whole reference', `${arn}::AWSPREVIOUS:`, { valueFrom: `${arn}::AWSPREVIOUS:` }, 'mine value'],
    ['the name of a parameter', '/prod/token', { valueFrom: '/prod/token', key: 'x' }, 'mine x'],
  ])('by %s', (_, text, entry, expected) => {
    expect(where(text, mapped([{ secretName: 'mine', ...entry }]))).toBe(expected);
  });

  it('by name is found for an ARN of this account and region alone', () => {
    const entry = { valueFrom: '/prod/token', secretName: 'mine' };
    expect(where(parameterArn('prod/token'), mapped([entry], home))).toBe('mine value');
    expect(where(parameterArn('prod/token'), mapped([entry]))).toContain('has no mapping');
    expect(where(parameterArn('prod/token', 'eu-west-1:999999999999'), mapped([entry], home))).toContain(
      '999999999999',
    );
  });

  it('of another account is found by its ARN: the mapping says what it is', () => {
    const foreign = secretArn('db-AbCdEf', '', 'us-east-1:999999999999');
    expect(where(foreign, mapped([{ valueFrom: foreign, secretName: 'mine' }], home))).toBe('mine value');
  });

  it('is not found for a version by its ARN alone', () => {
    const cluster = mapped([{ valueFrom: arn, secretName: 'mine' }]);
    expect(where(`${arn}::AWSPREVIOUS:`, cluster)).toContain('names a version');
  });

  it('of two entries the one for the whole reference counts', () => {
    const cluster = mapped([
      { valueFrom: arn, secretName: 'all' },
      { valueFrom: `${arn}:password::`, secretName: 'one', key: 'pw' },
    ]);
    expect(where(`${arn}:password::`, cluster)).toBe('one pw');
    expect(where(`${arn}:user::`, cluster)).toBe('all user');
  });
});

describe('a store of the External Secrets Operator', () => {
  const store = { service: 'SecretsManager', kind: 'SecretStore', name: 'aws' };
  const cluster = parseCluster({ ...home, mappings: { secretStores: [store] } });
  const arn = secretArn('prod/db-AbCdEf');

  it('serves the secrets of its service that no mapping names', () => {
    expect(where(`${arn}:password::`, cluster)).toBe(`${externalSecretName(`${arn}:password::`)} value`);
    expect(externalSecret(`${arn}:password::`, cluster)).toEqual({
      name: externalSecretName(`${arn}:password::`),
      valueFrom: `${arn}:password::`,
      store,
      remoteKey: arn,
      property: 'password',
    });
    expect(where('/prod/token', cluster)).toBe('prod-token value');
    expect(externalSecret('/prod/token', cluster)).toBeUndefined();
  });

  it('serves versions', () => {
    expect(externalSecret(`${arn}::AWSPREVIOUS:`, cluster)).toMatchObject({ version: 'AWSPREVIOUS' });
    expect(externalSecret(`${arn}:::an-id`, cluster)).toMatchObject({ version: 'uuid/an-id' });
  });

  it('serves parameters by their names', () => {
    const parameters = parseCluster({ ...home, mappings: { secretStores: [{ ...store, service: 'ParameterStore' }] } });
    for (const text of ['/prod/token', parameterArn('prod/token')]) {
      expect(externalSecret(text, parameters)).toMatchObject({ remoteKey: '/prod/token' });
    }
  });

  it('does not serve what is mapped, nor another account', () => {
    const both = parseCluster({
      ...home,
      mappings: { secretStores: [store], secrets: [{ valueFrom: arn, secretName: 'mine' }] },
    });
    expect(where(arn, both)).toBe('mine value');
    expect(externalSecret(arn, both)).toBeUndefined();
    const foreign = secretArn('db-AbCdEf', '', 'eu-west-1:999999999999');
    expect(where(foreign, cluster)).toContain('999999999999');
    expect(externalSecret(foreign, cluster)).toBeUndefined();
  });

  it('gives each reference a Secret of its own, with a name that none of a user has', () => {
    const texts = [arn, `${arn}:a::`, `${arn}:b::`, '/prod/db', 'prod-db', secretArn('prod/db', '', 'us-east-1:1')];
    const names = texts.map(externalSecretName);
    expect(new Set(names).size).toBe(texts.length);
    for (const name of names) expect(name).toMatch(/^prod-db-[0-9a-f]{8}$/);
    expect(externalSecretName(`/${'x'.repeat(1000)}`).length).toBeLessThanOrEqual(100);
  });

  it('makes no registry credentials', () => {
    expect(resolvePullSecret(secretArn('registry-AbCdEf'), cluster)).toEqual({ name: 'registry' });
    const nowhere = parseCluster({ mappings: { secretStores: [store] } });
    expect(resolvePullSecret(secretArn('registry-AbCdEf'), nowhere)).toHaveProperty('unresolved');
  });
});

describe('a role', () => {
  const arn = `arn:aws:iam::${account}:role/service-role/web`;
  const roles = (role: string, more: object = {}) =>
    parseCluster({ ...more, mappings: { roles: [{ role, serviceAccountName: 'sa' }] } });

  it.each([
    ['its ARN', arn, arn],
    ['its name', 'web', 'web'],
    ['its name, given the ARN', arn, 'web'],
    ['its ARN, given the name', 'web', arn],
  ])('is found by %s', (_, text, role) => {
    expect(resolveRole(text, roles(role))).toEqual({ serviceAccountName: 'sa' });
  });

  it('of another account is not found by its name', () => {
    expect(resolveRole(arn, roles('web', { account: '999999999999' }))).toHaveProperty('unresolved');
    expect(resolveRole(arn, roles(`arn:aws:iam::999999999999:role/web`))).toHaveProperty('unresolved');
  });

  it('without a mapping is one sentence that names it', () => {
    expect(resolveRole(arn, parseCluster({}))).toEqual({
      unresolved: `"${arn}" has no mapping: add {role, serviceAccountName} to spec.mappings.roles of the namespace's Cluster`,
    });
  });
});

describe('an image', () => {
  const images = parseCluster({
    mappings: {
      images: [
        { prefix: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/', replacement: 'registry.example.com/' },
        { prefix: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/base/', replacement: 'base.example.com/' },
        { prefix: 'docker.io/', replacement: 'mirror.example.com/' },
        { prefix: 'busybox:1.37', replacement: 'tools/busybox:1' },
      ],
    },
  });

  it.each([
    ['111122223333.dkr.ecr.eu-west-1.amazonaws.com/app:1', 'registry.example.com/app:1'],
    ['111122223333.dkr.ecr.eu-west-1.amazonaws.com/base/os@sha256:ab', 'base.example.com/os@sha256:ab'],
    ['nginx:1.29', 'mirror.example.com/library/nginx:1.29'],
    ['team/app', 'mirror.example.com/team/app'],
    ['docker.io/team/app', 'mirror.example.com/team/app'],
    ['busybox:1.37', 'tools/busybox:1'],
    ['localhost/app', 'localhost/app'],
    ['localhost:5000/app', 'localhost:5000/app'],
    ['quay.io/team/app', 'quay.io/team/app'],
  ])('%s is %s', (given, expected) => {
    expect(resolveImage(given, images)).toBe(expected);
  });

  it('stays what it is without a mapping', () => {
    expect(resolveImage('nginx', parseCluster({}))).toBe('nginx');
  });
});

describe('a file system', () => {
  const cluster = parseCluster({
    mappings: {
      fileSystems: [
        { id: 'fs-1', claimName: 'whole' },
        { id: 'fsap-1', claimName: 'point' },
      ],
    },
  });

  it('is found by its id, and by that in its ARN', () => {
    for (const id of ['fs-1', `arn:aws:elasticfilesystem:eu-west-1:${account}:file-system/fs-1`])
      expect(resolveFileSystem(id, undefined, cluster)).toMatchObject({ claimName: 'whole' });
  });

  it('with an access point is found by that alone: it has another root', () => {
    expect(resolveFileSystem('fs-1', 'fsap-1', cluster)).toMatchObject({ claimName: 'point' });
    expect(resolveFileSystem('fs-1', 'fsap-2', cluster)).toMatchObject({
      unresolved: expect.stringContaining('fsap-2'),
    });
  });
});
