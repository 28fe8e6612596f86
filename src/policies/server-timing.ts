import { z } from 'zod'
import { definePolicy } from '../core/component.ts'
import { editReplies } from '../core/handler.ts'
import { ExchangeRecord } from '../core/record.ts'

/** Tells the client what the gateway and the service took. */
export const serverTiming = definePolicy({
  name: 'server-timing',
  summary:
    'Tells the client in Server-Timing how many milliseconds the gateway took and, where it was asked, the service; ' +
    'anybody who sees replies sees it.',
  options: z.strictObject({}),
  create(_, { clock }) {
    return (next) => {
      const handle = editReplies(next, ({ headers }, exchange) => {
        const { record } = exchange
        const waited = record?.waited ?? 0
        let line = `Server-Timing: gateway;dur=${rounded(clock.now() - exchange.start - waited)}`
        if (record !== null && record.attempts.length > 0) line += `, service;dur=${rounded(waited)}`
        // Appended: the service's own fields stay, as it is a list (W3C Server Timing section 3).
        headers.appendLines(`${line}\r\n`)
      })
      return (exchange) => {
        exchange.record ??= new ExchangeRecord(clock)
        return handle(exchange)
      }
    }
  },
})

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100
}
