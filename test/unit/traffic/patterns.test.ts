import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerMatch, isHostName, type PathMatch, pathMatches } from '../../../src/traffic/patterns.ts';

/** What a listener rule takes: * is any text, ? one character (ELB: rule condition types). */
function takes(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text === '';
  const after = rest.join('');
  if (first === '*') return takes(after, text) || (text !== '' && takes(pattern, text.slice(1)));
  return text !== '' && (first === '?' || first === text[0]) && takes(after, text.slice(1));
}

/** What Gateway API takes. */
function matches({ type, value }: PathMatch, path: string): boolean {
  if (type === 'Exact') return path === value;
  if (type === 'RegularExpression') return new RegExp(value).test(path);
  return value === '/' || path === value || path.startsWith(`${value}/`);
}

describe('patterns of a path', () => {
  it.each<[string[], PathMatch[]]>([
    [[], [{ type: 'PathPrefix', value: '/' }]],
    [['*'], [{ type: 'PathPrefix', value: '/' }]],
    [['/a', '/*'], [{ type: 'PathPrefix', value: '/' }]],
    [['/a'], [{ type: 'Exact', value: '/a' }]],
    [['/A/b.html'], [{ type: 'Exact', value: '/A/b.html' }]],
    [['/a/*'], [{ type: 'PathPrefix', value: '/a', besides: '/a' }]],
    [['/a', '/a/*'], [{ type: 'PathPrefix', value: '/a' }]],
    [['/a*'], [{ type: 'RegularExpression', value: '^/a.*$' }]],
    [['/img/*/pics'], [{ type: 'RegularExpression', value: '^/img/.*/pics$' }]],
    [['/v?/x.y'], [{ type: 'RegularExpression', value: '^/v./x\\.y$' }]],
    [['*.php'], [{ type: 'RegularExpression', value: '^.*\\.php$' }]],
    [['/v?/*'], [{ type: 'RegularExpression', value: '^/v./.*$' }]],
    [
      ['/a//b', '/a/../b'],
      [
        { type: 'RegularExpression', value: '^/a//b$' },
        { type: 'RegularExpression', value: '^/a/\\.\\./b$' },
      ],
    ], // Gateway API refuses both
    [['/"a"'], [{ type: 'RegularExpression', value: '^/"a"$' }]],
  ])('%j', (patterns, expected) => expect(pathMatches(patterns)).toEqual(expected));

  const character = fc.constantFrom('a', 'b', '/', '.', '$', '+');
  const path = fc.array(character, { maxLength: 8 }).map((rest) => `/${rest.join('')}`);
  const pattern = fc
    .array(fc.oneof(character, fc.constantFrom('*', '?', '/*')), { maxLength: 6 })
    .map((rest) => `/${rest.join('')}`);

  it('take what a listener rule takes, and what they say besides', () => {
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 3 }), path, (patterns, text) => {
        const found = pathMatches(patterns);
        const expected = patterns.some((each) => takes(each, text)) || found.some(({ besides }) => besides === text);
        expect(found.some((match) => matches(match, text))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('patterns of a header', () => {
  it.each<[string[], string, string]>([
    [['1'], 'Exact', '1'],
    [['1', '2'], 'RegularExpression', '(?i)^(?:1|2)$'],
    [['Chrome'], 'RegularExpression', '(?i)^(?:Chrome)$'],
    [['*Chrome*', 'a?c'], 'RegularExpression', '(?i)^(?:.*Chrome.*|a.c)$'],
    [['a\\*b\\?c\\\\d\\e'], 'RegularExpression', '(?i)^(?:a\\*b\\?c\\\\d\\\\e)$'],
    [['(a`b)'], 'RegularExpression', '(?i)^(?:\\(a\\x60b\\))$'],
  ])('%j', (values, type, value) => expect(headerMatch({ name: 'X', values })).toEqual({ type, name: 'X', value }));
});

it.each([
  ['example.com', true],
  ['*.example.com', true],
  ['api-*.example.com', false],
  ['a.*.com', false],
  ['a?.example.com', false],
  ['*.*', false],
  ['-a.com', false],
])('the host pattern %s is a host name: %s', (pattern, expected) => expect(isHostName(pattern)).toBe(expected));
