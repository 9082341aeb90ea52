export type Path = readonly (string | number)[];

/** One thing that is wrong in what a user gave. */
export interface Problem {
  /** File, and which document of it where it has several. */
  readonly source: string;
  /** Field, as the file has it; absent: the document as a whole. */
  readonly path?: string;
  /** What is wrong with which value, and what is allowed. */
  readonly message: string;
}

/** What a user gave is not taken: every problem, not only the first. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly problems: readonly Problem[];

  constructor(...problems: readonly Problem[]) {
    super(problems.map(problemLine).join('\n'));
    this.problems = problems;
  }
}

export const problemLine = ({ source, path, message }: Problem): string =>
  [source, ...(path ? [path] : []), message].join(': ');

/** `containerDefinitions[0].image`, in Kubernetes' form: a key with other characters than a field name's is in brackets. */
export const pathText = (path: Path): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    if (!/^[\w$-]+$/.test(key)) return `${text}[${key}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');

/** A value on one line, cut where it is long. */
export function valueText(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
