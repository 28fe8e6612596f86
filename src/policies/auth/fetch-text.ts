import type { Clock } from '../../core/clock.ts'

/** Octets that an answer may have. */
const LIMIT = 512 * 1024

/** A request and how long its whole answer may take, in milliseconds. */
export interface FetchOptions {
  readonly timeout: number
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * Fetches a URL of the configuration. Follows no redirect, as it would lead where the configuration does not. Rejects
 * with an Error that says why when no answer comes in time, or one of over 512 kB.
 */
export async function fetchText(
  url: string,
  options: FetchOptions,
  clock: Clock,
): Promise<{ status: number; text: string }> {
  const { timeout, ...request } = options
  const controller = new AbortController()
  const cancel = clock.after(timeout, () => controller.abort(new Error(`no answer within ${timeout} ms`)))
  try {
    const response = await fetch(url, { ...request, redirect: 'error', signal: controller.signal })
    const chunks: Uint8Array[] = []
    let size = 0
    const body: AsyncIterable<Uint8Array> | null = response.body
    for await (const chunk of body ?? []) {
      size += chunk.length
      if (size > LIMIT) throw new Error(`the answer has over ${LIMIT} bytes`)
      chunks.push(chunk)
    }
    return { status: response.status, text: Buffer.concat(chunks).toString('utf8') }
  } finally {
    cancel()
  }
}
