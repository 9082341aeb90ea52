import { Document, Scalar, visit } from 'yaml';

const RESERVED = /^(true|false|yes|no|on|off|y|n|null)$/i;
/** Texts that no YAML reader takes for anything else. */
const PLAIN = /^[A-Za-z_/](?:[\w./@=+-]|[,:](?=\S)| (?=[\w./@=+-]))*$/;
/** Lines of text that every YAML reader gives back as they are. */
const LINES = /^[\x21-\x7e\u00a1-\u1fff][\x20-\x7e\u00a1-\u1fff\n]*$/;
/** Line ends to some YAML readers and not to others, and what cannot be seen. */
const UNSEEN = /[\x7f-\xa0\u2000-\u200f\u2028-\u202f\u205f-\u206f\ufeff\ufff0-\uffff]/g;

/**
 * One YAML document, with its `---`. Any text that YAML 1.1, which kubectl reads, or YAML 1.2 could take for a number, a
 * switch, a date or a merge is quoted, so that every reader gives back the value.
 */
export function yamlText(value: unknown): string {
  const document = new Document(value, {
    version: '1.1',
    aliasDuplicateObjects: false,
    // Without it a key << would be written as a merge.
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !tag.tag.endsWith(':merge')),
  });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string') node.type = styleOf(node.value);
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
  return `---\n${text.replace(UNSEEN, (unseen) => `\\u${unseen.charCodeAt(0).toString(16).padStart(4, '0')}`)}`;
}

function styleOf(text: string): Scalar.Type {
  if (PLAIN.test(text) && !RESERVED.test(text)) return Scalar.PLAIN;
  return text.includes('\n') && LINES.test(text) && !/[ ]\n/.test(text) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
}
