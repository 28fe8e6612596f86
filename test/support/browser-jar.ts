import { type Answer, type Ask, send } from './client.ts'

/** A browser as far as logins need one: it stores the gateway's cookies, and sends the fetch metadata headers. */
export class BrowserJar {
  readonly cookies = new Map<string, string>()
  private readonly port: number

  constructor(port: number) {
    this.port = port
  }

  /** Opens a page. */
  open(path: string, headers: Ask['headers'] = {}): Promise<Answer> {
    return this.ask({ path, headers: { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'none', ...headers } })
  }

  /** Sends a request like a page of the gateway itself. */
  fetch(path: string, { headers, ...more }: Ask = {}): Promise<Answer> {
    return this.ask({
      path,
      headers: { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin', ...headers },
      ...more,
    })
  }

  /** Goes to the provider and back; returns the reply to the callback. */
  async logIn(page: Answer): Promise<Answer> {
    return this.open(await this.callbackOf(page))
  }

  /** The path to which the provider redirects the browser. */
  async callbackOf({ headers }: Answer): Promise<string> {
    const reply = await fetch(headers.location ?? '', { redirect: 'manual' })
    const { pathname, search } = new URL(reply.headers.get('Location') ?? '')
    return pathname + search
  }

  private async ask({ headers, ...more }: Ask): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const output = Object.entries({ ...headers, ...(cookie !== '' && { Cookie: cookie }) })
    const sent = output.filter(([, value]) => value !== undefined)
    const answer = await send(this.port, { ...more, headers: Object.fromEntries(sent) })
    for (const line of answer.headers['set-cookie'] ?? []) this.keep(line)
    return answer
  }

  private keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (/Max-Age=0\b/.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}
