/** The part of a Dockerfile's language that this repository's Dockerfile uses; anything else is an error. */

export interface Instruction {
  readonly name: 'LABEL' | 'WORKDIR' | 'COPY' | 'RUN' | 'ENV' | 'USER' | 'EXPOSE' | 'ENTRYPOINT';
  readonly text: string;
  readonly line: number;
}

export interface Stage {
  /** Without tag and digest. */
  readonly base: string;
  readonly name?: string;
  readonly instructions: readonly Instruction[];
}

const NAMES: readonly string[] = ['LABEL', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'EXPOSE', 'ENTRYPOINT'];
const isName = (name: string): name is Instruction['name'] => NAMES.includes(name);

/** @throws Error with the number of a line that it does not know. */
export function parseDockerfile(source: string): Stage[] {
  const stages: { base: string; name?: string; instructions: Instruction[] }[] = [];
  for (const [index, content] of source.split('\n').entries()) {
    const line = index + 1;
    if (content.trim() === '' || content.startsWith('#')) continue;
    const [, name = '', text = ''] = /^([A-Z]+) +(.*\S)\s*$/.exec(content) ?? [];
    const stage = stages.at(-1);
    if (name === 'FROM') {
      const [, base, as] = /^([^@\s]+?)(?::[\w.-]+)?@sha256:[0-9a-f]{64}(?: AS (\w+))?$/.exec(text) ?? [];
      if (base === undefined) throw new Error(`Dockerfile:${line}: a base needs a digest: ${content}`);
      stages.push({ base, ...(as !== undefined && { name: as }), instructions: [] });
    } else if (stage !== undefined && isName(name) && !content.endsWith('\\')) {
      stage.instructions.push({ name, text, line });
    } else {
      throw new Error(`Dockerfile:${line}: npm run image does not know this: ${content}`);
    }
  }
  return stages;
}

/** `key=value`, whose value may be quoted. */
export function keyAndValue({ text, line }: Instruction): readonly [string, string] {
  const [, key, quoted, plain] = /^([\w.]+)=(?:"([^"\\]*)"|([^\s"']+))$/.exec(text) ?? [];
  if (key === undefined) throw new Error(`Dockerfile:${line}: one key=value is what npm run image knows: ${text}`);
  return [key, quoted ?? plain ?? ''];
}

/** `[--from=stage] source… target`. */
export function copyOf({ text, line }: Instruction): { from?: string; sources: string[]; target: string } {
  const words = text.split(/ +/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop();
  if (target === undefined || words.length === 0 || words.some((word) => word.startsWith('--')))
    throw new Error(`Dockerfile:${line}: npm run image does not know this: COPY ${text}`);
  return { ...(from !== undefined && { from }), sources: words, target };
}
