import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { oneOrMore } from '../../core/one-or-more.ts'
import { memoize } from '../../core/memoize.ts'
import type { Consumer, Exchange } from '../../http/exchange.ts'
import type { OptionsWarning } from '../policy.ts'
import { ambiguousPath, formsOf, READ_AMBIGUOUSLY, SPELLED_AMBIGUOUSLY } from '../../http/path-forms.ts'
import { Headers } from '../../http/headers.ts'
import { createRouter } from '../../routing/router.ts'
import { compileRule, reasonOf, type Rule } from './rules/rule.ts'
import { ruleText } from './rules/rule-text.ts'
import { type PathForm, RuleVariables } from './rules/variables.ts'

/** RFC 6749 section 3.3: the characters of a scope, which also appears in a WWW-Authenticate header. */
const scope = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'expected a scope: printable ASCII without spaces, quotes and backslashes')

/** Schema of what a caller must have. */
export const requirement = z.strictObject({
  roles: z
    .string()
    .min(1)
    .array()
    .default([])
    .describe('Roles; the caller needs one of them. Default none.')
    .meta({ examples: [['admin', 'editor']] }),
  scopes: scope
    .array()
    .default([])
    .describe('Scopes; the token needs all of them. Default none.')
    .meta({ examples: [['orders:read']] }),
  allow: oneOrMore(ruleText)
    .default([])
    .describe(
      'Rules all of which must allow the request: expressions (CEL) over consumer, claims, params, method, path, host, scheme, query, ' +
        'headers, address and time, such as claims.org == params.org. A rule that cannot be evaluated, for example because a claim is missing, allows nothing. Default none.',
    )
    .meta({ examples: [["'editor' in consumer.roles || method == 'GET'"]] }),
})

type Requirement = z.output<typeof requirement>

/** The same, read-only. */
type Required = { readonly [Key in keyof Requirement]: readonly string[] }

/** What a caller does not have. */
export interface Lacking {
  /** The message for the client. */
  readonly message: string
  /** The required scopes; empty if something else is missing. */
  readonly scopes: readonly string[]
  /** The rule that was not met, for the log only. */
  readonly cause?: Error
}

/**
 * Returns what a caller lacks for a request, or null if nothing. Throws GatewayError 'bad-request' for a path that can be
 * interpreted in two ways.
 */
export type Requires = (consumer: Consumer, exchange: Exchange) => Lacking | null

/** Whether anything is required at all. */
export function requiresAnything({ roles, scopes, allow }: Required): boolean {
  return roles.length + scopes.length + allow.length > 0
}

/** Names of the request headers that the rules refer to. */
export function fieldsOfRules({ allow }: Requirement): string[] {
  return allow.flatMap((text) => compileRule(text).fields)
}

/** Warnings about rules on a route with these paths. */
export function warningsOfRules({ allow }: Requirement, patterns: readonly string[]): OptionsWarning[] {
  return allow.flatMap((text) => {
    const missing = compileRule(text).params.filter((name) => !patterns.every((path) => path.includes(`{${name}}`)))
    return missing.map((name) => ({
      path: ['require', 'allow'],
      message: `a path of the route has no {${name}}: the rule allows nothing there. Add the parameter to the path, or test has(params.${name}) first.`,
    }))
  })
}

/** Compiles the requirements; null if there are none. */
export function compileRequirement(
  required: Requirement,
  tools: { readonly clock: Clock; readonly log: Logger },
): Requires | null {
  if (!requiresAnything(required)) return null
  const { roles, scopes } = required
  const role: Lacking = { message: 'The caller does not have a role that is allowed here', scopes: [] }
  const missingScope: Lacking = { message: 'The token does not have the required scopes', scopes }
  const rules = required.allow.map((text) => compileCheck(compileRule(text), tools))
  return (consumer, exchange) => {
    if (roles.length > 0 && !roles.some((name) => consumer.roles.includes(name))) return role
    if (!scopes.every((name) => consumer.scopes.includes(name))) return missingScope
    for (const rule of rules) {
      const lacking = rule(consumer, exchange)
      if (lacking !== null) return lacking
    }
    return null
  }
}

/** A router that extracts the parameters of a path matching the pattern. */
const routerOf = memoize((pattern) => createRouter([{ match: { path: [pattern] }, value: null }]))

/** Another form of the path of an exchange. A form that the route's pattern does not match has no parameters. */
function formOf({ route, method, params }: Exchange, path: string): PathForm {
  const match = routerOf(route.pattern).find('', path, method, Headers.of(), '')
  return { path, params: match.found ? match.params : params }
}

/** Turns a rule into a requirement. A rule that depends on the path must give the same result for every form of the path. */
function compileCheck(rule: Rule, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Requires {
  const message = 'The request is not allowed by the rules of this route'
  const refused: Lacking = { message, scopes: [], cause: new Error(`the rule ${rule.text} does not allow it`) }
  let isLogged = false

  function allows(consumer: Consumer, exchange: Exchange, form: PathForm): boolean {
    try {
      return rule.allows(new RuleVariables(exchange, consumer, clock, rule.fields, form))
    } catch (error) {
      if (!isLogged)
        log.warn({ rule: rule.text, reason: reasonOf(error) }, 'A rule cannot be evaluated: the request is refused')
      isLogged = true
      return false
    }
  }

  return (consumer, exchange) => {
    const isAllowed = allows(consumer, exchange, exchange)
    const forms = rule.readsPath ? formsOf(exchange) : null
    if (forms !== null) {
      const differs = (path: string): boolean => allows(consumer, exchange, formOf(exchange, path)) !== isAllowed
      if (forms.written !== null && differs(forms.written)) throw ambiguousPath(SPELLED_AMBIGUOUSLY)
      if (forms.others.some(differs)) throw ambiguousPath(READ_AMBIGUOUSLY)
    }
    return isAllowed ? null : refused
  }
}
