import type { ASTNode } from '@marcbachmann/cel-js'
import { messageOf } from '../../../core/error-facts.ts'
import { isToken } from '../../../core/field.ts'
import { compileLinear } from '../../../regexp/linear.ts'
import { placed, RuleProblem } from './rule-problem.ts'
import { VARIABLES } from './variables.ts'

/** Replaces `matches`, which the library evaluates with V8's regular expressions in unbounded time. */
export const MATCHES = 'matchesInLinearTime'
/** Replaces `split`, which creates lists of any length. */
export const SPLIT = 'splitIntoFewParts'

/** What a rule refers to. */
export interface RuleFacts {
  /** Names of request headers. */
  readonly fields: readonly string[]
  /** Names of path parameters without which the rule cannot decide. */
  readonly params: readonly string[]
  /** Whether it refers to the path or to path parameters. */
  readonly readsPath: boolean
}

const FUNCTIONS = ['has', 'size', 'int', 'double', 'string', 'timestamp', 'duration']
/** Methods that visit each item of a list: nesting them would multiply the lengths of the lists. */
const QUANTIFIERS = ['all', 'exists', 'exists_one']
const OF_TEXTS = [
  'contains',
  'startsWith',
  'endsWith',
  'matches',
  'split',
  'join',
  'lowerAscii',
  'upperAscii',
  'trim',
  'size',
]
const OF_TIMES = ['getFullYear', 'getMonth', 'getDate', 'getDayOfWeek', 'getHours', 'getMinutes', 'getSeconds']
const METHODS = [...QUANTIFIERS, ...OF_TEXTS, ...OF_TIMES]
const REPLACED: Readonly<Record<string, string>> = { matches: MATCHES, split: SPLIT }

/** What has been found so far, and the position of the reader. */
interface Reading {
  readonly fields: Set<string>
  readonly params: Set<string>
  /** Parameters whose presence the rule tests before it uses them. */
  readonly tested: Set<string>
  readonly seen: Set<string>
  /** The variable of the enclosing quantifier; null outside of one. */
  readonly item: string | null
}

/**
 * Visits each part of a rule before its types are checked. Throws a RuleProblem for unknown names and for anything that could take
 * long: only the functions listed above may be called, so the time is bounded by the length of the rule times that of the request.
 */
export function readRule(ast: ASTNode): RuleFacts {
  const reading: Reading = { fields: new Set(), params: new Set(), tested: new Set(), seen: new Set(), item: null }
  read(ast, reading)
  const { fields, params, tested, seen } = reading
  const readsPath = seen.has('path') || seen.has('params')
  return { fields: [...fields], params: [...params].filter((name) => !tested.has(name)), readsPath }
}

function read(node: ASTNode, reading: Reading): void {
  switch (node.op) {
    case 'value':
      return
    case 'id':
      return readName(node, node.args, reading)
    case '.':
      if (readField(node, node.args[0], node.args[1], reading)) return
      return read(node.args[0], reading)
    case '[]':
      if (readField(node, node.args[0], literalOf(node.args[1]), reading)) return
      return readAll(node.args, reading)
    case 'in':
      if (readField(node, node.args[1], literalOf(node.args[0]), reading)) return
      return readAll(node.args, reading)
    case 'call':
      if (!FUNCTIONS.includes(node.args[0])) throw unknown('function', node.args[0], FUNCTIONS, node)
      return readAll(node.args[1], node.args[0] === 'has' ? { ...reading, params: reading.tested } : reading)
    case 'rcall':
      return readMethod(node, node.args, reading)
    case 'map':
      return readAll(node.args.flat(), reading)
    case '!_':
    case '-_':
      return read(node.args, reading)
    case '?:':
    case 'list':
      return readAll(node.args, reading)
    case '.?':
    case '[?]':
      throw new RuleProblem(placed('optional access is not supported', node.pos))
    case '||':
    case '&&':
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return readAll(node.args, reading)
  }
}

function readAll(nodes: readonly ASTNode[], reading: Reading): void {
  for (const node of nodes) read(node, reading)
}

function readName(node: ASTNode, name: string, { seen, item }: Reading): void {
  if (name === item) return
  if (!Object.hasOwn(VARIABLES, name)) throw unknown('name', name, Object.keys(VARIABLES), node)
  if (name === 'headers')
    throw new RuleProblem(placed('headers can only be accessed by name, as in headers["x-tenant"]', node.pos))
  seen.add(name)
}

/** Whether `owner` is the request headers, one of which is accessed. Records path parameters. */
function readField(node: ASTNode, owner: ASTNode, name: string | null, { fields, params, item }: Reading): boolean {
  if (owner.op !== 'id' || owner.args === item) return false
  if (owner.args === 'params' && name !== null && node.op !== 'in') params.add(name)
  if (owner.args !== 'headers' || name === null || !isToken(name)) return false
  if (name !== name.toLowerCase())
    throw new RuleProblem(placed(`names of headers must be in lower case: "${name.toLowerCase()}"`, node.pos))
  fields.add(name)
  return true
}

function literalOf(node: ASTNode): string | null {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : null
}

type Call = [method: string, receiver: ASTNode, args: ASTNode[]]

function readMethod(node: ASTNode, call: Call, reading: Reading): void {
  const [method, receiver, args] = call
  if (!METHODS.includes(method)) throw unknown('method', method, METHODS, node)
  read(receiver, reading)
  if (QUANTIFIERS.includes(method)) return readQuantifier(node, args, reading)
  readAll(args, reading)
  if (method === 'matches') checkPattern(node, args[0])
  call[0] = REPLACED[method] ?? method
}

function readQuantifier(node: ASTNode, [variable, predicate]: ASTNode[], reading: Reading): void {
  if (reading.item !== null) throw new RuleProblem(placed('all and exists cannot be nested', node.pos))
  if (variable?.op !== 'id' || predicate === undefined) return
  read(predicate, { ...reading, item: variable.args })
}

/** Data sent by a client is never used as a pattern. */
function checkPattern(node: ASTNode, argument: ASTNode | undefined): void {
  const pattern = argument === undefined ? null : literalOf(argument)
  if (pattern === null) throw new RuleProblem(placed('matches needs a pattern in quotes', node.pos))
  try {
    compileLinear(pattern)
  } catch (error) {
    throw new RuleProblem(placed(`the pattern ${messageOf(error)}`, node.pos))
  }
}

function unknown(kind: string, name: string, known: readonly string[], node: ASTNode): RuleProblem {
  return new RuleProblem(placed(`unknown ${kind} "${name}"`, node.pos), { name, known })
}
