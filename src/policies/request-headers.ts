import { nginxVariable } from '../core/nginx-variable.ts'
import { changedFor } from './change-request.ts'
import { definePolicy } from './policy.ts'
import { compileHeaderEdits, editedFields, headerEdits } from './header-edits.ts'
import { readsRoute } from './template.ts'

/** Changes the headers that the service receives. */
export const requestHeaders = definePolicy({
  name: 'request-headers',
  summary: 'Sets, adds and removes headers of the request for the service.',
  options: headerEdits,
  changesRequests: true,
  fields: editedFields,
  decidesBy: () => 'nothing',
  warnings: ({ set, add }) =>
    Object.entries({ set, add }).flatMap(([key, fields]) =>
      Object.entries(fields).flatMap(([name, value]) => {
        const variable = nginxVariable(value)
        if (variable === undefined) return []
        const message = `"${variable}" stands for itself here: templates are written as in {client.address}`
        return [{ path: [key, name], message }]
      }),
    ),
  isShared: (options) => !readsRoute(options),
  create(options, _, route) {
    const edit = compileHeaderEdits(options, route, 'service')
    return (next) => changedFor(next, (exchange) => edit(exchange.headers, exchange))
  },
})
