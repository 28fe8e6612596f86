import { isatty } from 'node:tty'

/** Terminal colors, by their Select Graphic Rendition parameters (ECMA-48 section 8.3.117). */
const COLORS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const

export type Color = keyof typeof COLORS

/** Colors a text, or returns it unchanged. */
export type Paint = (color: Color, text: string) => string

/** Colors texts. */
export const inColor: Paint = (color, text) => `\x1b[${COLORS[color]}m${text}\x1b[0m`

/** Leaves texts unchanged. */
export const plain: Paint = (_, text) => text

/**
 * The colors for output to that descriptor: enabled on a terminal that supports them, unless NO_COLOR is set and not empty (no-color.org).
 */
export function paintFor(descriptor: number, { NO_COLOR, TERM }: Readonly<Record<string, string | undefined>>): Paint {
  const isAllowed = (NO_COLOR ?? '') === '' && TERM !== 'dumb'
  return isAllowed && isatty(descriptor) ? inColor : plain
}
