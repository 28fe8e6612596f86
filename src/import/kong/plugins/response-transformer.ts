import type { PluginTranslator } from '../plugin.ts'
import { bodyEditsOf } from './body-edits.ts'
import { headerEditsOf } from './header-edits.ts'

/** response-transformer: response-headers, and transform for JSON bodies. */
export const responseTransformer: PluginTranslator = {
  names: ['response-transformer', 'response-transformer-advanced'],
  translate(use) {
    const headers = headerEditsOf(use)
    const body = bodyEditsOf(use, 'json')
    if (body !== null)
      use.tell(
        'different',
        'If the JSON of a reply cannot be changed, the client gets 502 instead of the unchanged reply.',
      )
    return {
      policies: {
        ...(headers !== null && { 'response-headers': headers }),
        ...(body !== null && { transform: { response: { body } } }),
      },
    }
  },
}
