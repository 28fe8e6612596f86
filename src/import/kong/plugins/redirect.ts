import { flagOf, numberOf, textOf } from '../../read.ts'
import { closed, type PluginTranslator } from '../plugin.ts'

const STATUSES: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** redirect: the redirect of a route. */
export const redirect: PluginTranslator = {
  names: ['redirect'],
  translate(use) {
    const { config, tell } = use
    const location = textOf(config['location']) ?? ''
    const status = numberOf(config['status_code']) ?? 301
    if (!/^(?:https?:\/\/[!-z|~]+|\/[!-z|~]*)$/.test(location))
      return closed(use, `${location} is not a valid location.`)
    if (!STATUSES.has(status)) tell('different', `The status ${status} is not a redirect: 301 is used.`)
    const keepsPath = flagOf(config['keep_incoming_path']) ?? false
    const to = keepsPath ? `${location.replace(/\/$/, '')}{path}` : location.replace(/\/\*$/, '/%2A')
    return {
      target: {
        redirect: { to, status: STATUSES.has(status) ? status : 301, ...(!keepsPath && { query: false }) },
      },
    }
  },
}
