import { linesOf } from '../http/field-lines.ts'
import { appendLines } from '../http/headers.ts'
import { z } from 'zod'
import { definePolicy } from './policy.ts'
import { gatewayTime } from '../http/exchange.ts'
import { editReplies } from '../http/handler.ts'
import { NameSet } from '../http/name-set.ts'

const NAMES = new NameSet(['Server-Timing'])
const line = linesOf('Server-Timing')

/** Tells the client how long the gateway and the service took. */
export const serverTiming = definePolicy({
  name: 'server-timing',
  summary:
    'Adds Server-Timing to replies: milliseconds spent in the gateway and in the service. Anyone who sees the reply sees it.',
  options: z.strictObject({}),
  decidesBy: () => 'nothing',
  isShared: () => true,
  create(_, { clock }) {
    return (next) =>
      editReplies(next, ({ headers }, exchange) => {
        let value = `gateway;dur=${rounded(gatewayTime(exchange, clock.now()))}`
        if (exchange.instance !== null) value += `, service;dur=${rounded(exchange.serviceTime)}`
        // Appended, so that the service's own values remain: the header is a list (W3C Server Timing section 3).
        appendLines(headers, NAMES, line(value))
      })
  },
})

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100
}
