import { isFieldValue } from '../../../core/field.ts'
import { numberOf, textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** request-termination: the reply of a route. */
export const requestTermination: PluginTranslator = {
  names: ['request-termination'],
  ignores: ['content_type'],
  translate({ config, tell }) {
    if (textOf(config['trigger']) !== undefined) {
      tell('left out', 'trigger is not supported: add a route with match.headers or match.query, and a reply.')
      return {}
    }
    if (textOf(config['echo']) === 'true') tell('different', 'echo was left out.')
    const status = numberOf(config['status_code']) ?? 503
    const isStatus = Number.isInteger(status) && status >= 200 && status <= 599
    if (!isStatus) tell('different', `The status ${status} is not valid here: 503 is used.`)
    const text = textOf(config['body'])
    const message = textOf(config['message'])
    const body = text ?? (message === undefined ? null : JSON.stringify({ message }))
    const type =
      textOf(config['content_type']) ??
      (text === undefined ? 'application/json; charset=utf-8' : 'text/plain; charset=utf-8')
    return {
      target: {
        reply: {
          status: isStatus ? status : 503,
          ...(body !== null && {
            headers: { 'Content-Type': isFieldValue(type) ? type : 'text/plain; charset=utf-8' },
            body,
          }),
        },
      },
    }
  },
}
