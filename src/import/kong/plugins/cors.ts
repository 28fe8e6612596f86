import { isToken } from '../../../core/field.ts'
import { originPattern } from '../../../policies/origins.ts'
import { durationText, flagOf, numberOf, textsOf } from '../../read.ts'
import { hasVariable } from '../../variables.ts'
import type { PluginTranslator, PluginUse } from '../plugin.ts'

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS']
/** The default in browsers, in milliseconds. */
const BROWSERS = 5_000

/** cors: cors. */
export const cors: PluginTranslator = {
  names: ['cors'],
  ignores: ['allow_origin_absent'],
  translate(use) {
    const { config, tell } = use
    const origins = originsOf(use)
    if (origins === null) return {}
    const methods = textsOf(config['methods'])
      .map((method) => method.toUpperCase())
      .filter((method) => isToken(method))
    const headers = textsOf(config['headers']).filter((name) => isToken(name))
    const exposed = textsOf(config['exposed_headers']).filter((name) => isToken(name))
    const wantsCredentials = flagOf(config['credentials']) ?? false
    const credentials = wantsCredentials && !origins.includes('*')
    if (wantsCredentials && !credentials)
      tell(
        'different',
        'credentials: true with every origin lets any website act for its visitors, so it was left out. List the origins, and set credentials: true.',
      )
    if (credentials && exposed.includes('*'))
      tell('narrower', 'exposed_headers "*" has no effect with credentials, and was left out.')
    if (flagOf(config['preflight_continue']) === true)
      tell('different', 'preflight_continue was left out: the gateway answers preflight requests itself.')
    const readable = credentials ? exposed.filter((name) => name !== '*') : exposed
    const age = numberOf(config['max_age'])
    return {
      policies: {
        cors: {
          origins,
          methods: methods.length === 0 ? METHODS : methods,
          headers: headers.length === 0 ? ['*'] : headers,
          ...(readable.length > 0 && { exposedHeaders: readable }),
          ...(credentials && { credentials }),
          maxAge: age === undefined || age < 0 ? durationText(BROWSERS) : age === 0 ? '0s' : durationText(age * 1000),
          ...(flagOf(config['private_network']) === true && { privateNetwork: true }),
        },
      },
    }
  },
}

/** The origins that can be imported; null if there were some but none of them can. */
function originsOf({ config, tell }: PluginUse): string[] | null {
  const written = textsOf(config['origins'])
  if (written.length === 0 || written.includes('*')) return ['*']
  const origins = written.flatMap((text) => {
    const origin = originOf(text)
    if (origin !== null) return [origin]
    tell(
      written.length === 1 ? 'left out' : 'narrower',
      `The origin ${text} was left out: list origins, with wildcards such as https://*.example.com.`,
    )
    return []
  })
  if (origins.length > 0) return [...new Set(origins)]
  tell('left out', 'No origin is left, so the cors policy was left out: list the origins.')
  return null
}

/** Kong treats an origin with other characters as an expression. */
function originOf(text: string): string | null {
  if (hasVariable(text)) return text
  const plain = text.replace(/\/$/, '')
  if (originPattern.safeParse(plain).success) return plain
  const below =
    /^\^?https:\/\/(?:\.\*|\(\.\*\)|\[[^\]]+\]\+|\(\[[^\]]+\]\+\))\\?\.((?:[a-z0-9-]+\\?\.)+[a-z]+)\$?$/i.exec(
      text,
    )?.[1]
  return below === undefined ? null : `https://*.${below.replaceAll('\\', '')}`
}
