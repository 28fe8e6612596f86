/** Control characters, bidirectional and invisible formatting characters, and lone surrogates. */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Makes text safe to print in a terminal: characters that could control the terminal or hide content are escaped. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}
