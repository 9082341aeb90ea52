/**
 * The Cluster Query Language of ECS: which container instances an expression means (`ecs-semantics §3.12`).
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html
 *
 *     expr    := and (("or" | "||") and)*
 *     and     := not (("and" | "&&") not)*
 *     not     := ("not" | "!")? prim
 *     prim    := "(" expr ")" | subject operator [argument]
 *
 * AWS writes each operator as a sign and as a word (`==`, `equals`); both mean the same and are printed as the sign. What
 * AWS leaves open: keywords are lower case, values are compared with case, double quotes are no quotes, and a single one is
 * part of no value.
 */

/** Operators that compare with one value. */
export const COMPARISONS = ['==', '!=', '>', '>=', '<', '<=', '=~', '!~'] as const;
export type Operator = (typeof COMPARISONS)[number] | 'in' | '!in' | 'exists' | '!exists';

const WORDS: Readonly<Record<string, Operator>> = {
  equals: '==',
  not_equals: '!=',
  greater_than: '>',
  greater_than_equal: '>=',
  less_than: '<',
  less_than_equal: '<=',
  matches: '=~',
  not_matches: '!~',
  in: 'in',
  not_in: '!in',
  exists: 'exists',
  not_exists: '!exists',
};

const EQUALITY: readonly Operator[] = ['==', '!=', 'in', '!in', '=~', '!~'];
const ORDER: readonly Operator[] = ['==', '!=', '>', '>=', '<', '<='];
const ALL: readonly Operator[] = [...COMPARISONS, 'in', '!in', 'exists', '!exists'];

interface SubjectRule {
  readonly operators: readonly Operator[];
  /** What a value looks like; patterns are not held to it. */
  readonly values?: { readonly pattern: RegExp; readonly allowed: string };
}

const SUBJECTS: Readonly<Record<string, SubjectRule>> = {
  agentConnected: { operators: EQUALITY, values: { pattern: /^(true|false)$/, allowed: 'true or false' } },
  agentVersion: { operators: ORDER, values: { pattern: /^\d+(\.\d+)*$/, allowed: 'a version such as 1.14.5' } },
  ec2InstanceId: { operators: EQUALITY },
  registeredAt: {
    operators: ORDER,
    values: {
      pattern: /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?)?$/,
      allowed: 'a date such as 2018-06-18, 2018-06-18T22:28:28 or 2018-06-18T22:28:28Z',
    },
  },
  runningTasksCount: { operators: ORDER, values: { pattern: /^\d{1,9}$/, allowed: 'a whole number' } },
  'task:group': { operators: ALL },
};

/** What an expression looks at: an attribute of the instance, or one of the fields that AWS names. */
export type Subject =
  | `attribute:${string}`
  | 'agentConnected'
  | 'agentVersion'
  | 'ec2InstanceId'
  | 'registeredAt'
  | 'runningTasksCount'
  | 'task:group';

export interface Comparison {
  readonly kind: 'comparison';
  readonly subject: Subject;
  readonly operator: Operator;
  /** None with `exists` and `!exists`, one or more with `in` and `!in`, one with all others. */
  readonly values: readonly string[];
}

export type ClusterQuery =
  | Comparison
  | { readonly kind: 'not'; readonly operand: ClusterQuery }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly ClusterQuery[] };

export interface ClusterQueryError {
  /** What is wrong and what is allowed there, with its column. */
  readonly error: string;
  /** Position in the expression, from 1. */
  readonly column: number;
}

const ATTRIBUTE = /^attribute:[A-Za-z0-9_./\\-]{1,128}$/;

class SyntaxProblem extends Error {
  readonly column: number;

  constructor(column: number, message: string) {
    super(message);
    this.column = column;
  }
}

/** Reads an expression. Tell the outcomes apart with `'error' in result`. */
export function parseClusterQuery(text: string): ClusterQuery | ClusterQueryError {
  try {
    return parse(text);
  } catch (problem) {
    if (!(problem instanceof SyntaxProblem)) throw problem;
    return { error: `column ${problem.column}: ${problem.message}`, column: problem.column };
  }
}

function parse(text: string): ClusterQuery {
  let at = 0;

  /** The match here, which is passed over, and the space behind it. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    if (found === undefined) return undefined;
    at += found.length;
    skipSpace();
    return found;
  };
  const skipSpace = (): void => {
    while (/\s/.test(text[at] ?? '')) at++;
  };
  const fail = (message: string, column = at): never => {
    const got = /^\S{1,40}/.exec(text.slice(column))?.[0];
    throw new SyntaxProblem(column + 1, `${message}, got ${got === undefined ? 'the end' : `"${got}"`}`);
  };

  const expression = (): ClusterQuery => chain('or', /\|\||or(?![\w:.-])/y, conjunction);
  const conjunction = (): ClusterQuery => chain('and', /&&|and(?![\w:.-])/y, negation);
  const chain = (kind: 'and' | 'or', sign: RegExp, operand: () => ClusterQuery): ClusterQuery => {
    const operands = [operand()];
    while (take(sign) !== undefined) operands.push(operand());
    const [first] = operands;
    return operands.length === 1 && first !== undefined ? first : { kind, operands };
  };
  const negation = (): ClusterQuery =>
    take(/!|not(?![\w:.-])/y) === undefined ? primary() : { kind: 'not', operand: primary() };

  const primary = (): ClusterQuery => {
    if (take(/\(/y) === undefined) return comparison();
    const inner = expression();
    if (take(/\)/y) === undefined) fail('expected ")", "and" or "or"');
    return inner;
  };

  const comparison = (): Comparison => {
    const subject = readSubject();
    const rule: SubjectRule = SUBJECTS[subject] ?? { operators: ALL };
    const column = at;
    const operator = readOperator();
    if (operator === undefined || !rule.operators.includes(operator)) {
      return fail(`expected an operator for ${subject}, one of ${rule.operators.join(' ')}`, column);
    }
    const start = at;
    const values = readArgument(operator);
    const wrong = rule.values && !operator.endsWith('~') && values.find((value) => !rule.values?.pattern.test(value));
    if (wrong !== undefined) fail(`expected ${rule.values?.allowed} for ${subject}`, start);
    return { kind: 'comparison', subject, operator, values };
  };

  const readSubject = (): Subject => {
    const column = at;
    const word = take(/[\w.:/\\-]+/y) ?? '';
    if (isSubject(word)) return word;
    return fail(`expected "(", "not" or a subject, one of attribute:NAME ${Object.keys(SUBJECTS).join(' ')}`, column);
  };

  const readOperator = (): Operator | undefined => {
    const found = take(/==|!=|>=|<=|=~|!~|>|<|!in(?!\w)|!exists(?!\w)|[a-z_]+/y) ?? '';
    return WORDS[found] ?? ALL.find((operator) => operator === found);
  };

  const readArgument = (operator: Operator): readonly string[] => {
    if (operator.endsWith('exists')) return [];
    if (!operator.endsWith('in')) return [operator.endsWith('~') ? readPattern() : readLiteral()];
    if (take(/\[/y) === undefined) fail(`expected "[" and values for ${operator}, such as [a, b]`);
    const values = [readLiteral()];
    while (take(/,/y) !== undefined) values.push(readLiteral());
    if (take(/\]/y) === undefined) fail('expected "," or "]"');
    return values;
  };

  const readQuoted = (): string | undefined => {
    if (text[at] === '"') fail('expected a value, plain or in single quotes');
    if (text[at] !== "'") return undefined;
    const column = at;
    return (take(/'[^']*'/y) ?? fail('expected a closing single quote', column)).slice(1, -1);
  };
  const readLiteral = (): string =>
    readQuoted() ?? take(/[^\s,[\]()'][^\s,\])']*/y) ?? fail('expected a value, plain or in single quotes');
  /** As a literal, but parentheses and brackets of its own belong to it. */
  const readPattern = (): string => {
    const quoted = readQuoted();
    if (quoted !== undefined) return quoted;
    const open: string[] = [];
    let end = at;
    for (; end < text.length && !/\s/.test(text[end] ?? ''); end++) {
      const sign = text[end] ?? '';
      if (sign === "'") break;
      if (sign === '\\') end++;
      else if (sign === '(' || sign === '[') open.push(sign);
      else if (sign === ')' && open.pop() !== '(') break;
      else if (sign === ']' && open.pop() !== '[') break;
    }
    if (end === at) fail('expected a pattern, plain or in single quotes');
    const found = text.slice(at, end);
    at = Math.min(end, text.length);
    skipSpace();
    return found;
  };

  skipSpace();
  const query = expression();
  return at === text.length ? query : fail('expected "and", "or" or the end');
}

const isSubject = (word: string): word is Subject => ATTRIBUTE.test(word) || Object.hasOwn(SUBJECTS, word);

/** The expression as text that {@link parseClusterQuery} reads as the same; signs, not words. */
export function printClusterQuery(query: ClusterQuery): string {
  if (query.kind === 'comparison') return printComparison(query);
  if (query.kind === 'not') return `not ${within(query.operand, 'comparison')}`;
  const inner = query.kind === 'or' ? (['comparison', 'not', 'and'] as const) : (['comparison', 'not'] as const);
  return query.operands.map((operand) => within(operand, ...inner)).join(` ${query.kind} `);
}

const within = (query: ClusterQuery, ...bare: readonly ClusterQuery['kind'][]): string =>
  bare.includes(query.kind) ? printClusterQuery(query) : `(${printClusterQuery(query)})`;

function printComparison({ subject, operator, values }: Comparison): string {
  if (operator.endsWith('exists')) return `${subject} ${operator}`;
  const quoted = values.map((value) => (/^[^\s,[\]()'"\\][^\s,[\]()\\]*$/.test(value) ? value : `'${value}'`));
  return `${subject} ${operator} ${operator.endsWith('in') ? `[${quoted.join(', ')}]` : quoted.join('')}`;
}
