/** The patterns of a listener rule (`*`: any text, `?`: one character) in the words of Gateway API and Ingress. */
import type { Route } from '../api/target-group-routes.ts';

export interface PathMatch {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value: string;
  /** What the match takes besides what the pattern takes. */
  readonly besides?: string;
}

export interface HeaderMatch {
  readonly type: 'Exact' | 'RegularExpression';
  readonly name: string;
  readonly value: string;
}

const WILDCARD = /[*?]/;
const EVERY_PATH = new Set(['*', '/*']);

/** A path that Gateway API takes outside of a regular expression. */
const isPlainPath = (path: string): boolean =>
  /^\/[A-Za-z0-9_.$/~'@:+&-]*$/.test(path) && !/\/\/|\/\.\.?(\/|$)/.test(path);

/** Traefik quotes expressions with backquotes. */
const literal = (character: string): string =>
  character === '`' ? '\\x60' : character.replace(/[.$+()[\]{}|^\\*?]/, '\\$&');

/** RE2, without anchors. */
function expression(pattern: string): string {
  return [...pattern]
    .map((character) => {
      if (character === '*') return '.*';
      return character === '?' ? '.' : literal(character);
    })
    .join('');
}

/** `/x` where the pattern is `/x/*`. */
function prefixOf(pattern: string): string | undefined {
  const prefix = pattern.endsWith('/*') ? pattern.slice(0, -2) : '';
  return !WILDCARD.test(prefix) && prefix !== '/' && isPlainPath(prefix) ? prefix : undefined;
}

/** The matches that together take the paths of these patterns; none: every path. */
export function pathMatches(patterns: readonly string[]): readonly PathMatch[] {
  if (patterns.some((pattern) => EVERY_PATH.has(pattern)) || patterns.length === 0)
    return [{ type: 'PathPrefix', value: '/' }];
  const prefixes = new Set(patterns.map(prefixOf));
  return patterns.flatMap((pattern): PathMatch[] => {
    const prefix = prefixOf(pattern);
    if (prefix !== undefined) {
      const exact = patterns.includes(prefix);
      return [{ type: 'PathPrefix', value: prefix, ...(!exact && { besides: prefix }) }];
    }
    if (prefixes.has(pattern)) return [];
    if (isPlainPath(pattern)) return [{ type: 'Exact', value: pattern }];
    return [{ type: 'RegularExpression', value: `^${expression(pattern)}$` }];
  });
}

/** `\*` and `\?` are the characters themselves. */
function headerExpression(pattern: string): string {
  return pattern
    .split(/(\\[*?\\])/)
    .map((part) => (/^\\[*?\\]$/.test(part) ? literal(part.slice(1)) : expression(part)))
    .join('');
}

/** The values of headers are compared in any case of letters: a plain comparison does where there are none. */
export function headerMatch({ name, values }: Route['headers'][number]): HeaderMatch {
  const [value = ''] = values;
  if (values.length === 1 && !/[*?\\\p{L}]/u.test(value)) return { type: 'Exact', name, value };
  return { type: 'RegularExpression', name, value: `(?i)^(?:${values.map(headerExpression).join('|')})$` };
}

const HOST_NAME = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Whether Gateway API and Ingress take the pattern as a host name: a wildcard stands for the first labels only. */
export const isHostName = (pattern: string): boolean => HOST_NAME.test(pattern);
