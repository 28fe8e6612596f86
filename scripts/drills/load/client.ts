import { Agent, request } from 'node:http'
import { idField, replyBytes } from '../service/behavior.ts'

/** Why a request failed, as seen by the client: the status, or what happened to the connection; null if it succeeded. */
export type Failure = string | null

const postBody = Buffer.alloc(1000, 'x')

/** A client of the gateway: it sends requests over keep-alive connections, each with a timeout. */
export class Client {
  private readonly port: number
  /** In milliseconds. */
  private readonly patience: number
  private readonly agent = new Agent({ keepAlive: true, maxFreeSockets: 4096, scheduling: 'lifo' })

  constructor(port: number, patience: number) {
    this.port = port
    this.patience = patience
  }

  /** Sends a GET, or a POST with a body and this id; resolves with the failure, including a truncated body. */
  send(id: string | null): Promise<Failure> {
    const { port, agent, patience } = this
    const { promise, resolve } = Promise.withResolvers<Failure>()
    const headers = id === null ? {} : { [idField]: id, 'Content-Length': postBody.length }
    const method = id === null ? 'GET' : 'POST'
    const sent = request({ host: '127.0.0.1', port, path: '/items', method, headers, agent })
    const timer = setTimeout(() => {
      settle('time-out')
      sent.destroy()
    }, patience)
    const settle = (failure: Failure): void => {
      clearTimeout(timer)
      resolve(failure)
    }
    sent.on('error', (error) => settle('code' in error ? String(error.code) : error.message))
    sent.on('response', (response) => {
      const { statusCode } = response
      let bytes = 0
      response.on('data', (chunk: Buffer) => (bytes += chunk.length))
      response.on('error', () => settle('broken off'))
      response.on('end', () => {
        if (statusCode !== 200) return settle(String(statusCode))
        settle(bytes === replyBytes ? null : 'short, and nothing said so')
      })
    })
    sent.end(id === null ? undefined : postBody)
    return promise
  }

  close(): void {
    this.agent.destroy()
  }
}
