/**
 * JSON as Go writes it. The API server compares what it keeps of a ControllerRevision byte by byte, and escapes these
 * characters whenever it patches the object: written otherwise, its data would seem to change, which it may not.
 */
export const encodeJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
