import { describe, expect, it } from 'vitest';
import { mergeEnvironmentFiles, parseEnvironmentFile } from '../../../src/ecs/environment-file.ts';

const read = (text: string) => Object.fromEntries(parseEnvironmentFile(text));

/** Source: amazon-ecs-agent, agent/taskresource/envFiles/envfile.go, readEnvVarsFromFile (`ecs-semantics §1.9`). */
describe('an environment file', () => {
  it.each<[string, string, Record<string, string>]>([
    ['one variable a line', 'A=1\nB=2\n', { A: '1', B: '2' }],
    ['no end of line at the end', 'A=1', { A: '1' }],
    ['nothing', '', {}],
    ['the first = alone separates', 'URL=http://x/?a=b&c=d', { URL: 'http://x/?a=b&c=d' }],
    ['an empty value', 'A=\nB=1', { A: '', B: '1' }],
    ['no name', '=1\nA=2', { A: '2' }],
    ['no =', 'A\nexport\n\nB=1', { B: '1' }],
    ['a comment', '#A=1\nB=2', { B: '2' }],
    ['a # that is not first', ' #A=1\nB=2 # two', { ' #A': '1', B: '2 # two' }],
    ['quotes are literal', 'A="1"\nB=\'2\'', { A: '"1"', B: "'2'" }],
    ['spaces are literal', ' A = 1 ', { ' A ': ' 1 ' }],
    ['nothing is expanded', 'A=1\nB=$A $(A)', { A: '1', B: '$A $(A)' }],
    ['the last of two counts', 'A=1\nA=2', { A: '2' }],
    ['ends of lines as on Windows', 'A=1\r\nB=\r\nC=3\r', { A: '1', B: '', C: '3' }],
    ['only one CR is dropped', 'A=1\r\r\n', { A: '1\r' }],
  ])('%s', (_, text, variables) => {
    expect(read(text)).toEqual(variables);
  });

  it('with a line over 64 KiB is refused, with one of just under is not', () => {
    const longest = `A=${'x'.repeat(65_533)}`;
    expect(read(`B=1\n${longest}\n`)).toEqual({ B: '1', A: longest.slice(2) });
    expect(() => read(`B=1\n${longest}x\n`)).toThrow('line 2 is longer than 64 KiB');
    expect(() => read(`A=${'ä'.repeat(32_767)}`)).toThrow('line 1 is longer than 64 KiB');
  });

  it('listed before others wins', () => {
    const merged = mergeEnvironmentFiles(['A=1\nB=1', 'B=2\nC=2', 'A=3\nC=3\nD=3'].map(parseEnvironmentFile));
    expect(Object.fromEntries(merged)).toEqual({ A: '1', B: '1', C: '2', D: '3' });
  });
});
