import { printable } from '../core/printable.ts'
import { fieldOf, isFields } from '../core/value.ts'
import { ACCESS_MESSAGE, accessText, type LineFields } from './access-text.ts'
import type { Color, Paint } from './paint.ts'

const COLORS: Readonly<Record<string, Color>> = { debug: 'dim', info: 'blue', warn: 'yellow', error: 'red' }

/** Width of the level column. */
const LEVEL_WIDTH = 5

/**
 * Turns a line of JSON into a human-readable line: local time, level, message and the remaining members; for an error at level error, its
 * stack below. Control sequences are removed, wherever they came from.
 */
export function textLine(line: string, paint: Paint): string {
  const value: unknown = JSON.parse(line)
  const { level, timestamp, message, error, ...fields } = isFields(value) ? value : { message: value }
  const time = paint('dim', timeOfDay(timestamp))
  if (message === ACCESS_MESSAGE) {
    const { text, rest } = accessText({ level, ...fields }, paint)
    const { level: _, ...besides } = rest
    return `${time} ${text}${fieldsText(besides, paint)}\n`
  }
  const word = paint(COLORS[String(level)] ?? 'bold', printable(String(level)).toUpperCase().padEnd(LEVEL_WIDTH))
  return `${time} ${word} ${printable(String(message))}${fieldsText(fields, paint)}${errorText(error, level, fields, paint)}\n`
}

function timeOfDay(timestamp: unknown): string {
  const date = new Date(String(timestamp))
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

/** ` name=value` for each known member. */
function fieldsText(fields: LineFields, paint: Paint): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => ` ${paint('dim', `${printable(name)}=`)}${valueText(value)}`)
    .join('')
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`
  const text = typeof value === 'string' && /^[^\s"=[\],]+$/u.test(value) ? value : JSON.stringify(value)
  return printable(text)
}

/** The indented text below the line: the stack if the fault is the gateway's; otherwise what has not been said yet. */
function errorText(error: unknown, level: unknown, fields: LineFields, paint: Paint): string {
  if (error === undefined || error === null) return ''
  const stack = fieldOf(error, 'stack')
  const hasCause = fields['cause'] !== undefined
  const text = level === 'error' && typeof stack === 'string' ? stack : hasCause ? '' : messageOf(error)
  if (text === '') return ''
  return text
    .split('\n')
    .map((line) => `\n    ${paint('dim', printable(line.trimEnd()))}`)
    .join('')
}

function messageOf(error: unknown): string {
  const message = fieldOf(error, 'message')
  return typeof message === 'string' ? message : JSON.stringify(error)
}
