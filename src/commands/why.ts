import type { Command } from 'commander'
import { paintFor } from '../telemetry/paint.ts'
import { addAdminOptions, type AdminOptions, requestAdmin, refusalOf } from './admin-client.ts'
import { addExamples } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { answerSchema, nothingSchema } from './why-answer.ts'
import { nothingText, whyText } from './why-text.ts'

/** The timeout of the request to the gateway, in milliseconds. */
const TIMEOUT = 10_000

interface Options extends AdminOptions {
  readonly json?: true
}

/** `sallyport why`: explains why a request ended as it did. */
export function defineWhy(command: Command, finish: (code: number) => void): void {
  command
    .description(
      'Explains why a request with a correlation ID ended as it did, from what the workers of a running gateway remember: its route, what policies ' +
        'decided, the attempts, and the cause in words. Exits with 1 if no worker remembers it.',
    )
    .argument('<correlation-id>', 'from X-Correlation-ID of the reply, the problem document or the log')
    .option('--json', 'print JSON, as from GET /requests/{correlationId} of the admin API')
  addAdminOptions(command).action(async (id: string, options: Options) => {
    const path = `/requests/${encodeURIComponent(id)}`
    const reply = await requestAdmin(options, { method: 'GET', path, timeout: TIMEOUT })
    const nothing = reply.status === 404 ? nothingSchema.safeParse(reply.body).data : undefined
    if (nothing !== undefined) {
      process.stderr.write(nothingText(id, nothing))
      finish(exitCodes.failed)
      return
    }
    const { data } = answerSchema.safeParse(reply.body)
    if (reply.status !== 200 || data === undefined) throw refusalOf(reply)
    if (options.json === true) console.log(JSON.stringify(reply.body, null, 2))
    else process.stdout.write(whyText(data, paintFor(1, process.env)))
  })
  addExamples(command, [['sallyport why 7c0d6c1e-4c5b-4f0e-9d0a-3a1f1a1b2c3d', 'why this request ended as it did']])
}
