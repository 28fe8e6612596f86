import { cookieValues, dropCookie } from '../../../http/cookies.ts'
import type { Exchange } from '../../../http/exchange.ts'
import type { Headers } from '../../../http/headers.ts'
import { cookieValue } from '../credentials.ts'

/** Most characters of a cookie including its name: browsers keep 4096 bytes including attributes (RFC 6265 section 6.1). */
const MAX_LENGTH = 3900

/** A cookie set by the gateway itself. Over https its name prefix prevents anyone else from setting it, even a sibling domain. */
export class OwnCookie {
  private readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** Its value, or null. Throws CredentialError 'repeated'. */
  read(exchange: Exchange): string | null {
    return cookieValue(exchange.headers, this.nameIn(exchange))
  }

  /** All its values: there are several if someone else has set a cookie of the same name. */
  all(exchange: Exchange): readonly string[] {
    return cookieValues(exchange.headers, this.nameIn(exchange))
  }

  /** Whether browsers would store a cookie with that value. */
  fits(value: string): boolean {
    return value.length <= MAX_LENGTH
  }

  /** The value of a Set-Cookie header; `seconds` is how long browsers keep the cookie, 0 to delete it. */
  set(exchange: Exchange, value: string, seconds: number): string {
    const secure = exchange.client.scheme === 'https' ? '; Secure' : ''
    const age = Math.max(0, Math.floor(seconds))
    return `${this.nameIn(exchange)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}${secure}`
  }

  /** Removes the cookie from what the service receives, under either of its names. */
  drop(headers: Headers): void {
    dropCookie(headers, this.name)
    dropCookie(headers, `__Host-${this.name}`)
  }

  private nameIn({ client }: Exchange): string {
    return client.scheme === 'https' ? `__Host-${this.name}` : this.name
  }
}
