import { systemClock } from '../../core/clock.ts'
import { Bytes } from '../../http/body.ts'
import { Deadlines } from '../../http/deadlines.ts'
import { Headers, sameName, wireOf } from '../../http/headers.ts'
import { rotatingLookup } from '../../http/rotating-lookup.ts'
import { requestOnce, type SingleReply } from '../../http2/request-once.ts'
import { ITSELF, proxyHeader } from '../../proxy-protocol/written-header.ts'
import { BODY_LIMIT, HEAD_LIMIT, type Probe, type ProbeTarget } from './probe.ts'

/** The check as a whole has a timeout, so its individual phases need none. */
const LONG = 3_600_000
const HEADERS = 500

/** Shared by all checks, so that each starts with the next address of a name. */
const lookup = rotatingLookup()

/** Like `httpProbe`, over HTTP/2. */
export const http2Probe: Probe = (target, done) =>
  probeOverHttp2(target, target.body === '' ? null : Bytes.fromText(target.body), (answer) =>
    done(answer instanceof Error ? answer : answer.status),
  )

/**
 * Sends one HTTP/2 request with that body over a new connection. `done` is called at most once, never before this returns, with the reply
 * or the error. The returned function aborts.
 */
export function probeOverHttp2(
  target: Omit<ProbeTarget, 'body'>,
  body: Bytes | null,
  done: (answer: SingleReply | Error) => void,
): () => void {
  const { host, port, authority, method, path, headers, encryption, proxyProtocol } = target
  const deadlines = new Deadlines(systemClock)
  const fields = Headers.of([
    ['User-Agent', 'sallyport-health'],
    ['Accept', '*/*'],
  ])
  let named: string | null = null
  for (const [name, value] of Object.entries(headers)) {
    if (sameName(name, 'host')) named = value
    else fields.set(name, value)
  }
  const stop = requestOnce(
    {
      host,
      port,
      encryption,
      lookup,
      deadlines,
      client: ITSELF,
      introduction: proxyProtocol === 'off' ? null : (client, socket) => proxyHeader(proxyProtocol, client, socket),
      head: HEAD_LIMIT,
      headers: HEADERS,
      content: BODY_LIMIT,
      connectTimeout: LONG,
      responseTimeout: LONG,
      idleTimeout: LONG,
      poolTimeout: LONG,
      lifetime: () => LONG,
    },
    {
      client: ITSELF,
      method,
      authority: named ?? authority,
      target: path,
      fields: wireOf(fields),
      body,
      acceptsTrailers: true,
      isCall: false,
      expectsContinue: false,
      upgrade: null,
    },
    (answer) => {
      deadlines.close()
      done(answer)
    },
  )
  return () => {
    deadlines.close()
    stop()
  }
}
