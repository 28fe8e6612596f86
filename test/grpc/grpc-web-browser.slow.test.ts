import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test, { type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type handleServerStreamingCall, type handleUnaryCall, Metadata, status } from '@grpc/grpc-js'
import { startBrowser } from '../support/browser.ts'
import { startGateway } from '../support/gateway.ts'
import { startGrpcService } from '../support/grpc-service.ts'
import { startService } from '../support/service.ts'

const client = fileURLToPath(import.meta.resolve('grpc-web'))

/** Messages are raw bytes of text. */
const get: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
  const name = call.request.toString()
  if (name === 'fail') return callback({ code: status.NOT_FOUND, details: 'no 👤' })
  const trailers = new Metadata()
  trailers.set('x-count', '2')
  callback(null, Buffer.from(`hello ${name}`), trailers)
}

const list: handleServerStreamingCall<Buffer, Buffer> = (call) => {
  for (const name of call.request.toString().split(',')) call.write(Buffer.from(`hello ${name}`))
  call.end()
}

/** The code that the page runs: one call and its outcome. */
const PAGE = `<!doctype html>
<script>var exports = {}</script>
<script src="/client.js"></script>
<script>
  function call(format, url, streams, text) {
    const { GrpcWebClientBase, MethodDescriptor } = exports
    const type = streams ? 'server_streaming' : 'unary'
    const encode = (value) => new TextEncoder().encode(value)
    const decode = (bytes) => new TextDecoder().decode(bytes)
    const method = new MethodDescriptor(url, type, Object, Object, encode, decode)
    const client = new GrpcWebClientBase({ format })
    return new Promise((resolve) => {
      const messages = []
      const finish = (code, details) => resolve({ messages, code, details })
      const told = (error, message) => {
        if (error !== null) return finish(error.code, error.message)
        messages.push(message)
        finish(0, '')
      }
      if (!streams) return client.rpcCall(url, text, {}, method, told)
      const stream = client.serverStreaming(url, text, {}, method)
      stream.on('data', (message) => messages.push(message))
      stream.on('error', ({ code, message }) => finish(code, message))
      stream.on('end', () => finish(0, ''))
    })
  }
</script>`

/** A page of another origin with the grpc-web client, which uses XMLHttpRequest. */
async function setUp(t: TestContext) {
  const script = await readFile(client, 'utf8')
  const pages = await startService(t, (request, response) => {
    const isScript = request.url === '/client.js'
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : PAGE)
  })
  const service = await startGrpcService(t, {
    unary: { '/shop.v1.Users/Get': get },
    list: { '/shop.v1.Users/List': list },
  })
  const { port } = await startGateway(t, {
    services: { users: { instances: [service], http2: true, health: false } },
    policies: { 'grpc-web': {}, cors: { origins: [pages.url] } },
    routes: [{ id: 'users', match: { path: '/shop.v1.Users/*', method: 'POST' }, service: 'users' }],
  })
  const browser = await startBrowser(t)
  const page = await browser.newPage()
  await page.goto(pages.url)
  return { page, gateway: `http://127.0.0.1:${port}` }
}

/** The outcome of a call. */
interface Outcome {
  readonly messages: readonly string[]
  readonly code: number
  readonly details: string
}

test('a page of another origin calls a gRPC service, in binary and in text format', async (t) => {
  const { page, gateway } = await setUp(t)
  const call = (format: string, path: string, streams: boolean, text: string): Promise<Outcome> =>
    page.evaluate<Outcome>(`call(${JSON.stringify([format, gateway + path, streams, text]).slice(1, -1)})`)
  for (const format of ['binary', 'text']) {
    assert.deepEqual(await call(format, '/shop.v1.Users/Get', false, 'world'), {
      messages: ['hello world'],
      code: 0,
      details: '',
    })
    const failed = await call(format, '/shop.v1.Users/Get', false, 'fail')
    assert.deepEqual([failed.code, failed.details], [status.NOT_FOUND, 'no 👤'])
    const nowhere = await call(format, '/nowhere', false, 'x')
    assert.deepEqual([nowhere.code, nowhere.details], [status.UNIMPLEMENTED, 'No route matches this request.'])
  }
  // In binary mode the client cannot read a stream: XMLHttpRequest provides no bytes before the end.
  const listed = await call('text', '/shop.v1.Users/List', true, 'a,b,c')
  assert.deepEqual(listed, { messages: ['hello a', 'hello b', 'hello c'], code: 0, details: '' })
})
