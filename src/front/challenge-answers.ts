import { createServer } from 'node:tls'
import { challengesChangedTopic, challengesTopic, type ShownChallenges } from '../acme/challenges-topic.ts'
import { ACME_TLS } from '../acme/challenge-certificate.ts'
import type { TopicHandlers, Threads } from '../core/threads.ts'
import { Bytes } from '../http/body.ts'
import type { RequestFacts } from '../http/exchange.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import type { ClientHello } from '../tls/client-hello.ts'
import type { Identity } from '../tls/server-identities.ts'

const PATH = '/.well-known/acme-challenge/'

/** Answers the challenges of CAs in one thread, before anything else: routes, policies, limits and redirects. */
export class ChallengeAnswers {
  private readonly threads: Threads
  private version = -1
  private tokens: ReadonlyMap<string, string> = new Map()
  private identities: ReadonlyMap<string, Identity> = new Map()

  constructor(answers: TopicHandlers, threads: Threads) {
    this.threads = threads
    answers.on(challengesChangedTopic, (shown) => {
      this.show(shown)
      return null
    })
  }

  /** Loads the current challenges. */
  async prepare(): Promise<void> {
    for (const shown of await this.threads.askAll(challengesTopic, null)) this.show(shown)
  }

  /** The reply to an http-01 request from a CA (RFC 8555 section 8.3); null for any other request. */
  answer({ method, path }: RequestFacts): Reply | null {
    if (this.tokens.size === 0 || !path.startsWith(PATH) || (method !== 'GET' && method !== 'HEAD')) return null
    const text = this.tokens.get(path.slice(PATH.length))
    if (text === undefined) return null
    const fields = [
      ['Content-Type', 'application/octet-stream'],
      ['Cache-Control', 'no-store'],
    ] as const
    return new Reply(200, Headers.of(fields), Bytes.fromText(text))
  }

  /** The identity to present for a tls-alpn-01 validation (RFC 8737 section 3); null for any other client. */
  identity({ serverName, protocols }: ClientHello): Identity | null {
    if (this.identities.size === 0 || serverName === null) return null
    return protocols.length === 1 && protocols[0] === ACME_TLS ? (this.identities.get(serverName) ?? null) : null
  }

  private show({ version, answers, certificates }: ShownChallenges): void {
    if (version <= this.version) return
    this.version = version
    this.tokens = new Map(Object.entries(answers))
    this.identities = new Map(Object.entries(certificates).map(([name, pair]) => [name, identityOf(pair)]))
  }
}

function identityOf({ cert, key }: { cert: string; key: string }): Identity {
  const server = createServer({ cert, key, ALPNProtocols: [ACME_TLS], minVersion: 'TLSv1.2', handshakeTimeout: 0 })
  return { server, asksClients: false, challenge: true, names: new Set() }
}
