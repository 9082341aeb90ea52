/** Characters that the value of a label may have: what `.` in a pattern may stand for. */
const LABEL_CHARACTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'];

const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

/** Whether a node can have a label with this value. */
export const isLabelValue = (text: string): boolean => LABEL_VALUE.test(text);

/** Values that one expression may name. */
const MAX_VALUES = 100;

class NotFinite extends Error {}

/**
 * The texts that a regular expression of Java matches as a whole, where they are few: alternatives, groups, classes, `.`
 * (a character that a label may have) and `?`. Undefined where it matches endlessly many, more than a hundred, or has other parts.
 */
export function valuesOfPattern(pattern: string): readonly string[] | undefined {
  try {
    return [...new Set(new Expansion(pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')).all())];
  } catch (problem) {
    if (problem instanceof NotFinite) return undefined;
    throw problem;
  }
}

class Expansion {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  all(): readonly string[] {
    const values = this.#alternatives();
    if (this.#at < this.#pattern.length) throw new NotFinite();
    return values;
  }

  #alternatives(): readonly string[] {
    let values = this.#sequence();
    while (this.#take('|')) values = few([...values, ...this.#sequence()]);
    return values;
  }

  #sequence(): readonly string[] {
    let values: readonly string[] = [''];
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#next())) {
      const atom = this.#atom();
      const choices = this.#take('?') ? ['', ...atom] : atom;
      if (values.length * choices.length > MAX_VALUES) throw new NotFinite();
      values = values.flatMap((head) => choices.map((tail) => head + tail));
    }
    return values;
  }

  #atom(): readonly string[] {
    if (this.#take('(')) {
      if (this.#take('?') && !this.#take(':')) throw new NotFinite();
      const values = this.#alternatives();
      if (!this.#take(')')) throw new NotFinite();
      return values;
    }
    if (this.#take('[')) return this.#characterClass();
    if (this.#take('.')) return LABEL_CHARACTERS;
    return [this.#character('*+?{}[]^$')];
  }

  #characterClass(): readonly string[] {
    const values: string[] = [];
    while (!this.#take(']')) {
      const first = this.#character('^[&');
      const isRange = this.#next() === '-' && this.#pattern[this.#at + 1] !== ']';
      if (!isRange) values.push(first);
      else {
        this.#at++;
        const [from, to] = [first, this.#character('^[&')].map((character) => character.charCodeAt(0));
        for (let code = from ?? 0; code <= (to ?? -1); code++) values.push(String.fromCharCode(code));
      }
      few(values);
    }
    return values;
  }

  /** One character that stands for itself, perhaps behind a backslash. */
  #character(special: string): string {
    const escaped = this.#take('\\');
    const character = this.#next();
    if (character === '' || (escaped ? /\w/.test(character) : special.includes(character))) throw new NotFinite();
    this.#at++;
    return character;
  }

  #next(): string {
    return this.#pattern[this.#at] ?? '';
  }

  #take(character: string): boolean {
    if (this.#next() !== character) return false;
    this.#at++;
    return true;
  }
}

function few(values: readonly string[]): readonly string[] {
  if (values.length > MAX_VALUES) throw new NotFinite();
  return values;
}
