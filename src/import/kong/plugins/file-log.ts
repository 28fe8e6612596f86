import { textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** file-log: the access log. */
export const fileLog: PluginTranslator = {
  names: ['file-log'],
  ignores: 'all',
  translate({ config, tell }) {
    const path = textOf(config['path'])
    const where =
      path === undefined || /^\/dev\/std(?:out|err)$/.test(path) ? '' : ` To write to ${path}, set log.file.`
    tell(
      'different',
      `The access log is built in: a line of JSON for each request, on standard output, with other names. See docs/logging.md.${where}`,
    )
    return {}
  },
}
