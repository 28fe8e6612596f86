import { checkField } from '../core/field.ts'

/** "Name: value\r\n". Throws a TypeError that says what is wrong with the name or the value. */
export function fieldLine(name: string, value: string): string {
  checkField(name, value)
  return knownLine(name, value)
}

/** The same for a name and a value that are known to be good: the gateway's own, or read by a wire. */
export function knownLine(name: string, value: string): string {
  return `${name}: ${value}\r\n`
}

/** Makes lines of that name, as `knownLine` does, where only the value changes; each comes after the lines of `before`. */
export function linesOf(name: string, before = ''): (value: string) => string {
  const beginning = [before, name, ': '].join('')
  return (value) => `${beginning}${value}\r\n`
}

/** The end of a line that was begun with a name and a part of its value. */
export function lineEnd(rest: string): string {
  return `${rest}\r\n`
}
