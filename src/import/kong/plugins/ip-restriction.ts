import { isNetwork } from '../../../core/network-list.ts'
import { numberOf, textOf, textsOf } from '../../read.ts'
import { closed, type PluginTranslator, type PluginUse } from '../plugin.ts'

/** ip-restriction: ip-access. */
export const ipRestriction: PluginTranslator = {
  names: ['ip-restriction'],
  translate(use) {
    const { config, tell } = use
    const allow = networksOf(use, [...textsOf(config['allow']), ...textsOf(config['whitelist'])])
    const deny = networksOf(use, [...textsOf(config['deny']), ...textsOf(config['blacklist'])])
    if (allow === null || deny === null) return closed(use, 'None of its addresses is valid.')
    const status = numberOf(config['status']) ?? 403
    if (status !== 403 || textOf(config['message']) !== undefined)
      tell('different', 'Refused clients get 403 with a problem document, not the configured status and message.')
    if (allow.length + deny.length === 0) {
      tell('left out', 'It names no addresses.')
      return {}
    }
    return { policies: { 'ip-access': { ...(allow.length > 0 && { allow }), ...(deny.length > 0 && { deny }) } } }
  },
}

/** Null if there were some but none can be imported. */
function networksOf({ tell }: PluginUse, written: readonly string[]): string[] | null {
  const networks = written.filter((text) => isNetwork(text))
  if (networks.length < written.length)
    tell(
      'narrower',
      `Not an address or network, so left out: ${written.filter((text) => !isNetwork(text)).join(', ')}.`,
    )
  return written.length > 0 && networks.length === 0 ? null : [...new Set(networks)]
}
