import type { Environment, ParseResult } from '@marcbachmann/cel-js'
import { messageOf } from '../../../core/error-facts.ts'
import { memoize } from '../../../core/memoize.ts'
import { compileLinear } from '../../../regexp/linear.ts'
import { cel } from './library.ts'
import { MATCHES, readRule, SPLIT } from './read-rule.ts'
import { placed, RuleProblem } from './rule-problem.ts'
import { type RuleVariables, VARIABLES } from './variables.ts'

/** A compiled access rule. */
export interface Rule {
  readonly text: string
  /** Names of the request headers that it refers to. */
  readonly fields: readonly string[]
  /** Names of path parameters without which it allows nothing. */
  readonly params: readonly string[]
  /** Whether it refers to the path or to path parameters. */
  readonly readsPath: boolean
  /** Whether it allows the request. Throws an Error if it cannot be evaluated, for example because of a missing claim. */
  allows(variables: RuleVariables): boolean
}

/** Most characters in a rule. */
const MAX_LENGTH = 2000
/** Most parts that a text may be split into. */
const MAX_PARTS = 100

const limits = { maxAstNodes: 500, maxDepth: 50, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 }

const patternOf = memoize(compileLinear)
let environment: Environment | null = null

/**
 * Compiles a rule, an expression in the Common Expression Language. Throws a RuleProblem that says what is wrong with it.
 *
 * 1. It is parsed, and may only refer to what exists.
 * 2. Its types are checked, and its result must be a boolean.
 */
export function compileRule(text: string): Rule {
  if (text.length > MAX_LENGTH) throw new RuleProblem(`has more than ${MAX_LENGTH} characters`)
  environment ??= createEnvironment()
  // 1.
  const parsed = parse(environment, text)
  const { fields, params, readsPath } = readRule(parsed.ast)
  // 2.
  const { valid, type = 'nothing', error } = parsed.check()
  if (!valid) throw problemOf(error)
  if (type !== 'bool' && type !== 'dyn') throw new RuleProblem(`results in ${type}; expected true or false`)
  return {
    text,
    fields,
    params,
    readsPath,
    allows(variables) {
      const result = evaluate(parsed, variables)
      if (typeof result !== 'boolean') throw new Error(`it results in ${typeof result}, neither true nor false`)
      return result
    },
  }
}

/** A missing value is an error even if it does not affect the result. The stack trace is of no use and would take most of the time. */
function evaluate(parsed: ParseResult, variables: RuleVariables): unknown {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return parsed(variables)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function createEnvironment(): Environment {
  const made = new (cel().Environment)({ limits })
  for (const [name, type] of Object.entries(VARIABLES))
    if (typeof type === 'string') made.registerVariable(name, type)
    else made.registerVariable({ name, schema: { ...type } })
  const isAsync = { async: false }
  made.registerFunction(`string.${MATCHES}(string): bool`, matches, isAsync)
  made.registerFunction(`string.${SPLIT}(string): list<string>`, split, isAsync)
  return made
}

function matches(text: string, pattern: string): boolean {
  return patternOf(pattern)(text)
}

function split(text: string, separator: string): string[] {
  const parts = text.split(separator, MAX_PARTS + 1)
  if (parts.length > MAX_PARTS) throw new Error(`a text has more than ${MAX_PARTS} parts`)
  return parts
}

function parse(made: Environment, text: string): ParseResult {
  try {
    return made.parse(text)
  } catch (error) {
    throw problemOf(error)
  }
}

/** The library reports positions as a multi-line drawing; this converts them to a position in a sentence. */
function problemOf(error: unknown): unknown {
  const { ParseError, TypeError: TypeProblem } = cel()
  if (!(error instanceof ParseError) && !(error instanceof TypeProblem)) return error
  const message = error.summary.replaceAll(MATCHES, 'matches').replaceAll(SPLIT, 'split')
  return new RuleProblem(placed(message, error.range?.start))
}

/** Kinds of errors whose messages contain only names and types, nothing from the request. */
const HARMLESS =
  /^(?:no_such_|no_matching_|unsupported_type|invalid_logical_operand|invalid_condition_type|field_type_mismatch)/

/** Why a rule could not be evaluated, for the log: without values from the request. */
export function reasonOf(error: unknown): string {
  const { EvaluationError } = cel()
  if (!(error instanceof EvaluationError)) return messageOf(error)
  return placed(HARMLESS.test(error.code) ? error.summary : error.code, error.range?.start)
}
