import { linesOf } from '../http/field-lines.ts'
import { appendLines, replaceLines } from '../http/headers.ts'
import { z } from 'zod'
import { definePolicy } from './policy.ts'
import { editReplies } from '../http/handler.ts'
import { NameSet } from '../http/name-set.ts'
import { newUuid } from '../core/uuid.ts'
import { fieldName } from './field-name.ts'

/**
 * Characters that need no escaping in a header, a log line or a shell, and always form a valid relative reference for a problem's
 * `instance`.
 */
const ACCEPTED = /^[A-Za-z0-9][A-Za-z0-9._~+/=@-]{0,127}$/

/** Gives each exchange an id that appears in the request to the service, the log and every reply. */
export const correlationId = definePolicy({
  name: 'correlation-id',
  summary: 'Gives each request an ID, passes it to the service, and returns it on every reply, errors included.',
  options: z.strictObject({
    header: fieldName
      .default('X-Correlation-ID')
      .describe(
        "Header for the ID. A client's ID is kept if it is 1 to 128 characters of A-Z a-z 0-9 . _ ~ + / = @ - and starts with a letter or digit; otherwise the gateway generates a UUID.",
      ),
  }),
  document: ({ header }) => ({
    fields: [
      {
        name: header,
        description: 'Identifies the request in the logs; the one that the client sent, if any.',
        example: '5f0c1f8e-9f0b-4a5e-8a59-0c4b1c1f3a77',
      },
    ],
  }),
  fields: ({ header }) => [header],
  aroundOwnEndpoints: true,
  decidesBy: () => 'nothing',
  isShared: () => true,
  create({ header }) {
    const names = new NameSet([header])
    // The value is always safe here, so the line needs no further check.
    const lineWith = linesOf(header)
    return (next) => {
      const handle = editReplies<string>(next, (reply, _, line) => replaceLines(reply.headers, names, line))
      return (exchange) => {
        const { headers } = exchange
        const sent = headers.single(header)
        if (typeof sent === 'string' && ACCEPTED.test(sent)) {
          exchange.correlationId = sent
          return handle(exchange, lineWith(sent))
        }
        const id = newUuid()
        const line = lineWith(id)
        exchange.correlationId = id
        if (sent === undefined) appendLines(headers, names, line)
        else replaceLines(headers, names, line)
        return handle(exchange, line)
      }
    }
  },
})
