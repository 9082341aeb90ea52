export type Entry = { readonly path: string; readonly mode: number } & (
  | { readonly type: 'file'; readonly bytes: Buffer }
  | { readonly type: 'directory' }
  | { readonly type: 'link'; readonly target: string }
);

const block = 512;
const kinds = { file: '0', link: '2', directory: '5' } as const;

/** A ustar archive. The same entries always make the same bytes, so that an image keeps its digest. */
export function tar(entries: readonly Entry[]): Buffer {
  const parts = entries.flatMap((entry) => {
    const bytes = entry.type === 'file' ? entry.bytes : Buffer.alloc(0);
    const padding = Buffer.alloc((block - (bytes.length % block)) % block);
    return [header(entry, bytes.length), bytes, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(entry: Entry, size: number): Buffer {
  const buffer = Buffer.alloc(block);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  buffer.write(entry.path, 0, 100);
  buffer.write(octal(entry.mode, 8), 100);
  buffer.write(octal(0, 8), 108); // owner and group: root
  buffer.write(octal(0, 8), 116);
  buffer.write(octal(size, 12), 124);
  buffer.write(octal(0, 12), 136); // modified at the epoch
  buffer.write(' '.repeat(8), 148); // the checksum counts itself as spaces
  buffer.write(kinds[entry.type], 156);
  if (entry.type === 'link') buffer.write(entry.target, 157, 100);
  buffer.write('ustar\x0000', 257);
  const sum = buffer.reduce((total, byte) => total + byte, 0);
  buffer.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return buffer;
}
