import { isToken, isWireField } from '../../../core/field.ts'
import { flagOf, textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** correlation-id: correlation-id. */
export const correlationId: PluginTranslator = {
  names: ['correlation-id'],
  translate({ config, tell }) {
    const written = textOf(config['header_name']) ?? 'Kong-Request-ID'
    const isName = isToken(written) && !isWireField(written)
    if (!isName) tell('different', `${written} is no name of a field: X-Correlation-ID has the id.`)
    const generator = textOf(config['generator']) ?? 'uuid#counter'
    if (generator !== 'uuid') tell('different', `An id is a UUID, and not as ${generator} makes it.`)
    if (flagOf(config['echo_downstream']) !== true) tell('different', 'Clients get the id as well, in every reply.')
    return { policies: { 'correlation-id': { header: isName ? written : 'X-Correlation-ID' } } }
  },
}
