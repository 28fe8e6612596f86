import { isFields } from '../core/value.ts'
import type { GatewayConfig } from './schema.ts'
import { policies } from '../policies/index.ts'
import { isSecret, redactQuery } from '../telemetry/redact.ts'

/** Replaces a secret. */
export const MASK = '[redacted]'
/** Names of secrets that do not look like secrets. */
const NAMES = new Set(['sha256', 'cookie', 'set-cookie'])
/** Keys that hold secrets if they are below the name of a secret: an expression reveals as much as the value it describes. */
export const UNDER_SECRETS = new Set(['regex', 'values'])
/** User and password in a URL (RFC 3986 section 3.2.1). */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi
const QUERY = /\?[^#\s]*/g
/** Credentials with their scheme, as in Authorization, wherever they occur (RFC 9110 section 11.4). */
const CREDENTIALS = /^((?:basic|bearer|digest|negotiate|apikey|token) +).*$/is
/** Options do not nest deeper; anything deeper is a circular reference. */
const DEPTH = 32

const builtIn = new Set<string>(policies.map(({ name }) => name))

/** Whether a policy is built in, so that the meaning of its options is known. */
export function isBuiltIn(policy: string): boolean {
  return builtIn.has(policy)
}

/**
 * The configuration as plain data without secrets: texts and numbers under a name that suggests a secret, users and passwords in URLs, and
 * URL parameters are masked. In the options of custom policies, whose meaning is unknown, everything below such a name is masked too.
 */
export function maskedConfig(config: GatewayConfig): Record<string, unknown> {
  // Most routes share their policies with another route.
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

/** A map of texts, such as headers, with its secrets masked. */
export function maskedFields(fields: object, own: boolean, secret = false, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const hidden = isSecretName(name) || ((own || UNDER_SECRETS.has(name)) && secret)
      return [name, masked(value, own, hidden, depth + 1)]
    }),
  )
}

/** Whether the value under this name is secret. */
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
  // Other values in the options of custom policies, such as a Map, cannot be represented in JSON.
  return Object.prototype.toString.call(value)
}

/** The text with users and passwords in URLs, credentials, and parameters that look like secrets masked. */
export function maskedText(text: string): string {
  return text.replace(CREDENTIALS, `$1${MASK}`).replace(USER_INFO, `$1${MASK}@`).replace(QUERY, redactQuery)
}
