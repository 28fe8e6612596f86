/**
 * Returns the text as a flat string. V8 keeps concatenated strings as a tree (rope) that is traversed on every write; a string that is
 * built once and written many times is cheaper when flat.
 */
export function flatString(text: string): string {
  return Buffer.from(text).toString()
}
