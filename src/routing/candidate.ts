import type { Headers } from '../http/headers.ts'
import { compareConditions, type Condition, type Conditions, type MatchLine } from './match.ts'
import { parameterNames } from './pattern.ts'

/** The route for a request. */
export interface RouteFound<T> {
  readonly found: true
  readonly value: T
  /** The text of the matching path pattern. */
  readonly pattern: string
  /** Values of the pattern's parameters, percent-decoded: a "%2F" in the path is a "/" here. */
  readonly params: Readonly<Record<string, string>>
}

/** Compiles a regular expression to a test. */
export type CompileRegex = (regex: string) => TextTest

type TextTest = (text: string) => boolean
type RequestTest = (path: string, headers: Headers, query: string) => boolean

/** A compiled line of the routing table. */
export interface Candidate<T> {
  /** Empty for every method. */
  readonly methods: readonly string[]
  /** Tests all conditions except the method; null if there are none. */
  readonly fits: RequestTest | null
  readonly parameters: readonly string[]
  readonly result: RouteFound<T>
  readonly conditions: Conditions
}

/** Candidates for one listener, host and path pattern, most specific first. */
export type Leaf<T> = Candidate<T>[]

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({})

/** Throws UnusablePattern. */
export function candidateFor<T>(line: MatchLine<T>, compile: CompileRegex): Candidate<T> {
  const { methods, value, pattern } = line
  return {
    methods,
    fits: requestTest(line, compile),
    parameters: parameterNames(pattern.segments),
    result: { found: true, value, pattern: pattern.text, params: NO_PARAMS },
    conditions: line,
  }
}

/** Inserts a candidate into its leaf, after all candidates that are at least as specific. */
export function insert<T>(leaf: Leaf<T>, candidate: Candidate<T>): void {
  const { conditions } = candidate
  const less = leaf.findIndex((other) => compareConditions(conditions, other.conditions) < 0)
  leaf.splice(less === -1 ? leaf.length : less, 0, candidate)
}

function requestTest({ pathRegex, headers, query }: Conditions, compile: CompileRegex): RequestTest | null {
  const fitsPath = pathRegex === null ? null : compile(pathRegex)
  const fields = headers.map((condition) => fieldTest(condition, compile))
  const parameters = query.map((condition) => parameterTest(condition, compile))
  if (fitsPath === null && fields.length === 0 && parameters.length === 0) return null
  return (path, received, text) => {
    for (const fits of fields) if (!fits(received)) return false
    if (fitsPath !== null && !fitsPath(path)) return false
    return parameters.every((fits) => fits(parametersOf(text)))
  }
}

function fieldTest(condition: Condition, compile: CompileRegex): (headers: Headers) => boolean {
  const { name } = condition
  const fits = valueTest(condition, compile)
  if (fits === null) return (headers) => headers.has(name)
  return (headers) => headers.getAll(name).some(fits)
}

function parameterTest(condition: Condition, compile: CompileRegex): (values: URLSearchParams) => boolean {
  const { name } = condition
  const fits = valueTest(condition, compile)
  if (fits === null) return (values) => values.has(name)
  return (values) => values.getAll(name).some(fits)
}

/** Null if any value matches. */
function valueTest({ values, regex }: Condition, compile: CompileRegex): TextTest | null {
  const [only] = values
  if (regex !== null) return compile(regex)
  if (only === undefined) return null
  if (values.length === 1) return (value) => value === only
  const known = new Set(values)
  return (value) => known.has(value)
}

/** The last parsed query: several routes may have conditions on the same one. */
let last = { text: '', values: new URLSearchParams() }

function parametersOf(text: string): URLSearchParams {
  if (last.text !== text) last = { text, values: new URLSearchParams(text) }
  return last.values
}
