/** What CEL has on the API server and cel-js lacks, as far as the rules of our kinds use it. */
import type { Environment } from '@marcbachmann/cel-js';

type Scalar = bigint | number | string | boolean;

/** Text of a value as `%s` of `format` gives it. */
const shown = (value: Scalar): string => String(value);

/** Kubernetes's lists and regex libraries, and `format` of strings with %s and %%. */
export function addKubernetesFunctions(environment: Environment): Environment {
  return environment
    .registerFunction('list.sum(): dyn', (list: (bigint | number)[]) =>
      list.every((item) => typeof item === 'bigint')
        ? list.reduce((sum, item) => sum + item, 0n)
        : list.reduce((sum: number, item) => sum + Number(item), 0),
    )
    .registerFunction('list.max(): dyn', (list: Scalar[]) => list.reduce((most, item) => (item > most ? item : most)))
    .registerFunction('list.indexOf(dyn): int', (list: Scalar[], item: Scalar) => BigInt(list.indexOf(item)))
    .registerFunction(
      'string.find(string): string',
      (text: string, pattern: string) => new RegExp(pattern, 'u').exec(text)?.[0] ?? '',
    )
    .registerFunction('string.format(list): string', (format: string, values: Scalar[]) => {
      const rest = [...values];
      return format.replaceAll(/%[s%]/g, (verb) => (verb === '%%' ? '%' : shown(rest.shift() ?? '')));
    });
}
