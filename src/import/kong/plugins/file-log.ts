import { textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** file-log: the access log. */
export const fileLog: PluginTranslator = {
  names: ['file-log'],
  ignores: 'all',
  translate({ config, tell }) {
    const path = textOf(config['path'])
    const where = path === undefined || /^\/dev\/std(?:out|err)$/.test(path) ? '' : ` log.file writes to ${path}.`
    tell(
      'different',
      `Each request is a line of JSON on the standard output without it, with other names: see docs/logging.md.${where}`,
    )
    return {}
  },
}
