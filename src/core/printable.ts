/** Control characters, those that change the direction of text or are invisible, and halves of pairs. */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The text as a terminal may be given it: whatever could steer the terminal, or hide something, is written as an escape. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}
