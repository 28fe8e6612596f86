import { isFields } from '../../core/value.ts'
import { decode, malformed } from './query-text.ts'
import { type Shape, valueOf } from './shape.ts'
import { empty, type Values } from './values.ts'

/** Maximum nesting of maps in one parameter. */
const MAX_DEPTH = 16

/**
 * Reads a map whose members are written in a query as `name[member]`, and those of nested maps and lists as `name[member][inner]`.
 * Every parameter that begins with the name and a bracket is a member, whether it is declared or not, and is removed from `parameters`.
 * Undefined if there is none. Throws GatewayError 'bad-request'.
 */
export function readBrackets(name: string, shape: Shape, parameters: Map<string, string[]>): Values | undefined {
  let values: Values | undefined
  for (const [key, texts] of parameters) {
    if (!key.startsWith(`${name}[`) || !key.endsWith(']')) continue
    parameters.delete(key)
    const steps = key.slice(name.length + 1, -1).split('][')
    if (steps.length > MAX_DEPTH) throw malformed(name, `is nested more than ${MAX_DEPTH} levels deep`)
    values ??= empty()
    put(values, shape, steps, texts, name)
  }
  return values
}

function put(whole: Values, shape: Shape, steps: readonly string[], texts: readonly string[], name: string): void {
  let values = whole
  let inner = shape
  for (const [i, member] of steps.entries()) {
    inner = inner.type === 'map' ? inner.shapeOfMember(member) : { type: 'scalar', types: new Set(), repeatable: true }
    const below = steps.slice(i + 1)
    const isIndex = below.length === 1 && /^\d*$/.test(below.join())
    if (below.length === 0 || (isIndex && inner.type !== 'map')) {
      values[member] = added(values[member], inner, texts, isIndex, name)
      return
    }
    const next = (values[member] ??= empty())
    if (!isFields(next)) throw malformed(name, 'has both a value and members under one name')
    values = next
  }
}

/** The value of a member after adding texts; repeated values become a list. */
function added(before: unknown, shape: Shape, texts: readonly string[], isItem: boolean, name: string): unknown {
  if (isFields(before)) throw malformed(name, 'has both a value and members under one name')
  const types = shape.type === 'list' ? shape.item : shape.type === 'scalar' ? shape.types : new Set<string>()
  const items = texts.map((text) => valueOf(decode(text, name), types))
  const all = before === undefined ? items : [before, items].flat()
  if (shape.type === 'list' || isItem) return all
  if (all.length > 1 && shape.type === 'scalar' && !shape.repeatable) throw malformed(name, 'is given more than once')
  return all.length === 1 ? all[0] : all
}
