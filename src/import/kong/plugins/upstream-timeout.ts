import { durationText, numberOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** upstream-timeout: timeouts of the route. */
export const upstreamTimeout: PluginTranslator = {
  names: ['upstream-timeout'],
  translate({ config, tell }) {
    const read = numberOf(config['read_timeout'])
    if (numberOf(config['connect_timeout']) !== undefined || numberOf(config['send_timeout']) !== undefined)
      tell('different', 'connect_timeout and send_timeout were left out: those of the service apply.')
    return read === undefined ? {} : { timeouts: { response: durationText(read), idle: durationText(read) } }
  },
}
