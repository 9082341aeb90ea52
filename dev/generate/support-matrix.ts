/** docs/support-matrix.md: the support tables for people. */
import { type ServiceModel, shapeOf, structuresFrom } from '../../src/aws-model/model.ts';
import { BY_ITS_FIELDS, type Entry, type Verdict } from '../../src/pod/support/entry.ts';
import { INPUTS, type Input } from '../../src/pod/support/tables.ts';

interface Field {
  readonly name: string;
  readonly entry: Entry;
  /** Name of the structure whose fields it has. */
  readonly leadsTo: string | undefined;
}

interface Structure {
  readonly name: string;
  readonly fields: readonly Field[];
}

const COLUMNS = ['Exact', 'Approximated', 'Ignored', 'by case', 'by its fields', 'Refused'] as const;
type Column = (typeof COLUMNS)[number];

function columnOf(entry: Entry): Column {
  if (entry === BY_ITS_FIELDS) return 'by its fields';
  if (!('cases' in entry)) return entry.support;
  const supports = new Set(Object.values(entry.cases).map(({ support }) => support));
  const [only] = supports;
  return supports.size === 1 && only !== undefined ? only : 'by case';
}

function structureOf(model: ServiceModel, name: string): string | undefined {
  const { type, member, value } = shapeOf(model, name);
  const next = member ?? value;
  return type === 'structure' ? name : next === undefined ? undefined : structureOf(model, next.shape);
}

function fieldsOf({ model, table }: Input, structure: string): Field[] {
  return Object.entries(shapeOf(model, structure).members ?? {}).map(([name, { shape }]) => {
    const entry = table[structure]?.[name];
    if (entry === undefined) throw new Error(`the support tables lack ${structure}.${name}`);
    return { name, entry, leadsTo: structureOf(model, shape) };
  });
}

/** A structure whose fields share one verdict has a line; the others have a table. */
const sharedVerdict = ({ fields }: Structure): Verdict | undefined => {
  const [first] = fields;
  if (first === undefined || first.entry === BY_ITS_FIELDS || 'cases' in first.entry) return undefined;
  const { support } = first.entry;
  return (support === 'Refused' || support === 'Ignored') && fields.every(({ entry }) => entry === first.entry)
    ? first.entry
    : undefined;
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** Tests by number, in the order in which they are named. */
class Proofs {
  readonly #numbers = new Map<string, number>();

  cite(tests: readonly string[]): string {
    return tests.map((test) => `[${this.#number(test)}](#tests)`).join(' ');
  }

  get list(): string {
    return [...this.#numbers.keys()]
      .map((test, index) => {
        const [file = '', title = ''] = test.split(' > ');
        return `${index + 1}. [${file}](../${file}): ${title}`;
      })
      .join('\n');
  }

  #number(test: string): number {
    const number = this.#numbers.get(test) ?? this.#numbers.size + 1;
    this.#numbers.set(test, number);
    return number;
  }
}

function rowsOf({ name, entry, leadsTo }: Field, proofs: Proofs): string[][] {
  const field = `\`${name}\``;
  if (entry === BY_ITS_FIELDS) return [[field, 'by its fields', leadsTo ?? '', '']];
  const row = ({ support, reason, shownBy }: Verdict, when = ''): string[] => [
    field,
    support + when,
    reason,
    proofs.cite(shownBy),
  ];
  if (!('cases' in entry)) return [row(entry)];
  return Object.entries(entry.cases).map(([name, verdict]) => row(verdict, ` when ${name}`));
}

function section(kind: string, { structures: roots }: Input, structures: readonly Structure[], proofs: Proofs): string {
  const own = structures.filter((structure) => sharedVerdict(structure) === undefined && structure.fields.length > 0);
  const shared = Map.groupBy(structures, (structure) => sharedVerdict(structure));
  const tables = own.map(
    ({ name, fields }) =>
      `### ${kind}: ${name}\n\n${table(
        ['field', 'support', 'how it differs, and why', 'shown by'],
        fields.flatMap((field) => rowsOf(field, proofs)),
      )}`,
  );
  const lists = [...shared].flatMap(([verdict, members]) =>
    verdict === undefined
      ? []
      : [
          `### ${kind}: ${verdict.support} as a whole: ${verdict.reason}\n\n${table(
            ['structure', 'fields'],
            members.map(({ name, fields }) => [name, fields.map((field) => `\`${field.name}\``).join(', ')]),
          )}`,
        ],
  );
  return [`## ${kind}: ${roots.join(' and ')}`, ...tables, ...lists].join('\n\n');
}

/** Path within the repository and content of the matrix. */
export function supportMatrixFile(): { readonly path: string; readonly content: string } {
  const proofs = new Proofs();
  const seen = new Set<string>();
  const kinds = Object.entries<Input>(INPUTS).map(([kind, input]) => {
    const names = new Set(input.structures.flatMap((root) => structuresFrom(input.model, root)));
    const fresh = [...names].filter((name) => !seen.has(`${input.model.service} ${name}`));
    for (const name of fresh) seen.add(`${input.model.service} ${name}`);
    return { kind, input, structures: fresh.map((name) => ({ name, fields: fieldsOf(input, name) })) };
  });
  const counted = kinds.map(({ kind, input, structures }) => {
    const fields = structures.flatMap((structure) => structure.fields);
    const counts = COLUMNS.map((column) => fields.filter(({ entry }) => columnOf(entry) === column).length);
    return { name: `${kind} (${input.structures.join(', ')})`, counts: [fields.length, ...counts] };
  });
  const total = COLUMNS.map((_, index) => index).concat(COLUMNS.length);
  const sums = total.map((index) => counted.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0));
  const sections = kinds.map(({ kind, input, structures }) => section(kind, input, structures, proofs));
  const [ecs, batch, elbv2] = [INPUTS.TaskDefinition.model, INPUTS.BatchJob.model, INPUTS.TargetGroup.model].map(
    ({ source }) => source,
  );
  const content = `<!-- Generated from src/pod/support by \`npm run generate\`: change the tables there. -->

# What becomes of each AWS field

Every field of the inputs that the kinds take, in AWS's newest model (${ecs}; ${batch}; ${elbv2}).

- **Exact**: as on AWS. The tests named show it on a real container or API server.
- **Approximated**: honoured, but not in every detail.
- **Ignored**: accepted without effect.
- **Refused**: not taken yet; the API server names it as an unknown field, or says what is allowed instead.
- **by case**: it depends on what else the definition says; each case has its row.

\`status.fieldSupport\` of an object lists what of it is Approximated or Ignored; \`longshore import\` lists all.
A structure that several kinds share is listed with the first.

${table(
  ['fields of', 'all', ...COLUMNS],
  [...counted.map(({ name, counts }) => [name, ...counts.map(String)]), ['all', ...sums.map(String)]],
)}

${sections.join('\n\n')}

## Tests

${proofs.list}
`;
  return { path: 'docs/support-matrix.md', content };
}
