import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildContext } from '../../../dev/image/assemble.ts';
import { parseDockerfile } from '../../../dev/image/dockerfile.ts';
import { IMAGE } from '../../../dev/image/index.ts';

const root = join(import.meta.dirname, '../../..');
const base = `FROM node:24@sha256:${'0'.repeat(64)}`;

describe('the Dockerfile', () => {
  it('ends as a user without rights, in a stage without a shell', () => {
    const last = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8')).at(-1);
    expect(last?.base).toBe('gcr.io/distroless/nodejs24-debian13');
    expect(last?.instructions.map(({ name }) => name)).not.toContain('RUN');
    expect(last?.instructions.find(({ name }) => name === 'USER')?.text).toBe('65532:65532');
  });

  it.each([
    ['a base without a digest', 'FROM node:24', 'Dockerfile:1: a base needs a digest: FROM node:24'],
    ['an instruction it does not know', `${base}\nADD a b`, 'Dockerfile:2: npm run image does not know this: ADD a b'],
    ['a line that goes on', `${base}\nRUN a \\\n  b`, 'Dockerfile:2: npm run image does not know this: RUN a \\'],
    ['one before the first base', 'RUN a', 'Dockerfile:1: npm run image does not know this: RUN a'],
  ])('is refused for %s', (_, source, problem) => {
    expect(() => parseDockerfile(source)).toThrow(problem);
  });

  it('is refused with a .dockerignore of another form', () => {
    expect(buildContext('*\n!src\n')).toEqual(['src']);
    expect(() => buildContext('*\n!src/*.ts\n')).toThrow('.dockerignore');
    expect(() => buildContext('node_modules\n')).toThrow('.dockerignore');
  });
});

it('deploy/ runs the image of this version', () => {
  const { images } = parse(readFileSync(join(root, 'deploy/operator/kustomization.yaml'), 'utf8'));
  expect(images.map(({ name, newTag }: Record<string, string>) => `${name}:${newTag}`)).toEqual([IMAGE]);
});
