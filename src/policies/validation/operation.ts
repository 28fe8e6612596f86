import type { Exchange } from '../../http/exchange.ts'
import { type BodyRule, checkHead, type Content, takeBody } from './body-rule.ts'
import { type Parameter, readHeaders, readPath, readQuery } from './parameters.ts'
import type { Check } from './schema.ts'
import type { Values } from './values.ts'
import { type Place, refusal } from './violations.ts'

/** The parameters in one place, and their requirements. */
export interface ParameterRule {
  readonly place: Exclude<Place, 'body'>
  readonly parameters: readonly Parameter[]
  readonly check: Check
}

/** The requirements for a request. */
export interface Operation {
  readonly parameters: readonly ParameterRule[]
  readonly body: BodyRule
}

/** The size passed for parameters: they are always small, like the head of a request. */
const SMALL = 0

/**
 * Checks a request; null if there is nothing to wait for. Throws, or rejects with, GatewayError.
 *
 * 1. What the head says about the body: its type, and whether there is one.
 * 2. The parameters.
 * 3. The body, which has not been requested from the client until here.
 */
export function checkRequest(
  exchange: Exchange,
  operation: Operation,
  params: Readonly<Record<string, string>>,
): Promise<void> | null {
  // 1. 2.
  const content = checkHeadAndParameters(exchange, operation, params)
  // 3.
  return takeBody(exchange, operation.body, content)
}

/** Checks everything in the head of a request. Returns the kind of its body, null if that is not to be checked. Throws GatewayError. */
export function checkHeadAndParameters(
  exchange: Exchange,
  { parameters, body }: Operation,
  params: Readonly<Record<string, string>>,
): Content | null {
  const content = checkHead(exchange, body)
  if (parameters.length > 0) checkParameters(exchange, parameters, params)
  return content
}

function checkParameters(
  exchange: Exchange,
  rules: readonly ParameterRule[],
  params: Readonly<Record<string, string>>,
): void {
  const violations = rules.flatMap(({ place, parameters, check }) => {
    return check(read(place, parameters, exchange, params), SMALL, place) ?? []
  })
  if (violations.length > 0)
    throw refusal('bad-request', 'A parameter of the request does not match its schema.', violations)
}

function read(
  place: ParameterRule['place'],
  parameters: readonly Parameter[],
  { query, headers }: Exchange,
  params: Readonly<Record<string, string>>,
): Values {
  if (place === 'query') return readQuery(query, parameters)
  return place === 'header' ? readHeaders(headers, parameters) : readPath(params, parameters)
}
