import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { oneOrMore } from '../../core/one-or-more.ts'
import { remember } from '../../core/remember.ts'
import type { Consumer, Exchange } from '../../http/exchange.ts'
import type { OptionsWarning } from '../policy.ts'
import { ambiguousPath, formsOf, READ_AMBIGUOUSLY, SPELLED_AMBIGUOUSLY } from '../../http/path-forms.ts'
import { Headers } from '../../http/headers.ts'
import { createRouter } from '../../routing/router.ts'
import { compileRule, reasonOf, type Rule } from './rules/rule.ts'
import { ruleText } from './rules/rule-text.ts'
import { type PathForm, RuleVariables } from './rules/variables.ts'

/** RFC 6749 section 3.3: what a scope is made of; it stands in a WWW-Authenticate field. */
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
        'headers, address and time, such as claims.org == params.org. What cannot be said, as of a claim that is not there, is not allowed. Default none.',
    )
    .meta({ examples: [["'editor' in consumer.roles || method == 'GET'"]] }),
})

type Requirement = z.output<typeof requirement>

/** The same, to be read only. */
type Required = { readonly [Key in keyof Requirement]: readonly string[] }

/** What a caller does not have. */
export interface Lacking {
  /** For the client. */
  readonly message: string
  /** The scopes that are required; empty where it is something else that is missing. */
  readonly scopes: readonly string[]
  /** Which rule it was, for the log alone. */
  readonly cause?: Error
}

/** Tells what a caller lacks for a request, or null where it lacks nothing. Throws GatewayError 'bad-request' for a path that can be read in two ways. */
export type Requires = (consumer: Consumer, exchange: Exchange) => Lacking | null

/** Whether anything is required at all. */
export function requiresAnything({ roles, scopes, allow }: Required): boolean {
  return roles.length + scopes.length + allow.length > 0
}

/** Names of the request fields that rules speak of. */
export function fieldsOfRules({ allow }: Requirement): string[] {
  return allow.flatMap((text) => compileRule(text).fields)
}

/** What is worth a warning of rules on a route with such paths. */
export function warningsOfRules({ allow }: Requirement, patterns: readonly string[]): OptionsWarning[] {
  return allow.flatMap((text) => {
    const missing = compileRule(text).params.filter((name) => !patterns.every((path) => path.includes(`{${name}}`)))
    return missing.map((name) => ({
      path: ['require', 'allow'],
      message: `a path of the route has no {${name}}: the rule allows nothing there. Name the parameter in the path, or ask has(params.${name}) first.`,
    }))
  })
}

/** Compiles what is required; null in place of the function where nothing is. */
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

/** Finds the parameters of a path that takes the pattern. */
const routerOf = remember((pattern) => createRouter([{ match: { path: [pattern] }, value: null }]))

/** Another form of the path of an exchange. One that does not take the path of its route has other parameters nowhere. */
function formOf({ route, method, params }: Exchange, path: string): PathForm {
  const match = routerOf(route.pattern).find('', path, method, Headers.of(), '')
  return { path, params: match.found ? match.params : params }
}

/** A rule as a requirement. One that goes by the path has to say the same of each form that the path has. */
function compileCheck(rule: Rule, { clock, log }: { readonly clock: Clock; readonly log: Logger }): Requires {
  const message = 'The request is not allowed by the rules of this route'
  const refused: Lacking = { message, scopes: [], cause: new Error(`the rule ${rule.text} does not allow it`) }
  let isLogged = false

  function allows(consumer: Consumer, exchange: Exchange, form: PathForm): boolean {
    try {
      return rule.allows(new RuleVariables(exchange, consumer, clock, rule.fields, form))
    } catch (error) {
      if (!isLogged)
        log.warn(
          { rule: rule.text, reason: reasonOf(error) },
          'A rule cannot be followed: what it decides about is refused',
        )
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
