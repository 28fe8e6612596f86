import { z } from 'zod'
import { fieldOf, itemsOf } from '../core/value.ts'
import type { Path } from './problems.ts'
import { type KnownKeys, hintFor, keysOf, mapWith, someOf } from './known-keys.ts'
import { correctedValue } from './corrected-value.ts'
import { nearest, oneOf } from './suggest.ts'

type Issue = z.core.$ZodIssue

/** One schema violation, of one value or one key. */
export interface Finding {
  /** The value, or the key itself if it is unknown or refused. */
  readonly path: Path
  readonly isKey: boolean
  /** What is wrong and what is allowed. */
  readonly message: string
}

/** How the value at a path was written, for values that must not be shown because they contain a variable's value. */
export type Written = (path: Path) => string | undefined

/** The output of the schema, or all violations, one finding per value or key. */
export type Checked<T> = { readonly value: T } | { readonly findings: readonly Finding[] }

/** Schemas of the maps that issues are about, which the issues themselves do not have. */
interface Schemas {
  /** List of unknown keys -> the known ones. */
  readonly keys: WeakMap<readonly string[], KnownKeys>
  /** What was expected, in words -> the schema. */
  readonly maps: Map<string, z.ZodObject>
}

/** Longer values are shortened in messages, in characters. */
const MAX_LENGTH = 80

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
}

/**
 * The result of zod; null if zod cannot handle the value: it compares `length` even of values that are not lists, and an object without a
 * prototype cannot be compared.
 */
export function lookAt<Output>(
  schema: z.ZodType<Output>,
  input: unknown,
  params?: Parameters<z.ZodType['safeParse']>[1],
): z.ZodSafeParseResult<Output> | null {
  try {
    return schema.safeParse(input, params)
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/** Parses with a schema; violations are worded like "expected this, not that". */
export function check<Output>(schema: z.ZodType<Output>, input: unknown, written: Written): Checked<Output> {
  const schemas: Schemas = { keys: new WeakMap(), maps: new Map() }
  const result = lookAt(schema, input, {
    reportInput: true,
    error(issue) {
      const message = expectation(issue)
      // Issues do not list the keys that an object knows; only here is the schema at hand.
      if (issue.inst instanceof z.ZodObject) {
        if (issue.code === 'unrecognized_keys') schemas.keys.set(issue.keys, keysOf(issue.inst))
        if (issue.code === 'invalid_type') schemas.maps.set(mapText(issue.inst), issue.inst)
      }
      return message
    },
  })
  if (result === null)
    return {
      findings: [{ path: [], isKey: false, message: 'a key "length" holds an object that cannot be compared' }],
    }
  if (result.success) return { value: result.data }
  const issues = result.error.issues.flatMap((issue) => flatten(issue, []))
  return { findings: issues.flatMap((issue) => findingsOf(issue, written, schemas)) }
}

function findingsOf(issue: Issue, written: Written, schemas: Schemas): Finding[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))
  if (issue.code === 'unrecognized_keys') {
    const kind = path.at(-1) === 'policies' ? 'policy' : 'key'
    return issue.keys.map((key) => {
      const hint = hintFor(key, schemas.keys.get(issue.keys))
      const further =
        kind === 'policy' && hint.startsWith('; expected') ? ', or one in a file listed in ownPolicies' : ''
      return { path: [...path, key], isKey: true, message: `unknown ${kind} ${JSON.stringify(key)}${hint}${further}` }
    })
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? issue.message
    return [{ path, isKey: true, message: withValue(message, JSON.stringify(path.at(-1))) }]
  }
  if (path.length === 0 && issue.input === null) return [{ path, isKey: false, message: `is empty; ${issue.message}` }]
  return [{ path, isKey: false, message: messageOf(issue, written(path), schemas) }]
}

function messageOf(issue: Issue, written: string | undefined, schemas: Schemas): string {
  if (issue.input === undefined) return `missing; ${issue.message}`
  // What a query said where a number is expected is no longer known.
  if (Number.isNaN(issue.input)) return issue.message
  if (written === undefined) return withValue(issue.message, show(issue.input)) + masked(meant(issue, schemas))
  if (issue.message.startsWith('expected ')) return withValue(issue.message, JSON.stringify(written))
  return `the value of ${JSON.stringify(written)} is not allowed here; the reason is omitted because it may contain the value`
}

function withValue(message: string, value: string): string {
  return message.startsWith('expected ') ? `${message}, not ${value}` : message
}

function meant(issue: Issue, { maps }: Schemas): string {
  const spelling = correctedValue(issue.message, issue.input) ?? meantMap(issue, maps)
  if (spelling !== undefined) return `; did you mean ${spelling}?`
  if (issue.input === null && issue.path.length > 0 && /a (?:map|list)/.test(issue.message))
    return '; its contents must be indented below it'
  const unknown = unknownName(issue)
  const name = unknown === null ? undefined : nearest(unknown.name, unknown.known)
  return name === undefined ? '' : `; did you mean ${JSON.stringify(name)}?`
}

function meantMap({ message, input }: Issue, maps: Schemas['maps']): string | undefined {
  if (typeof input !== 'number' && (typeof input !== 'string' || input.length > MAX_LENGTH)) return undefined
  const [schema, ...others] = [...maps].flatMap(([text, map]) => (message.includes(text) ? [map] : []))
  return schema === undefined || others.length > 0 ? undefined : mapWith(schema, input)
}

/** A text that is not among the known ones: the value itself, or what a policy's own schema has found in it. */
function unknownName(issue: Issue): { readonly name: string; readonly known: readonly string[] } | null {
  if (issue.code === 'custom') {
    const [name, known] = [fieldOf(issue.params, 'unknown'), itemsOf(fieldOf(issue.params, 'known'))]
    return typeof name === 'string' ? { name, known: known.filter((each) => typeof each === 'string') } : null
  }
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return null
  return { name: issue.input, known: issue.values.filter((value) => typeof value === 'string') }
}

/**
 * Replaces a union's issue by those of the intended branch: among the branches that accept this kind of value, the one with the fewest
 * issues. If no branch accepts it, a single issue lists everything that is allowed.
 */
function flatten(issue: Issue, prefix: readonly PropertyKey[]): Issue[] {
  const path = [...prefix, ...issue.path]
  if (issue.code !== 'invalid_union') return [{ ...issue, path }]
  const [meantBranch] = issue.errors
    .filter((branch) => !branch.some(isOtherKind))
    .toSorted((a, b) => a.length - b.length)
  if (meantBranch !== undefined && issue.input !== undefined)
    return meantBranch.flatMap((inner) => flatten(inner, path))
  const values = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_value' ? inner.values : []))
  return [{ ...issue, code: 'invalid_value', values, path, message: unionMessage(issue) }]
}

function isOtherKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
}

function unionMessage(issue: z.core.$ZodIssueInvalidUnion): string {
  if (issue.message.startsWith('expected ')) return issue.message
  const allowed = issue.errors.map((branch) => branch.find(isOtherKind)?.message.replace(/^expected /, ''))
  return `expected ${[...new Set(allowed.filter((text) => text !== undefined))].join(' or ')}`
}

function mapText(schema: z.ZodObject): string {
  return `a map with ${someOf(schema)}`
}

/** What is allowed, in words, for issues whose schema has no wording of its own. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type' && issue.inst instanceof z.ZodObject) return `expected ${mapText(issue.inst)}`
  if (issue.code === 'invalid_type') return `expected ${TYPES[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `expected ${oneOf(issue.values)}`
  if (issue.code === 'too_small') return `expected ${measure(issue.origin, 'at least', issue.minimum)}`
  if (issue.code === 'too_big') return `expected ${measure(issue.origin, 'at most', issue.maximum)}`
  return undefined
}

function measure(origin: string, relation: string, bound: number | bigint): string {
  if (origin === 'array') return `a list of ${relation} ${bound} ${bound === 1 ? 'item' : 'items'}`
  if (origin === 'string') return `text of ${relation} ${bound} ${bound === 1 ? 'character' : 'characters'}`
  return `a number of ${relation} ${bound}`
}

/** Removes the passwords of URLs, because problems are logged. */
function masked(text: string): string {
  return text.replace(/(:\/\/)[^\s/,"@]*:[^\s/,"@]*@/g, '$1[redacted]@')
}

function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 1)}…` : text)
}

function show(value: unknown): string {
  if (value === null) return 'nothing'
  if (typeof value === 'string') return quoted(masked(value))
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a map'
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`
}
