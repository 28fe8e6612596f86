import { hash, timingSafeEqual } from 'node:crypto'
import type { GatewayConfig } from '../../config/schema.ts'
import type { LoggedIn } from './sessions.ts'

/** The token of the applied configuration, `admin.token`. Whoever has it is an admin. */
export class AdminToken {
  private readonly config: () => GatewayConfig
  private known: { readonly token: string; readonly digest: Buffer } | null = null

  constructor(config: () => GatewayConfig) {
    this.config = config
  }

  /** Whether there is one. */
  get isSet(): boolean {
    return this.digest !== null
  }

  /** Whether that is the token. Takes the same time for every text. */
  matches(text: string): boolean {
    const { digest } = this
    return digest !== null && timingSafeEqual(digestOf(text), digest)
  }

  /** Someone who has logged in with the token, as long as it stays the same. */
  get loggedIn(): LoggedIn {
    const { digest } = this
    const isValid = (): boolean => digest !== null && this.digest?.equals(digest) === true
    return { name: null, role: 'admin', by: 'token', subject: null, isValid }
  }

  private get digest(): Buffer | null {
    const { admin } = this.config()
    if (admin === false || admin.token === null) return null
    const { token } = admin
    if (this.known?.token !== token) this.known = { token, digest: digestOf(token) }
    return this.known.digest
  }
}

/** Digests have the same length whatever the text, so comparing them takes constant time. */
function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
