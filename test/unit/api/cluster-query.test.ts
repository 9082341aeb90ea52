import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClusterQuery, parseClusterQuery, printClusterQuery } from '../../../src/api/cluster-query.ts';
import { clusterQuery } from '../../support/arbitrary-cluster-query.ts';

const printed = (text: string): string => {
  const query = parseClusterQuery(text);
  return 'error' in query ? query.error : printClusterQuery(query);
};

describe('the cluster query language', () => {
  it('is read as it was printed', () => {
    fc.assert(
      fc.property(clusterQuery, (query) => {
        expect(parseClusterQuery(printClusterQuery(query))).toEqual(query);
      }),
      { numRuns: 2000 },
    );
  });

  it('has an answer to any text', () => {
    const piece = fc.constantFrom(
      ...[
        'attribute:a',
        'task:group',
        '==',
        '!in',
        '=~',
        'not',
        '!',
        'and',
        '||',
        '(',
        ')',
        '[',
        ']',
        ',',
        "'",
        'x',
        '\\',
      ],
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.tuple(piece, fc.constantFrom('', ' '))).map((parts) => parts.flat().join('')),
    );
    fc.assert(
      fc.property(text, (given) => {
        const query = parseClusterQuery(given);
        if ('error' in query) expect(query.column).toBeLessThanOrEqual(given.length + 1);
        else expect(printed(printClusterQuery(query))).toBe(printClusterQuery(query));
      }),
      { numRuns: 2000, examples: [["attribute:a == x'('"], ["attribute:a =~ x'("], ["attribute:a =~ \\\\'"]] },
    );
  });

  const shape = (query: ClusterQuery): unknown => {
    if (query.kind === 'comparison') return query.subject.replace('attribute:', '');
    return [query.kind, ...(query.kind === 'not' ? [query.operand] : query.operands).map(shape)];
  };
  it.each([
    ['not attribute:a exists and attribute:b exists or attribute:c exists', ['or', ['and', ['not', 'a'], 'b'], 'c']],
    ['attribute:a exists or attribute:b exists and attribute:c exists', ['or', 'a', ['and', 'b', 'c']]],
    ['(attribute:a exists or attribute:b exists) and attribute:c exists', ['and', ['or', 'a', 'b'], 'c']],
    ['not (attribute:a exists and attribute:b exists)', ['not', ['and', 'a', 'b']]],
  ])('binds not before and, and before or: %s', (text, expected) => {
    const query = parseClusterQuery(text);
    expect('error' in query ? query.error : shape(query)).toEqual(expected);
    expect(printed(text)).toBe(text);
  });

  it.each([
    ['equals', '=='],
    ['not_equals', '!='],
    ['greater_than', '>'],
    ['greater_than_equal', '>='],
    ['less_than', '<'],
    ['less_than_equal', '<='],
    ['matches', '=~'],
    ['not_matches', '!~'],
  ])('knows %s as %s', (word, sign) => {
    expect(printed(`attribute:a ${word} 5`)).toBe(`attribute:a ${sign} 5`);
    expect(printed(`attribute:a${sign}5`)).toBe(`attribute:a ${sign} 5`);
  });

  it.each([
    ['attribute:a not_exists', 'attribute:a !exists'],
    ['attribute:a not_in[b,c]', 'attribute:a !in [b, c]'],
    [
      '!(attribute:a exists)||attribute:b exists&&attribute:c exists',
      'not attribute:a exists or attribute:b exists and attribute:c exists',
    ],
    ['!attribute:a exists', 'not attribute:a exists'],
    ["attribute:a == 'two words'", "attribute:a == 'two words'"],
    ['(attribute:a =~ t2.(micro|small))', "attribute:a =~ 't2.(micro|small)'"],
    ['attribute:a =~ [a-c]\\)[1,2]', "attribute:a =~ '[a-c]\\)[1,2]'"],
    ['attribute:android == or', 'attribute:android == or'],
    ['  attribute:a\n==\tb  ', 'attribute:a == b'],
  ])('reads %s', (text, expected) => {
    expect(printed(text)).toBe(expected);
  });

  const OPERATORS = 'one of == != > >= < <= =~ !~ in !in exists !exists';
  const SUBJECTS =
    'one of attribute:NAME agentConnected agentVersion ec2InstanceId registeredAt runningTasksCount task:group';
  it.each([
    ['', `column 1: expected "(", "not" or a subject, ${SUBJECTS}, got the end`],
    ['memory > 5', `column 1: expected "(", "not" or a subject, ${SUBJECTS}, got "memory"`],
    ['not not attribute:a exists', `column 5: expected "(", "not" or a subject, ${SUBJECTS}, got "not"`],
    ['attribute: == x', `column 1: expected "(", "not" or a subject, ${SUBJECTS}, got "attribute:"`],
    ['attribute:a = b', `column 13: expected an operator for attribute:a, ${OPERATORS}, got "="`],
    ['attribute:a', `column 12: expected an operator for attribute:a, ${OPERATORS}, got the end`],
    [
      'agentConnected exists',
      'column 16: expected an operator for agentConnected, one of == != in !in =~ !~, got "exists"',
    ],
    [
      'runningTasksCount in [1]',
      'column 19: expected an operator for runningTasksCount, one of == != > >= < <=, got "in"',
    ],
    ['attribute:a ==', 'column 15: expected a value, plain or in single quotes, got the end'],
    ['attribute:a == "b"', 'column 16: expected a value, plain or in single quotes, got ""b""'],
    ["attribute:a == 'b", 'column 16: expected a closing single quote, got "\'b"'],
    ['attribute:a in b', 'column 16: expected "[" and values for in, such as [a, b], got "b"'],
    ['attribute:a in [b c]', 'column 19: expected "," or "]", got "c]"'],
    ['attribute:a == [b]', 'column 16: expected a value, plain or in single quotes, got "[b]"'],
    ['(attribute:a exists', 'column 20: expected ")", "and" or "or", got the end'],
    ['attribute:a exists attribute:b exists', 'column 20: expected "and", "or" or the end, got "attribute:b"'],
    ['attribute:a exists)', 'column 19: expected "and", "or" or the end, got ")"'],
    ['agentConnected == yes', 'column 19: expected true or false for agentConnected, got "yes"'],
    ['agentVersion < new', 'column 16: expected a version such as 1.14.5 for agentVersion, got "new"'],
    [
      'registeredAt < 18.6.2018',
      'column 16: expected a date such as 2018-06-18, 2018-06-18T22:28:28 or 2018-06-18T22:28:28Z for registeredAt, got "18.6.2018"',
    ],
    ['runningTasksCount < few', 'column 21: expected a whole number for runningTasksCount, got "few"'],
  ])('refuses %s by its place', (text, error) => {
    expect(printed(text)).toBe(error);
  });
});
