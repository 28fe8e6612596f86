import { Document, isMap, isNode, isScalar, isSeq } from 'yaml'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'
import { configText, shownText } from './variables.ts'

/** Maximum width of a line with a comment, in characters. */
const WIDTH = 120

/** Comments on the values of a future YAML text, by the map or list that contains the value. */
export class Comments {
  private readonly all = new Map<object, Map<string | number, string[]>>()

  /** Adds a comment above the member with that key, or the item with that index. */
  add(parent: object, key: string | number, comment: string): void {
    const members = this.all.get(parent) ?? new Map<string | number, string[]>()
    const lines = members.get(key) ?? []
    if (!lines.includes(comment)) lines.push(comment)
    this.all.set(parent, members.set(key, lines))
  }

  at(parent: unknown, key: string | number): readonly string[] {
    return (isObject(parent) && this.all.get(parent)?.get(key)) || []
  }
}

/**
 * A configuration as YAML, with its comments. A list or map that occurs in several places is written once and referred to by aliases
 * elsewhere; variables in texts become `${NAME}`.
 */
export function commentedYaml(value: object, comments: Comments, head: readonly string[]): string {
  const document = new Document(value, { anchorPrefix: 'shared' })
  document.commentBefore = head.map((line) => commentText(line)).join('\n')
  finish(document.contents, value, comments)
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

function finish(node: unknown, value: unknown, comments: Comments): void {
  if (isMap(node)) {
    for (const { key, value: child } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      if (isScalar(key)) key.value = shownText(name)
      if (isNode(key)) setComment(key, comments.at(value, name))
      finish(child, fieldOf(value, name), comments)
    }
    return
  }
  if (isSeq(node)) {
    const items = itemsOf(value)
    node.flow = items.length <= 12 && items.every(isShort)
    node.items.forEach((item, i) => {
      if (isNode(item)) setComment(item, comments.at(value, i))
      finish(item, items[i], comments)
    })
    return
  }
  if (isScalar(node) && typeof node.value === 'string') node.value = configText(node.value)
}

function setComment(node: { commentBefore?: string | null }, lines: readonly string[]): void {
  if (lines.length > 0) node.commentBefore = lines.map((line) => commentText(line)).join('\n')
}

/** Wrapped to as many lines as needed. */
function commentText(line: string): string {
  const words = shownText(line)
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .split(' ')
  const lines: string[] = []
  let current = ''
  for (const word of words) {
    const longer = current === '' ? word : `${current} ${word}`
    if (current !== '' && longer.length > WIDTH) {
      lines.push(current)
      current = word
    } else current = longer
  }
  return [...lines, current].map((each) => ` ${each}`).join('\n')
}

function isShort(value: unknown): boolean {
  return !isObject(value) && String(value).length <= 40
}

function isObject(value: unknown): value is object {
  return isFields(value) || Array.isArray(value)
}
