import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { lineBreakOf } from './line-break.ts'

/** Single changes of a YAML text that leave every other line as written, comments included. */

/** The colon after a key, and what may stand between it and a block below: line ends and comments. */
const BEHIND_NAME = /:[ \t]*(?:#.*)?(?:\r?\n[ \t]*(?:#.*)?)*$/

/** The node at a path of keys and indexes, through aliases; undefined if there is none. */
export function nodeAt(document: Document, path: readonly (string | number)[]): Node | undefined {
  let node: unknown = document.contents
  for (const step of path) {
    const at = resolved(node, document)
    node = isCollection(at) ? at.get(step, true) : undefined
  }
  return resolved(node, document)
}

/** The text with an item added to a list, before the item at `at`, or at the end by default. */
export function addItem(text: string, list: YAMLSeq, item: object, at?: number): string {
  if (list.flow === true || list.items.length === 0) {
    const made = flowOf(item)
    const before = at === undefined ? undefined : list.items[at]
    if (before !== undefined) return put(text, startOf(before), `${made}, `)
    const last = list.items.at(-1)
    return last === undefined ? replace(text, list, `[${made}]`) : put(text, endOf(last), `, ${made}`)
  }
  const made = blockOf([item], text, startOf(list))
  const before = at === undefined ? undefined : list.items[at]
  if (before !== undefined) return put(text, lineStart(text, startOf(before)), made)
  return putLines(text, endOf(list), made)
}

/** The text with an item removed from a list. */
export function removeItem(text: string, list: YAMLSeq, at: number): string {
  const [item, before, after] = [list.items[at], list.items[at - 1], list.items[at + 1]]
  if (list.flow === true) {
    if (after !== undefined) return cut(text, startOf(item), startOf(after))
    return before === undefined ? cut(text, startOf(item), endOf(item)) : cut(text, endOf(before), endOf(item))
  }
  if (before === undefined && after === undefined) {
    const colon = text.slice(0, startOf(list)).search(BEHIND_NAME)
    const end = endOf(list)
    return `${text.slice(0, colon + 1)} []${text[end - 1] === '\n' ? lineBreakOf(text) : ''}${text.slice(end)}`
  }
  return cut(text, lineStart(text, startOf(item)), lineEnd(text, endOf(item)))
}

/** The text with a value set under a key of a map, replacing the current one. */
export function setValue(text: string, map: YAMLMap, name: string, value: unknown): string {
  const known = map.items.find(({ key }) => isScalar(key) && key.value === name)
  if (known !== undefined) return replace(text, known.value, flowOf(value))
  if (map.flow === true) {
    const pair = `${name}: ${flowOf(value)}`
    const last = map.items.at(-1)
    return last === undefined ? replace(text, map, `{ ${pair} }`) : put(text, endOf(last), `, ${pair}`)
  }
  return putLines(text, endOf(map), blockOf({ [name]: value }, text, startOf(map)))
}

function resolved(node: unknown, document: Document): Node | undefined {
  if (isAlias(node)) return node.resolve(document)
  return isScalar(node) || isMap(node) || isSeq(node) ? node : undefined
}

/** The value on one line. */
function flowOf(value: unknown): string {
  return stringify([value], { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: true })
    .trim()
    .replace(/^\[ ?/, '')
    .replace(/ ?\]$/, '')
}

/** The value as lines of that text, in the column of what is at `at`. */
function blockOf(value: unknown, text: string, at: number): string {
  const indent = ' '.repeat(at - lineStart(text, at))
  return stringify(value)
    .replace(/^(?=.)/gm, indent)
    .replaceAll('\n', lineBreakOf(text))
}

/** Where a node begins. Throws an Error for a node that has no place in the text. */
function startOf(node: unknown): number {
  return rangeOf(node)[0]
}

/** Where the last content of a node ends, without trailing empty values and comments. */
function endOf(node: unknown): number {
  if (isPair(node)) return node.value === null ? endOf(node.key) : endOf(node.value)
  if (isCollection(node) && node.flow !== true && node.items.length > 0) return endOf(node.items.at(-1))
  return rangeOf(node)[1]
}

function rangeOf(node: unknown): readonly [start: number, end: number] {
  const range = isCollection(node) || isScalar(node) || isAlias(node) ? node.range : null
  if (range === null || range === undefined) throw new Error('the node stands in no text')
  return [range[0], range[1]]
}

function put(text: string, at: number, added: string): string {
  return text.slice(0, at) + added + text.slice(at)
}

/** Inserts after the line that contains `end`. */
function putLines(text: string, end: number, lines: string): string {
  const at = lineEnd(text, end)
  return `${text.slice(0, at)}${at > 0 && text[at - 1] !== '\n' ? lineBreakOf(text) : ''}${lines}${text.slice(at)}`
}

function replace(text: string, node: unknown, added: string): string {
  const [start, end] = rangeOf(node)
  return text.slice(0, start) + added + text.slice(end)
}

function cut(text: string, start: number, end: number): string {
  return text.slice(0, start) + text.slice(end)
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** The offset after the end of the line that contains `at`. */
function lineEnd(text: string, at: number): number {
  if (text[at - 1] === '\n') return at
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end + 1
}
