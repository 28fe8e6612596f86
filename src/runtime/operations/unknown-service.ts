import { nearest } from '../../config/suggest.ts'
import { GatewayError } from '../../core/errors.ts'

/** The error for the name of a service that an operator gave, with the one that was probably meant. */
export function unknownService(name: string, services: readonly { readonly service: string }[]): GatewayError {
  const meant = nearest(
    name,
    services.map(({ service }) => service),
  )
  const advice = meant === undefined ? '.' : `; did you mean ${JSON.stringify(meant)}?`
  return new GatewayError('not-found', `There is no service ${JSON.stringify(name)}${advice}`)
}
