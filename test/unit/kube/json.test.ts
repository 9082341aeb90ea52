import { describe, expect, it } from 'vitest';
import { encodeJson } from '../../../src/kube/json.ts';

describe('JSON for the API server', () => {
  it('escapes what Go escapes, and nothing else', () => {
    const value = { text: 'a < b > c & d \u2028\u2029 "é" \\ \n' };
    expect(encodeJson(value)).toBe('{"text":"a \\u003c b \\u003e c \\u0026 d \\u2028\\u2029 \\"é\\" \\\\ \\n"}');
    expect(JSON.parse(encodeJson(value))).toEqual(value);
  });
});
