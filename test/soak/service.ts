import type { TestContext } from 'node:test'
import { readMessage, type Message } from '../support/message.ts'
import { digest } from '../support/bytes.ts'
import { type Peer, startRawService } from '../support/peer.ts'
import { contentOf, cut, planOf, type Plan } from './plan.ts'

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'

type Reply = Omit<Plan, 'body'>

/** A service that does what the plan in the path of each request says, and echoes tunnels. */
export function startMoodyService(t: TestContext) {
  return startRawService(t, async (peer) => {
    peer.socket.on('end', () => peer.socket.end())
    for (;;) {
      const head = await peer.until('\r\n\r\n')
      const path = head.split(' ')[1] ?? ''
      if (path === '/tunnel') return echo(peer)
      const plan = planOf(path)
      if (plan.mood === 'early') {
        await answer(peer, plan, '')
        peer.end()
        return
      }
      if (/\r\nExpect: 100-continue\r\n/.test(head)) peer.write(CONTINUE)
      const request = await readRest(peer, head)
      if (!(await play(peer, plan, head.startsWith('HEAD'), digest(request.body)))) return
    }
  })
}

function echo(peer: Peer): void {
  const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
  peer.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  peer.socket.pipe(peer.socket)
}

/** Reads a request from the end of its head to its own end. */
function readRest(peer: Peer, head: string): Promise<Message> {
  let first = true
  const until = (text: string): Promise<string> => {
    if (!first) return peer.until(text)
    first = false
    return Promise.resolve(head)
  }
  return readMessage({ until, take: (length) => peer.take(length), rest: () => peer.rest() }, 'request')
}

/** Returns whether the connection stays open. */
async function play(peer: Peer, plan: Reply, isHead: boolean, got: string): Promise<boolean> {
  switch (plan.mood) {
    case 'silent':
      return false
    case 'vanish':
      peer.reset()
      return false
    case 'garbage':
      peer.write('\x16\x03\x01\x02\x00 not HTTP\r\n\r\n')
      return false
    case 'split':
      peer.write('HTTP/1.1 200 OK\r\nX-A: b\nX-C: d\r\nContent-Length: 2\r\n\r\nok')
      return false
    case 'both':
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
      return false
    case 'badchunk':
      peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n')
      return false
    case 'flood':
      peer.write(HINT.repeat(300))
      return false
    case 'stall':
    case 'cut':
      peer.write(`HTTP/1.1 200 OK\r\nX-Id: ${plan.id}\r\nContent-Length: ${plan.size + 1}\r\n\r\n`)
      peer.write(contentOf(plan.id, plan.size))
      if (plan.mood === 'cut') peer.end()
      return false
    case 'extra': {
      const content = contentOf(plan.id, Math.min(plan.size, 1000)).toString('latin1')
      const head = headOf(plan, got, `Content-Length: ${content.length}\r\n`)
      peer.write(`${head}${isHead ? '' : content}HTTP/1.1 200 OK\r\nX-Id: forged\r\nContent-Length: 0\r\n\r\n`)
      return false
    }
    case 'hints':
      for (let i = 0; i < 3; i++) peer.write(HINT)
      break
    case 'late':
      for (let i = 0; i < 50; i++) await new Promise(setImmediate)
      break
    case 'good':
    case 'early':
    case 'hangup':
  }
  await answer(peer, plan, got, isHead)
  if (plan.mood !== 'hangup' && (isHead || plan.framing !== 'close')) return true
  peer.end()
  return false
}

function headOf({ id }: Reply, got: string, framing: string): string {
  return `HTTP/1.1 200 OK\r\nX-Id: ${id}\r\nX-Got: ${got}\r\n${framing}\r\n`
}

async function answer(peer: Peer, plan: Reply, got: string, isHead = false): Promise<void> {
  const content = contentOf(plan.id, plan.size)
  const framing = {
    length: `Content-Length: ${content.length}\r\n`,
    chunked: 'Transfer-Encoding: chunked\r\n',
    close: '',
  }[plan.framing]
  peer.write(headOf(plan, got, framing))
  if (isHead) return
  for (const piece of cut(content, plan.pieces)) {
    if (plan.pieces % 2 === 0) await new Promise(setImmediate)
    if (plan.framing === 'chunked') peer.write(`${piece.length.toString(16)}\r\n`)
    peer.write(piece)
    if (plan.framing === 'chunked') peer.write('\r\n')
  }
  if (plan.framing === 'chunked') peer.write('0\r\n\r\n')
}
