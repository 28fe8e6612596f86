import { defineTopic } from '../../core/threads.ts'

/** A request to the CDN. */
export interface PurgeCall {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Has the main thread send requests to the CDN; several threads may report the same purge, identified by its id. */
export const callCdnTopic = defineTopic<{ readonly id: string; readonly calls: readonly PurgeCall[] }, null>('cdn-call')
