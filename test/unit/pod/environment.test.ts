import { describe, expect, it } from 'vitest';
import { withEnvironmentFiles } from '../../../src/pod/environment-files.ts';
import { app, compileIn, first } from '../../support/compiled.ts';

const s3 = (name: string) => `arn:aws:s3:::config/${name}`;
const files = [
  { value: s3('a.env'), configMapKeyRef: { name: 'app', key: 'a.env' } },
  { value: s3('b.env'), configMapKeyRef: { name: 'app', key: 'b.env' } },
  { value: s3('map.env'), configMapRef: { name: 'map' } },
  { value: s3('secret.env'), secretRef: { name: 'secret' } },
];
const environmentFiles = (...names: string[]) => names.map((name) => ({ value: s3(name), type: 's3' }));
const inCluster = (container: object) => compileIn({ mappings: { files } }, { containerDefinitions: [app(container)] });

/** What the container gets where ConfigMap `app` has these files. */
const filled = (container: object, texts: Record<string, string>) =>
  withEnvironmentFiles(inCluster(container), ({ name, key }) => (name === 'app' ? texts[key] : undefined)).spec
    .containers[0];

describe('the variables of a container', () => {
  it('take secrets from keys of Secrets', () => {
    expect(first({ secrets: [{ name: 'TOKEN', valueFrom: '/prod/token' }] })?.env).toEqual([
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'prod-token', key: 'value' } } },
    ]);
  });

  it('name what a store of the Cluster has to fetch, each once', () => {
    const secretStores = [{ service: 'ParameterStore', name: 'aws' }];
    const secrets = ['A', 'B'].map((name) => ({ name, valueFrom: '/prod/token' }));
    const template = compileIn({ mappings: { secretStores } }, { containerDefinitions: [app({ secrets })] });
    expect(template.externalSecrets).toMatchObject([{ valueFrom: '/prod/token', remoteKey: '/prod/token' }]);
    const [secret] = template.externalSecrets;
    expect(template.spec.containers[0]?.env?.[0]?.valueFrom?.secretKeyRef).toEqual({
      name: secret?.name,
      key: 'value',
    });
    expect(inCluster({ secrets }).externalSecrets).toEqual([]);
  });

  it('take the text of files: environment wins over the first file, that over the second', () => {
    const container = {
      environment: [{ name: 'A', value: 'own' }],
      secrets: [{ name: 'S', valueFrom: 's' }],
      environmentFiles: environmentFiles('a.env', 'b.env'),
    };
    const texts = { 'a.env': 'A=1\nB=1\nS=1', 'b.env': 'A=2\nB=2\nC=$(A)' };
    expect(filled(container, texts)?.env).toEqual([
      { name: 'B', value: '1' },
      { name: 'C', value: '$$(A)' },
      { name: 'A', value: 'own' },
      { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'value' } } },
    ]);
  });

  it('take whole ConfigMaps and Secrets by reference, the first listed last, for Kubernetes lets the last one win', () => {
    const container = inCluster({ environmentFiles: environmentFiles('secret.env', 'map.env') }).spec.containers[0];
    expect(container?.envFrom).toEqual([{ configMapRef: { name: 'map' } }, { secretRef: { name: 'secret' } }]);
    expect(container?.env).toEqual([]);
  });

  it('of a file that is not there keep the container from starting, even when it appears before the kubelet looks', () => {
    const container = {
      environment: [{ name: 'A', value: 'own' }],
      environmentFiles: environmentFiles('a.env', 'b.env'),
    };
    expect(filled(container, { 'a.env': 'B=1' })?.env).toEqual([
      { name: 'A', value: 'own' },
      { name: 'ENVIRONMENT_FILE', valueFrom: { configMapKeyRef: { name: 'app', key: 'b.env' } } },
      { name: 'ENVIRONMENT_FILE', valueFrom: { configMapKeyRef: { name: 'app', key: 'b.env.was-missing' } } },
    ]);
  });

  it('of a file that ECS would not read are an error that names it', () => {
    const texts = { 'a.env': `A=1\nB=${'x'.repeat(70_000)}` };
    expect(() => filled({ environmentFiles: environmentFiles('a.env') }, texts)).toThrow(
      'environment file a.env of ConfigMap app: line 2 is longer than 64 KiB',
    );
  });

  it('without files need nothing read', () => {
    const template = inCluster({});
    expect(withEnvironmentFiles(template, () => undefined)).toBe(template);
  });
});

describe('whom the task runs and pulls as', () => {
  const role = 'arn:aws:iam::111122223333:role/web';
  const cluster = {
    mappings: {
      roles: [{ role, serviceAccountName: 'web' }],
      secrets: [{ valueFrom: 'registry', secretName: 'registry-login' }],
    },
  };
  const repositoryCredentials = { credentialsParameter: 'registry' };

  it('follows from the role and repositoryCredentials', () => {
    const containers = [app({ repositoryCredentials }), app({ name: 'b', repositoryCredentials })];
    const { spec } = compileIn(cluster, { taskRoleArn: role, containerDefinitions: containers });
    expect(spec).toMatchObject({ serviceAccountName: 'web', automountServiceAccountToken: true });
    expect(spec.imagePullSecrets).toEqual([{ name: 'registry-login' }]);
  });

  it('is what spec.kubernetes says where it does', () => {
    const kubernetes = { serviceAccountName: 'other', imagePullSecrets: [{ name: 'pull' }] };
    const containers = [app({ repositoryCredentials })];
    const template = compileIn(cluster, { kubernetes, taskRoleArn: role, containerDefinitions: containers });
    expect(template.spec).toMatchObject({ serviceAccountName: 'other', imagePullSecrets: [{ name: 'pull' }] });
    expect(template.problems).toEqual([]);
  });

  it('without a mapping is nobody, which one problem names', () => {
    const { spec, problems } = compileIn({}, { taskRoleArn: role, containerDefinitions: [app()] });
    expect(spec.serviceAccountName).toBeUndefined();
    expect(problems).toMatchObject([{ reason: 'MappingMissing', blocks: false }]);
    expect(problems[0]?.message).toMatch(/^spec\.taskRoleArn: "arn:aws:iam::111122223333:role\/web" has no mapping/);
  });
});
