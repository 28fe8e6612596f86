import { readFile } from 'node:fs/promises'
import type { GatewayConfig } from '../config/schema.ts'
import type { Answers } from '../core/threads.ts'
import { certificatesTopic, type ShownCertificates } from '../tls/certificates-topic.ts'
import type { IdentityPair } from '../tls/server-identities.ts'

/** The certificates of the listeners, once for all threads. */
export class Certificates {
  private readonly config: GatewayConfig
  private shown: Promise<ShownCertificates> | null = null

  constructor(config: GatewayConfig, answers: Answers) {
    this.config = config
    answers.on(certificatesTopic, () => (this.shown ??= this.read()))
  }

  private async read(): Promise<ShownCertificates> {
    const listeners = this.config.listeners.map(async ({ tls }) => {
      const files = tls?.certificates ?? []
      return Promise.all(files.map(readPair))
    })
    return { version: 1, listeners: await Promise.all(listeners) }
  }
}

async function readPair({ cert, key }: { cert: string; key: string }): Promise<IdentityPair> {
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
}
