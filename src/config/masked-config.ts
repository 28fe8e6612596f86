import { isFields } from '../core/value.ts'
import type { GatewayConfig } from './schema.ts'
import { policies } from '../policies/index.ts'
import { isSecret, redactQuery } from '../telemetry/redact.ts'

/** What stands in the place of a secret. */
export const MASK = '[redacted]'
/** Names of secrets that do not look like one. */
const NAMES = new Set(['sha256', 'cookie', 'set-cookie'])
/** What holds a secret where it stands under a name of one: an expression says as much as the value that it describes. */
export const UNDER_SECRETS = new Set(['regex', 'values'])
/** User and password in a URL (RFC 3986 section 3.2.1). */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi
const QUERY = /\?[^#\s]*/g
/** Credentials with their scheme, as Authorization has them, wherever they stand (RFC 9110 section 11.4). */
const CREDENTIALS = /^((?:basic|bearer|digest|negotiate|apikey|token) +).*$/is
/** Options are no deeper: what is refers to itself. */
const DEPTH = 32

const builtIn = new Set<string>(policies.map(({ name }) => name))

/** Whether a policy is one of the gateway's own, the meaning of whose options is known. */
export function isBuiltIn(policy: string): boolean {
  return builtIn.has(policy)
}

/**
 * The configuration as plain data in which nothing is secret: texts and numbers under a name that speaks of a secret,
 * users and passwords in URLs, and parameters of URLs are masked. What lies below such a name in the options of a policy
 * of the user's own, whose meaning is not known, is masked too.
 */
export function maskedConfig(config: GatewayConfig): Record<string, unknown> {
  // Most routes have the policies of some other one.
  const known = new Map<object, Record<string, unknown>>()
  const policiesOf = (all: object): Record<string, unknown> => {
    const shown = known.get(all) ?? maskedPolicies(all)
    known.set(all, shown)
    return shown
  }
  const routes = config.routes.map(({ policies: all, ...route }) => {
    const shown = maskedFields(route, false)
    shown['policies'] = policiesOf(all)
    return shown
  })
  const { routes: _, policies: all, ...rest } = config
  return { ...maskedFields(rest, false), policies: policiesOf(all), routes }
}

/** A map of texts, such as header fields, without those that are secret. */
export function maskedFields(fields: object, own: boolean, secret = false, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const hidden = isSecretName(name) || ((own || UNDER_SECRETS.has(name)) && secret)
      return [name, masked(value, own, hidden, depth + 1)]
    }),
  )
}

/** Whether what stands under a name is secret. */
export function isSecretName(name: string): boolean {
  return isSecret(name) || NAMES.has(name.toLowerCase())
}

function maskedPolicies(all: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(all).map(([name, options]) => [name, masked(options, !builtIn.has(name), false, 0)]),
  )
}

function masked(value: unknown, own: boolean, secret: boolean, depth: number): unknown {
  if (depth > DEPTH) return MASK
  if (typeof value === 'string') return secret ? MASK : maskedText(value)
  if (typeof value === 'number') return secret ? MASK : value
  if (typeof value === 'boolean' || value === null || value === undefined) return value
  if (Array.isArray(value)) return value.map((item) => masked(item, own, secret, depth + 1))
  if (isFields(value) && Object.getPrototypeOf(value) === Object.prototype)
    return maskedFields(value, own, secret, depth)
  // What else the options of a policy of the user's own may hold, such as a Map, has no form in JSON.
  return Object.prototype.toString.call(value)
}

/** A text without users and passwords in URLs, credentials, and parameters that look like secrets. */
export function maskedText(text: string): string {
  return text.replace(CREDENTIALS, `$1${MASK}`).replace(USER_INFO, `$1${MASK}@`).replace(QUERY, redactQuery)
}
