import { isToken, isWireField } from '../../../core/field.ts'
import { flagOf, textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** correlation-id: correlation-id. */
export const correlationId: PluginTranslator = {
  names: ['correlation-id'],
  translate({ config, tell }) {
    const written = textOf(config['header_name']) ?? 'Kong-Request-ID'
    const isName = isToken(written) && !isWireField(written)
    if (!isName) tell('different', `${written} is not a valid header name: X-Correlation-ID is used.`)
    const generator = textOf(config['generator']) ?? 'uuid#counter'
    if (generator !== 'uuid') tell('different', `Ids are plain UUIDs. The generator ${generator} is not supported.`)
    if (flagOf(config['echo_downstream']) !== true) tell('different', 'Clients get the ID in every reply, too.')
    return { policies: { 'correlation-id': { header: isName ? written : 'X-Correlation-ID' } } }
  },
}
