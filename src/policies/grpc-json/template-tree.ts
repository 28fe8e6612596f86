import type { PathTemplate } from './template.ts'

/** A binding and its place in the tree. */
export interface Placed<T> {
  readonly template: PathTemplate
  /** In upper case; "*" for all methods. */
  readonly method: string
  readonly value: T
}

/** The result of looking up a path and a method. */
export type Found<T> = { readonly found: true; readonly value: T; readonly segments: readonly string[] } | Missing

/** No match; `allow` are the methods that would match. */
export interface Missing {
  readonly found: false
  readonly allow: readonly string[]
}

class Node<T> {
  readonly literals = new Map<string, Node<T>>()
  one: Node<T> | null = null
  rest: Node<T> | null = null
  /** Verb -> method -> value. */
  readonly ends = new Map<string, Map<string, T>>()
}

/** Finds the binding of a request: literals take precedence over "*", and "*" over "**". Each node is visited at most once. */
export class TemplateTree<T> {
  /** All bindings, in the order in which they were added. */
  readonly placed: Placed<T>[] = []
  private readonly root = new Node<T>()
  private readonly verbs = new Set<string>()

  /** Adds a binding and returns the existing one in the same place, or null. */
  add({ template, method, value }: Placed<T>): T | null {
    let node = this.root
    for (const segment of template.segments) {
      if (segment.type === 'one') node = node.one ??= new Node()
      else if (segment.type === 'rest') node = node.rest ??= new Node()
      else {
        const next = node.literals.get(segment.text) ?? new Node<T>()
        node.literals.set(segment.text, next)
        node = next
      }
    }
    const { verb } = template
    const methods = node.ends.get(verb) ?? new Map<string, T>()
    node.ends.set(verb, methods)
    const before = methods.get(method) ?? null
    if (before === null) {
      methods.set(method, value)
      this.placed.push({ template, method, value })
    }
    if (verb !== '') this.verbs.add(verb)
    return before
  }

  /** `path` is in its normal form. */
  find(path: string, method: string): Found<T> {
    const allow = new Set<string>()
    const colon = path.lastIndexOf(':')
    const verb = colon > path.lastIndexOf('/') ? path.slice(colon + 1) : ''
    if (verb !== '' && this.verbs.has(verb)) {
      const found = this.search(path.slice(0, colon), verb, method, allow)
      if (found !== null) return found
    }
    return this.search(path, '', method, allow) ?? { found: false, allow: [...allow].toSorted() }
  }

  private search(path: string, verb: string, method: string, allow: Set<string>): Found<T> | null {
    const segments = path === '/' ? [] : path.slice(1).split('/')
    const visit = (node: Node<T>, at: number): T | null => {
      if (at === segments.length) {
        const end = endOf(node, verb, method, allow)
        if (end !== null) return end
      } else {
        const segment = segments[at] ?? ''
        const literal = node.literals.get(segment)
        const byLiteral = literal === undefined ? null : visit(literal, at + 1)
        if (byLiteral !== null) return byLiteral
        const byOne = node.one === null || segment === '' ? null : visit(node.one, at + 1)
        if (byOne !== null) return byOne
      }
      return node.rest === null ? null : endOf(node.rest, verb, method, allow)
    }
    const value = visit(this.root, 0)
    return value === null ? null : { found: true, value, segments }
  }
}

function endOf<T>(node: Node<T>, verb: string, method: string, allow: Set<string>): T | null {
  const methods = node.ends.get(verb)
  if (methods === undefined) return null
  const exact = method === 'HEAD' ? (methods.get('HEAD') ?? methods.get('GET')) : methods.get(method)
  const value = exact ?? methods.get('*')
  if (value !== undefined) return value
  for (const each of methods.keys()) {
    allow.add(each)
    if (each === 'GET') allow.add('HEAD')
  }
  return null
}
