import type { TestContext } from 'node:test'
import { startRawService } from '../support/peer.ts'

/** A service that records every byte it receives. */
export interface Recorder {
  readonly url: string
  /**
   * Everything received since `reset`, one character per byte, over all connections in the order of arrival; without
   * the trace that the gateway started, which varies.
   */
  readonly bytes: string
  /** Complete requests since `reset`. */
  readonly requests: number
  reset(): void
}

const TRACE = /^traceparent: 00-[\da-f]{32}-[\da-f]{16}-03\r\n/gm

/** Answers every request with an empty 200, until the end of the test. */
export async function startRecorder(t: TestContext): Promise<Recorder> {
  let bytes = ''
  let requests = 0
  const service = await startRawService(t, async (peer) => {
    peer.socket.on('data', (chunk: Buffer) => (bytes += chunk.toString('latin1')))
    for (;;) {
      await peer.request()
      requests++
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }
  })
  return {
    url: service.url,
    get bytes() {
      return bytes.replaceAll(TRACE, '')
    },
    get requests() {
      return requests
    },
    reset() {
      bytes = ''
      requests = 0
    },
  }
}
