import type { TestContext } from 'node:test'
import { startService } from './service.ts'

/** A key server whose replies are controlled by the test. */
export interface KeyServer {
  readonly url: string
  /** The JSON Web Keys that it serves. */
  keys: readonly object[]
  /** Replies with this status and text instead, or not at all. */
  broken: { readonly status: number; readonly text: string } | 'silent' | null
  /** Further paths and their JSON. */
  readonly documents: Record<string, unknown>
  /** Number of requests so far. */
  readonly requests: number
}

/** Serves a JSON Web Key Set at /keys until the end of the test. */
export async function startKeyServer(t: TestContext, keys: readonly object[]): Promise<KeyServer> {
  const service = await startService(t, ({ url = '' }, response) => {
    const { broken } = server
    if (broken === 'silent') return
    const document = url === '/keys' ? { keys: server.keys } : server.documents[url]
    const status = document === undefined ? 404 : 200
    response.writeHead(broken?.status ?? status).end(broken?.text ?? JSON.stringify(document))
  })
  const server: KeyServer = {
    url: service.url,
    keys,
    broken: null,
    documents: {},
    get requests() {
      return service.received.length
    },
  }
  return server
}
