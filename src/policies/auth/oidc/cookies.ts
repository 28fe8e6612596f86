import { cookieValues, dropCookie } from '../../../http/cookies.ts'
import type { Exchange } from '../../../http/exchange.ts'
import type { Headers } from '../../../http/headers.ts'
import { cookieValue } from '../credentials.ts'

/** Characters of a cookie with its name: browsers keep 4096 with its attributes (RFC 6265 section 6.1). */
const LONGEST = 3900

/** A cookie of the gateway's own. Over https nobody else can set one of its name, not even a sibling domain. */
export class OwnCookie {
  private readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** Its value, or null. Throws CredentialError 'repeated'. */
  read(exchange: Exchange): string | null {
    return cookieValue(exchange.headers, this.nameIn(exchange))
  }

  /** Its values: several where somebody else has set one too. */
  all(exchange: Exchange): readonly string[] {
    return cookieValues(exchange.headers, this.nameIn(exchange))
  }

  /** Whether browsers keep one with that value. */
  fits(value: string): boolean {
    return value.length <= LONGEST
  }

  /** The value of a Set-Cookie field; `seconds` is how long browsers keep it, 0 to forget it. */
  set(exchange: Exchange, value: string, seconds: number): string {
    const secure = exchange.client.scheme === 'https' ? '; Secure' : ''
    const age = Math.max(0, Math.floor(seconds))
    return `${this.nameIn(exchange)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${age}${secure}`
  }

  /** Takes it out of what the service receives, whichever name it has. */
  drop(headers: Headers): void {
    dropCookie(headers, this.name)
    dropCookie(headers, `__Host-${this.name}`)
  }

  private nameIn({ client }: Exchange): string {
    return client.scheme === 'https' ? `__Host-${this.name}` : this.name
  }
}
