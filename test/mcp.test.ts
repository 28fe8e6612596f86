import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { cleanUp } from './support/cleanup.ts'
import { proxyTo, startGateway } from './support/gateway.ts'

/** A server with sessions in memory and a tool that names the server, until the end of the test; returns its URL. */
async function startMcp(t: TestContext): Promise<string> {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const known = sessions.get(String(request.headers['mcp-session-id']))
    if (known !== undefined) return known.handleRequest(request, response)
    if (request.headers['mcp-session-id'] !== undefined) return void response.writeHead(404).end()
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    const mcp = new McpServer({ name: 'test', version: '1.0.0' })
    mcp.registerTool('where', { description: 'Says which server it is.' }, () => ({
      content: [{ type: 'text', text: url }],
    }))
    await mcp.connect(transport)
    await transport.handleRequest(request, response)
  }
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  cleanUp(t, async () => {
    await Promise.all([...sessions.values()].map((transport) => transport.close()))
    server.close()
    server.closeAllConnections()
  })
  return url
}

async function startTwo(t: TestContext, service: NonNullable<Parameters<typeof proxyTo>[1]>['service'] = {}) {
  const config = proxyTo([await startMcp(t), await startMcp(t)], {
    service,
    secrets: ['a secret of this test, of 32 bytes and more'],
    listeners: [{ address: '127.0.0.1:0' }],
  })
  return startGateway(t, config)
}

/** A session in which a tool is called that many times; returns which servers answered. */
async function callTools(port: number, times: number): Promise<readonly string[]> {
  const client = new Client({ name: 'test', version: '1.0.0' })
  const transport = new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`))
  await client.connect(transport)
  try {
    const servers = new Set<string>()
    for (let i = 0; i < times; i++) servers.add(JSON.stringify((await client.callTool({ name: 'where' })).content))
    await transport.terminateSession()
    return [...servers]
  } finally {
    await client.close()
  }
}

test('without sticky sessions an MCP session across two instances fails', async (t) => {
  const { port } = await startTwo(t)
  await assert.rejects(callTools(port, 6))
})

test('with sticky sessions each MCP session stays on one instance', async (t) => {
  const { port } = await startTwo(t, { sticky: { header: 'Mcp-Session-Id' } })
  const all = new Set<string>()
  for (let i = 0; i < 6; i++) {
    const servers = await callTools(port, 6)
    assert.equal(servers.length, 1)
    all.add(servers.join())
  }
  assert.equal(all.size, 2)
})
