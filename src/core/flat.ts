/**
 * The text in one piece. What is put together stays a tree of its pieces in V8, which whoever writes it walks each time: a text that is made
 * once and written again and again is better flat.
 */
export function flat(text: string): string {
  return Buffer.from(text).toString()
}
