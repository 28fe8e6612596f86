import { Headers } from '../../src/http/headers.ts'
import { Reply } from '../../src/http/reply.ts'
import { TunnelRelay } from '../../src/http/tunnel.ts'
import { Http2Harness } from './http2-harness.ts'
import { RecordingSocket } from './recording-socket.ts'

/**
 * A client over HTTP/2 of a server that connects each WebSocket to a socket of the test, which `opened` gets, and replies to
 * nothing else.
 */
export async function websocketsHarness(opened: (service: RecordingSocket, tunnel: TunnelRelay) => void) {
  const harness: Http2Harness = new Http2Harness(({ upgrade }) => {
    if (upgrade === null) return new Promise(() => {})
    const reply = new Reply(101, Headers.of(), null)
    const protocol = 'websocket'
    reply.upgrade = {
      protocol,
      open(client) {
        const { deadlines } = harness
        const service = new RecordingSocket()
        const tunnel = new TunnelRelay({ client, service, protocol, deadlines, idleTimeout: 60_000 })
        opened(service, tunnel)
        return tunnel
      },
      refuse() {},
    }
    return reply
  })
  return { harness, client: await harness.begin() }
}
