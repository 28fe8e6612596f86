import { textsOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** bot-detection: nothing, because any client can send another User-Agent. */
export const botDetection: PluginTranslator = {
  names: ['bot-detection'],
  ignores: 'all',
  translate({ config, tell }) {
    const denied = [...textsOf(config['deny']), ...textsOf(config['blacklist'])]
    const own = denied.length === 0 ? '' : ` Its own patterns: ${denied.join(', ')}.`
    tell(
      'left out',
      `User agents are not checked: add a route with match.headers.user-agent, as { regex }, and a reply with 403.${own}`,
    )
    return {}
  },
}
