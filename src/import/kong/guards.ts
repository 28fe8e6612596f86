import { leftOut } from './plugins/left-out.ts'
import { translators } from './plugins/index.ts'
import type { PluginTranslator } from './plugin.ts'

const byName: ReadonlyMap<string, PluginTranslator> = new Map(
  translators.flatMap((translator) => translator.names.map((name) => [name, translator] as const)),
)

/** Translated plugins that control access or answer requests themselves. */
const GUARDS: ReadonlySet<string> = new Set([
  'acl',
  'basic-auth',
  'ip-restriction',
  'jwt',
  'key-auth',
  'key-auth-enc',
  'openid-connect',
  'oidc',
  'kong-oidc',
  'jwt-keycloak',
  'redirect',
  'request-termination',
])

/** The translator of a plugin; undefined if there is none. */
export function translatorOf(name: string): PluginTranslator | undefined {
  return byName.get(name)
}

/** Whether a route without the plugin might grant access or forward requests that it did not before; assumed for unknown plugins. */
export function isGuard(name: string): boolean {
  if (byName.has(name)) return GUARDS.has(name)
  return (Object.hasOwn(leftOut, name) ? leftOut[name]?.guards : undefined) ?? true
}
