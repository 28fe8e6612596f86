import { isatty } from 'node:tty'

/** Colors of terminals, by the numbers of Select Graphic Rendition (ECMA-48 section 8.3.117). */
const COLORS = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const

export type Color = keyof typeof COLORS

/** Gives a text a color, or leaves it as it is. */
export type Paint = (color: Color, text: string) => string

/** Gives texts their colors. */
export const inColor: Paint = (color, text) => `\x1b[${COLORS[color]}m${text}\x1b[0m`

/** Leaves texts as they are. */
export const plain: Paint = (_, text) => text

/**
 * Colors for what is written to that descriptor: in a terminal that has them, unless NO_COLOR is set and not empty
 * (no-color.org).
 */
export function paintFor(descriptor: number, { NO_COLOR, TERM }: Readonly<Record<string, string | undefined>>): Paint {
  const wanted = (NO_COLOR ?? '') === '' && TERM !== 'dumb'
  return wanted && isatty(descriptor) ? inColor : plain
}
