import { GatewayError } from '../../core/errors.ts'
import { Bytes } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import type { Threads } from '../../core/threads.ts'
import { contentTypes } from './exposition.ts'
import { negotiateFormat } from './format.ts'
import { documentTopic } from './hub.ts'

/** A document with the metrics of all threads. */
export interface MetricsDocument {
  readonly contentType: string
  readonly text: string
}

/**
 * The metrics in the format that the client's Accept header asks for. Rejects with GatewayError 'too-busy' if the main thread does not
 * answer in time.
 */
export async function metricsDocument(threads: Threads, accept: string | undefined): Promise<MetricsDocument> {
  const format = negotiateFormat(accept)
  const [text] = await threads.askAll(documentTopic, format)
  if (text === undefined) throw new GatewayError('too-busy', 'The metrics cannot be gathered at the moment.')
  return { contentType: contentTypes[format], text }
}

/** The metrics document as a reply. */
export async function metricsReply(threads: Threads, accept: string | undefined): Promise<Reply> {
  const { contentType, text } = await metricsDocument(threads, accept)
  return new Reply(
    200,
    Headers.of([
      ['Content-Type', contentType],
      ['Vary', 'Accept'],
    ]),
    Bytes.fromText(text),
  )
}
