import { isDeepStrictEqual } from 'node:util'
import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  stringify,
  type YAMLMap,
} from 'yaml'
import { at as valueAt } from '../core/value.ts'
import { lineBreakOf } from './line-break.ts'
import { formatPath, type Path } from './problems.ts'

/** A value to change. */
export interface Edit {
  readonly path: Path
  /** Plain data; undefined removes the value. */
  readonly value: unknown
}

/** An edit that cannot be made in this text without changing something else. */
export class EditError extends Error {
  override readonly name = 'EditError'
}

/** A text of a configuration in YAML, and what it says: to be read once, as a long one takes long. */
export interface ReadText {
  readonly text: string
  readonly document: Document.Parsed
  /** What is written, as plain data, with variables as they are written. */
  readonly data: unknown
}

/** Reads a text that is to be edited. Throws EditError where it cannot be read. */
export function readText(text: string): ReadText {
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, merge: true })
  const [error] = document.errors
  if (error === undefined) return { text, document, data: document.toJS() }
  throw new EditError(`The text cannot be read without its variables (${error.message}): change it by hand.`)
}

/**
 * The text with some values changed, and all else as it was written: comments, order and spaces. Throws EditError where the text is not
 * such that this can be done.
 */
export function editedSource(before: ReadText, edits: readonly Edit[]): string {
  return edits.reduce(edited, before).text
}

function edited({ text, document, data }: ReadText, edit: Edit): ReadText {
  const after = readText(spliced(text, document, edit))
  if (isDeepStrictEqual(after.data, withValue(data, edit.path, edit.value))) return after
  throw new EditError(
    `${formatPath(edit.path)} cannot be changed on its own, because it comes from an alias or a merge key: change it by hand.`,
  )
}

/** A copy of the data with the value at that path. */
function withValue(data: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value
  const inner = withValue(valueAt(data, step), rest, value)
  if (Array.isArray(data)) return data.map((item: unknown, i) => (i === step ? inner : item))
  const fields = new Map<string, unknown>(typeof data === 'object' && data !== null ? Object.entries(data) : [])
  if (inner === undefined) fields.delete(String(step))
  else fields.set(String(step), inner)
  return value === undefined && data === undefined ? undefined : Object.fromEntries(fields)
}

/** A place in the text and the node that is there. */
interface Place {
  readonly node: Node | null
  /** The pair whose value the node is. */
  readonly pair: Pair | null
}

function spliced(text: string, { contents }: Document.Parsed, { path, value }: Edit): string {
  let place: Place = { node: contents, pair: null }
  for (const [i, step] of path.entries()) {
    const { node } = place
    const rest = path.slice(i + 1)
    if (isSeq(node)) {
      const item = node.items[Number(step)]
      if (!isNode(item)) throw new EditError(`${formatPath(path.slice(0, i + 1))} does not exist.`)
      place = { node: item, pair: null }
      continue
    }
    if (!isMap(node)) return value === undefined ? text : replaced(text, place, nested(path.slice(i), value))
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === step)
    if (pair === undefined) return value === undefined ? text : inserted(text, node, String(step), nested(rest, value))
    if (rest.length === 0 && value === undefined) return removed(text, place, node, pair)
    place = { node: isNode(pair.value) ? pair.value : null, pair }
  }
  return replaced(text, place, value)
}

/** The value nested in maps for the rest of its path. */
function nested(path: Path, value: unknown): unknown {
  return path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()
}

function rangeOf(node: unknown): readonly [start: number, end: number] {
  if (!isNode(node) || !node.range) throw new EditError('The text cannot be edited automatically: change it by hand.')
  return [node.range[0], node.range[1]]
}

/** The offset at which the node's text ends, without trailing spaces and line ends. */
function endOf(text: string, node: unknown): number {
  const [start, end] = rangeOf(node)
  return start + text.slice(start, end).trimEnd().length
}

function replaced(text: string, { node, pair }: Place, value: unknown): string {
  if (pair === null) {
    const [start] = rangeOf(node)
    return text.slice(0, start) + flow(value) + text.slice(endOf(text, node))
  }
  // Starts after the colon, because the value may begin on the next line or be empty.
  const [, afterKey] = rangeOf(pair.key)
  const colon = text.indexOf(':', afterKey)
  const end = node === null ? colon + 1 : Math.max(colon + 1, endOf(text, node))
  return `${text.slice(0, colon + 1)} ${flow(value)}${text.slice(end)}`
}

function inserted(text: string, map: YAMLMap, key: string, value: unknown): string {
  const entry = `${flow(key)}: ${flow(value)}`
  const [start, end] = rangeOf(map)
  const last = map.items.at(-1)
  if (last === undefined) return `${text.slice(0, start)}{ ${entry} }${text.slice(end)}`
  const lastEnd = pairEnd(text, last)
  if (map.flow === true) return `${text.slice(0, lastEnd)}, ${entry}${text.slice(lastEnd)}`
  const lineEnd = lineEndAt(text, lastEnd)
  const [keyStart] = rangeOf(map.items[0]?.key)
  const indent = ' '.repeat(keyStart - lineStartAt(text, keyStart))
  return `${text.slice(0, lineEnd)}${lineBreakOf(text)}${indent}${entry}${text.slice(lineEnd)}`
}

function removed(text: string, place: Place, map: YAMLMap, pair: Pair): string {
  const at = map.items.indexOf(pair)
  if (map.items.length === 1) return replaced(text, { ...place, node: map }, {})
  const [start] = rangeOf(pair.key)
  const next = map.items[at + 1]
  if (map.flow === true) {
    if (next !== undefined) return text.slice(0, start) + text.slice(rangeOf(next.key)[0])
    const before = map.items[at - 1]
    return text.slice(0, before === undefined ? start : pairEnd(text, before)) + text.slice(pairEnd(text, pair))
  }
  const lineStart = lineStartAt(text, start)
  if (text.slice(lineStart, start).trim() !== '' && next !== undefined)
    return text.slice(0, start) + text.slice(rangeOf(next.key)[0])
  return text.slice(0, lineStart) + text.slice(nextLineAt(text, pairEnd(text, pair)))
}

function pairEnd(text: string, { key, value }: Pair): number {
  const [, afterKey] = rangeOf(key)
  const colon = text.indexOf(':', afterKey)
  return isNode(value) && value.range ? Math.max(colon + 1, endOf(text, value)) : colon + 1
}

function lineStartAt(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** Where the line's content ends. */
function lineEndAt(text: string, at: number): number {
  return at + text.slice(at).search(/\r?\n|$/)
}

function nextLineAt(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end + 1
}
