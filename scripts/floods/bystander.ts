import { connect, type ClientHttp2Session } from 'node:http2'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds between two requests. */
const PERIOD = 2

/** Another client of the gateway, which sends requests continuously. */
export class Bystander {
  private readonly session: ClientHttp2Session

  private constructor(session: ClientHttp2Session) {
    this.session = session
  }

  static async connect(port: number): Promise<Bystander> {
    const session = connect(`http://127.0.0.1:${port}`)
    await once(session, 'connect')
    return new Bystander(session)
  }

  /** Sends requests for that many milliseconds; resolves with the duration of each, sorted, in milliseconds. Rejects if one fails. */
  async ask(ms: number): Promise<number[]> {
    const asked: Promise<number>[] = []
    for (const end = performance.now() + ms; performance.now() < end; await delay(PERIOD)) asked.push(this.once())
    return (await Promise.all(asked)).sort((one, other) => one - other)
  }

  close(): void {
    this.session.destroy()
  }

  private once(): Promise<number> {
    const start = performance.now()
    return new Promise((resolve, reject) => {
      const stream = this.session.request({ ':path': '/' })
      stream.on('error', reject)
      stream.on('end', () => resolve(performance.now() - start))
      stream.resume()
    })
  }
}
