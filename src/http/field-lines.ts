import { checkField } from '../core/field.ts'

/** "Name: value\r\n". Throws a TypeError that says what is wrong with the name or the value. */
export function fieldLine(name: string, value: string): string {
  checkField(name, value)
  return knownLine(name, value)
}

/** The same for a name and a value that are known to be valid: the gateway's own, or already validated by a parser. */
export function knownLine(name: string, value: string): string {
  return `${name}: ${value}\r\n`
}

/** Returns a function like `knownLine` with a fixed name; each line is preceded by the lines of `before`. */
export function linesOf(name: string, before = ''): (value: string) => string {
  const beginning = [before, name, ': '].join('')
  return (value) => `${beginning}${value}\r\n`
}

/** The rest of a line whose name and beginning of the value have been written already. */
export function lineEnd(rest: string): string {
  return `${rest}\r\n`
}
