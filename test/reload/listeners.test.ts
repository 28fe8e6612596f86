import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import test from 'node:test'
import type { TLSSocket } from 'node:tls'
import { listenersConfig, LOCAL, startListeners } from '../support/listeners.ts'
import { connect, type Peer, refused } from '../support/peer.ts'
import { freePorts } from '../support/redis.ts'
import { turnUntil } from '../support/settled.ts'
import { authority, connectSecurely, replaceLeaf, writeLeaf } from '../support/tls.ts'

const OK = ['HTTP/1.1 200 OK', '', 'http']
/** The same from a gateway that asks for a new connection. */
const LAST = ['HTTP/1.1 200 OK', 'close', 'http']

const SECURE = ['HTTP/1.1 200 OK', '', 'https']

/** Sends a request over that connection: returns the status, Connection, and the body. */
async function ask(peer: Peer, path = '/'): Promise<string[]> {
  peer.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
  return replyOn(peer)
}

async function replyOn(peer: Peer): Promise<string[]> {
  const { start, fields, body } = await peer.reply()
  return [start, fields.get('Connection') ?? '', body.toString()]
}

/** Another process that listens, until the end of the test. */
async function occupy(port = 0) {
  const server = createServer((socket) => socket.end('somebody else')).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const free = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()))
  return { port: (server.address() as AddressInfo).port, free }
}

function serialOf(socket: TLSSocket): string {
  return socket.getPeerCertificate().serialNumber
}

async function freePort(): Promise<number> {
  return (await freePorts(1))[0]!
}

test('connections of an unchanged listener survive ten changes of another one', async (t) => {
  const { apply, listeners } = startListeners(t)
  const stays = { address: LOCAL }
  const [port] = await apply([stays])
  const [idle, busy] = [await connect(t, port!), await connect(t, port!)]
  const before = listeners.descriptors
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(await ask(busy), OK)
    const other = { address: `127.0.0.1:${await freePort()}`, redirectToHttps: i % 2 === 0 ? 443 : false }
    const ports = await apply(i % 3 === 0 ? [stays] : [other, stays], { limits: { headers: 50 + i } })
    assert.equal(ports.at(-1), port, 'it keeps the port that it was given')
  }
  assert.deepEqual(await ask(idle), OK)
  assert.deepEqual(await ask(busy), OK)
  assert.deepEqual(listeners.descriptors, before)
})

test('reordering listeners changes nothing', async (t) => {
  const { apply, prepare, listeners } = startListeners(t)
  const [one, two, three] = [
    { address: LOCAL },
    { address: `127.0.0.1:${await freePort()}` },
    { address: LOCAL, redirectToHttps: 8443 },
  ] as const
  const ports = await apply([one, two, three])
  const descriptors = listeners.descriptors
  const peers = await Promise.all(ports.map((port) => connect(t, port)))
  assert.deepEqual(await ask(peers[0]!), OK)
  const { commit, ports: moved } = await prepare([three, one, two])
  assert.deepEqual(moved, [ports[2], ports[0], ports[1]], 'two listeners on any port both stay in place')
  commit()
  assert.deepEqual(listeners.descriptors, [descriptors[2], descriptors[0], descriptors[1]])
  assert.deepEqual(await ask(peers[0]!), OK)
  assert.deepEqual(await ask(peers[1]!), OK)
  assert.equal((await ask(peers[2]!))[0], 'HTTP/1.1 308 Permanent Redirect')
})

test('an address in use rejects the change, and everything stays as it was', async (t) => {
  const { apply, prepare } = startListeners(t)
  const taken = await occupy()
  t.after(taken.free)
  const stays = { address: LOCAL }
  const [port] = await apply([stays])
  const peer = await connect(t, port!)
  const never = await freePort()
  const shared = { shared: true, first: true }
  for (const opening of [undefined, shared])
    await assert.rejects(
      prepare(
        [{ address: `127.0.0.1:${never}` }, { address: `127.0.0.1:${taken.port}` }, stays],
        { limits: { headers: 1 } },
        opening,
      ),
      new RegExp(`^Error: address already in use: 127.0.0.1:${taken.port}: another process listens there`),
    )
  await refused(never)
  peer.write('GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n')
  assert.deepEqual(await replyOn(peer), OK)
})

test('a connection to a new listener is answered once the change is committed', async (t) => {
  const { apply, prepare, listeners } = startListeners(t)
  await apply([{ address: LOCAL }])
  const { ports, commit } = await prepare([{ address: LOCAL }, { address: `127.0.0.1:${await freePort()}` }])
  const early = await connect(t, ports[1]!)
  early.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await new Promise(setImmediate)
  assert.equal(listeners.connections, 0)
  commit()
  assert.deepEqual(await replyOn(early), OK)
  assert.deepEqual(await ask(await connect(t, ports[1]!)), OK)
})

test('an abandoned change closes its sockets and connections', async (t) => {
  const { apply, prepare, listeners } = startListeners(t)
  const [port] = await apply([{ address: LOCAL }])
  const { ports, abandon } = await prepare([{ address: `127.0.0.1:${await freePort()}` }], { limits: { headers: 1 } })
  const early = await connect(t, ports[0]!)
  abandon()
  await early.closed()
  await refused(ports[0]!)
  assert.equal(listeners.descriptors.length, 1)
  const peer = await connect(t, port!)
  peer.write('GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n')
  assert.deepEqual(await replyOn(peer), OK)
})

test('on shutdown a prepared change is abandoned', async (t) => {
  const { apply, prepare, listeners, clock } = startListeners(t)
  await apply([{ address: LOCAL }])
  const { ports, commit } = await prepare([{ address: LOCAL }, { address: `127.0.0.1:${await freePort()}` }])
  await listeners.drain(0, clock)
  await refused(ports[1]!)
  commit()
  assert.deepEqual([listeners.connections, listeners.descriptors], [0, []])
})

test('the address of a removed listener is free at once, and its clients are drained', async (t) => {
  const { apply, clock, held, lines, listeners } = startListeners(t)
  const stays = { address: LOCAL }
  const goes = { address: `127.0.0.1:${await freePort()}` }
  const [, port] = await apply([stays, goes])
  const [idle, asks, waits, stuck] = await Promise.all([1, 2, 3, 4].map(() => connect(t, port!)))
  assert.deepEqual(await ask(idle!), OK)
  for (const peer of [waits!, stuck!]) peer.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n')
  await turnUntil('both requests to arrive', () => held.length === 2)
  await apply([stays])
  const other = await occupy(port)
  t.after(other.free)
  assert.deepEqual(await ask(asks!), LAST, 'a request sent right now is answered')
  clock.advance(1000)
  assert.equal(await idle!.closed(), 'end')
  held[0]!('late')
  assert.deepEqual(await replyOn(waits!), ['HTTP/1.1 200 OK', 'close', 'late'])
  clock.advance(8999)
  await turnUntil('the other connections to close', () => listeners.connections === 1)
  clock.advance(1)
  assert.equal(await stuck!.closed(), 'reset')
  await turnUntil('all to be closed', () => lines.some(({ connections }) => connections === 1))
})

test('an address that is removed and added again serves new clients while the old ones are drained', async (t) => {
  const { apply, clock, held } = startListeners(t)
  const stays = { address: LOCAL }
  const goes = { address: `127.0.0.1:${await freePort()}` }
  const [, port] = await apply([stays, goes])
  const waits = await connect(t, port!)
  waits.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n')
  await turnUntil('the request to arrive', () => held.length === 1)
  await apply([stays])
  assert.equal((await apply([goes, stays]))[0], port)
  const next = await connect(t, port!)
  assert.deepEqual(await ask(next), OK)
  held[0]!('late')
  assert.deepEqual(await replyOn(waits), ['HTTP/1.1 200 OK', 'close', 'late'])
  clock.advance(10_000)
  assert.deepEqual(await ask(next), OK)
})

test('after TLS is switched on, new connections use it and old ones are drained', async (t) => {
  const { apply, clock, held } = startListeners(t)
  const files = writeLeaf(t, authority.issue())
  const [port] = await apply([{ address: LOCAL }])
  const [asks, waits, idle] = [await connect(t, port!), await connect(t, port!), await connect(t, port!)]
  assert.deepEqual(await ask(asks), OK)
  waits.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n')
  await turnUntil('the request to arrive', () => held.length === 1)
  const [same] = await apply([{ address: LOCAL, tls: { certificates: [files] } }])
  assert.equal(same, port)
  const { peer } = await connectSecurely(t, port!)
  assert.deepEqual(await ask(peer), SECURE)
  assert.deepEqual(await ask(asks), LAST)
  held[0]!('late')
  assert.deepEqual(await replyOn(waits), ['HTTP/1.1 200 OK', 'close', 'late'])
  clock.advance(1000)
  assert.equal(await idle.closed(), 'end')
  assert.deepEqual(await ask(peer), SECURE)
})

test('after TLS is turned off, new connections are plain and old ones are drained', async (t) => {
  const { apply } = startListeners(t)
  const tls = { certificates: [writeLeaf(t, authority.issue())] }
  const [port] = await apply([{ address: LOCAL, tls }])
  const { peer: secure } = await connectSecurely(t, port!)
  assert.deepEqual(await ask(secure), SECURE)
  await apply([{ address: LOCAL }])
  assert.deepEqual(await ask(await connect(t, port!)), OK)
  assert.deepEqual(await ask(secure), ['HTTP/1.1 200 OK', 'close', 'https'])
})

test('changed TLS settings apply to new connections, and old ones close after the next reply', async (t) => {
  const { apply } = startListeners(t)
  const certificates = [writeLeaf(t, authority.issue())]
  const [port] = await apply([{ address: LOCAL, tls: { certificates } }])
  const { peer: before, socket } = await connectSecurely(t, port!, { maxVersion: 'TLSv1.2' })
  assert.equal(socket.getProtocol(), 'TLSv1.2')
  await apply([{ address: LOCAL, tls: { certificates } }], { limits: { headers: 50 } })
  assert.deepEqual(await ask(before), SECURE, 'TLS has not changed')
  await apply([{ address: LOCAL, tls: { certificates, minVersion: '1.3' } }])
  await assert.rejects(connectSecurely(t, port!, { maxVersion: 'TLSv1.2' }))
  assert.deepEqual(await ask(before), ['HTTP/1.1 200 OK', 'close', 'https'])
  const { peer } = await connectSecurely(t, port!)
  assert.deepEqual(await ask(peer), SECURE)
})

test('replaced certificates apply to new connections, and old ones stay open', async (t) => {
  const { apply, lines } = startListeners(t)
  const [first, second] = [writeLeaf(t, authority.issue()), writeLeaf(t, authority.issue())]
  const [port] = await apply([{ address: LOCAL, tls: { certificates: [first] } }])
  const { peer, socket } = await connectSecurely(t, port!)
  await apply([{ address: LOCAL, tls: { certificates: [second] } }])
  const next = await connectSecurely(t, port!)
  assert.notEqual(serialOf(next.socket), serialOf(socket))
  assert.deepEqual(await ask(peer), SECURE)
  // The new files are watched, the others are not any more.
  replaceLeaf(first, authority.issue())
  replaceLeaf(second, authority.issue())
  const exchanged = () => lines.filter(({ message }) => String(message).startsWith('A certificate was replaced'))
  await turnUntil('the file to be read', () => exchanged().length > 0)
  assert.deepEqual(
    exchanged().map(({ cert }) => cert),
    [second.cert],
  )
  const last = await connectSecurely(t, port!)
  assert.notEqual(serialOf(last.socket), serialOf(next.socket))
})

test('an unusable certificate rejects the change', async (t) => {
  const { apply, prepareConfig } = startListeners(t)
  const [good, bad] = [writeLeaf(t, authority.issue()), writeLeaf(t, authority.issue())]
  const ca = writeLeaf(t, { cert: authority.cert, key: '' }).cert
  const [port] = await apply([{ address: LOCAL, tls: { certificates: [good] } }])
  const pair = listenersConfig([{ address: LOCAL, tls: { certificates: [bad] } }])
  const clients = listenersConfig([{ address: LOCAL, tls: { certificates: [good], clientCertificates: { ca } } }])
  // After the configuration was read.
  writeFileSync(bad.key, 'no key')
  writeFileSync(ca, 'no certificate')
  await assert.rejects(prepareConfig(pair), {
    message: `a certificate cannot be used: ${bad.key}: has no private key in it: expected PEM, text that begins with -----BEGIN PRIVATE KEY-----`,
  })
  await assert.rejects(prepareConfig(clients), {
    message: `CA certificates for client certificates cannot be used: ${ca}: holds no PEM block CERTIFICATE`,
  })
  assert.deepEqual(await ask((await connectSecurely(t, port!)).peer), SECURE)
})

test('after client certificates become required, connections without one are closed', async (t) => {
  const { apply } = startListeners(t)
  const certificates = [writeLeaf(t, authority.issue())]
  const client = authority.issueClient()
  const ca = writeLeaf(t, { cert: authority.cert, key: client.key }).cert
  const [port] = await apply([{ address: LOCAL, tls: { certificates } }])
  const { peer } = await connectSecurely(t, port!)
  assert.deepEqual(await ask(peer), SECURE)
  await apply([{ address: LOCAL, tls: { certificates, clientCertificates: { ca } } }])
  assert.equal(await peer.closed(), 'end')
  const shows = await connectSecurely(t, port!, { cert: client.cert, key: client.key })
  assert.deepEqual(await ask(shows.peer), SECURE)
  await apply([{ address: LOCAL, tls: { certificates, clientCertificates: { ca, forward: ['client-cert'] } } }])
  assert.deepEqual(await ask(shows.peer), SECURE, 'headers for services do not concern the connection')
})

test('sessions can be resumed after a rotation of the secrets', async (t) => {
  const { apply } = startListeners(t)
  const tls = { certificates: [writeLeaf(t, authority.issue())] }
  const [old, next] = ['o'.repeat(32), 'n'.repeat(32)]
  const [port] = await apply([{ address: LOCAL, tls }], { secrets: [old] })
  const sessionOf = async (session?: Buffer): Promise<[boolean, Buffer]> => {
    const { socket } = await connectSecurely(t, port!, { maxVersion: 'TLSv1.2', ...(session && { session }) })
    return [socket.isSessionReused(), socket.getSession()!]
  }
  const [, session] = await sessionOf()
  assert.equal((await sessionOf(session))[0], true)
  await apply([{ address: LOCAL, tls }], { secrets: [next, old] })
  const [resumed, renewed] = await sessionOf(session)
  assert.equal(resumed, true)
  await apply([{ address: LOCAL, tls }], { secrets: [next] })
  assert.deepEqual([(await sessionOf(session))[0], (await sessionOf(renewed))[0]], [false, true])
})

test('changed limits apply to the next request, and close no connections', async (t) => {
  const { apply, listeners } = startListeners(t)
  const one = { address: LOCAL }
  const [port] = await apply([one], { limits: { connections: 3 } })
  const peers = [await connect(t, port!), await connect(t, port!), await connect(t, port!)]
  const [peer] = peers
  assert.deepEqual(await ask(peer!), OK)
  await apply([one], { limits: { connections: 1, headers: 2, target: '64b', body: '2b' } })
  assert.equal(listeners.connections, 3)
  assert.deepEqual(await ask(peer!), OK)
  peer!.write(`GET /${'a'.repeat(64)} HTTP/1.1\r\nHost: a\r\n\r\n`)
  assert.equal((await replyOn(peer!))[0], 'HTTP/1.1 414 URI Too Long')
  peers[1]!.write('GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n')
  assert.equal((await replyOn(peers[1]!))[0], 'HTTP/1.1 431 Request Header Fields Too Large')
  peers[2]!.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n')
  assert.equal((await replyOn(peers[2]!))[0], 'HTTP/1.1 413 Payload Too Large')
  await (await connect(t, port!)).closed()
  await apply([one], { limits: { connections: 10, perClient: { connections: 8 } } })
  const [more] = [await connect(t, port!, '127.0.0.2'), await connect(t, port!, '127.0.0.2')]
  assert.deepEqual(await ask(more), OK)
  await apply([one], { limits: { connections: 10, perClient: { connections: 1 } } })
  assert.deepEqual(await ask(more), OK)
  await (await connect(t, port!, '127.0.0.2')).closed()
})

test('after the PROXY protocol becomes required, only new connections need the header', async (t) => {
  const { apply } = startListeners(t)
  const [port] = await apply([{ address: LOCAL }])
  const before = await connect(t, port!)
  assert.deepEqual(await ask(before), OK)
  await apply([{ address: LOCAL, proxyProtocol: 'required' }], { trustedProxies: ['127.0.0.1'] })
  assert.deepEqual(await ask(before), OK)
  const without = await connect(t, port!)
  without.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await without.closed()
  const introduced = await connect(t, port!)
  introduced.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')
  assert.deepEqual(await ask(introduced), OK)
  await apply([{ address: LOCAL }])
  assert.deepEqual(await ask(introduced), OK)
  assert.deepEqual(await ask(await connect(t, port!)), OK)
})

test('redirectToHttps takes effect with the next request, in both directions', async (t) => {
  const { apply } = startListeners(t)
  const secure = { address: LOCAL, tls: { certificates: [writeLeaf(t, authority.issue())] } }
  const [port] = await apply([{ address: LOCAL }, secure])
  const peer = await connect(t, port!)
  assert.deepEqual(await ask(peer), OK)
  const [, https] = await apply([{ address: LOCAL, redirectToHttps: true }, secure])
  peer.write('GET /a HTTP/1.1\r\nHost: b\r\n\r\n')
  assert.equal((await peer.reply()).fields.get('Location'), `https://b:${https}/a`)
  await apply([{ address: LOCAL }, secure])
  assert.deepEqual(await ask(peer), OK)
})

test('a wildcard and a specific address on one port each keep their connections', async (t) => {
  const { apply, prepare } = startListeners(t)
  const shared = { shared: true, first: true }
  const port = await freePort()
  const [all, one] = [{ address: `0.0.0.0:${port}` }, { address: `127.0.0.1:${port}`, redirectToHttps: 443 }]
  const moved = ['HTTP/1.1 308 Permanent Redirect', '', '']
  await apply([all], {}, shared)
  const before = await connect(t, port)
  assert.deepEqual(await ask(before), OK)
  // 1. The more specific socket gets the connections: until the commit they belong to the other listener.
  const given = await prepare([one], {}, shared)
  assert.deepEqual(await ask(await connect(t, port)), OK)
  given.abandon()
  assert.deepEqual(await ask(await connect(t, port)), OK)
  // 2. Both.
  const both = await prepare([all, one], {}, shared)
  const early = await connect(t, port)
  assert.deepEqual(await ask(early), OK)
  both.commit()
  assert.deepEqual(await ask(await connect(t, port)), moved)
  assert.deepEqual(await ask(early), OK, 'it is a connection of the other listener')
  // 3. Only the other one.
  await apply([one], {}, shared)
  assert.deepEqual(await ask(await connect(t, port)), moved)
  assert.deepEqual(await ask(before), LAST)
})

test('a single thread explains why it cannot add a specific address next to a wildcard', async (t) => {
  const { apply, prepare } = startListeners(t)
  const port = await freePort()
  await apply([{ address: `0.0.0.0:${port}` }])
  await assert.rejects(prepare([{ address: `127.0.0.1:${port}` }]), {
    message: `address already in use: 127.0.0.1:${port}: the gateway itself listens on 0.0.0.0:${port}; remove that listener first, then add this one`,
  })
  assert.deepEqual(await ask(await connect(t, port)), OK)
})

test('on shutdown clients of a removed listener get no more time than others', async (t) => {
  const { apply, clock, held, listeners } = startListeners(t)
  const stays = { address: LOCAL }
  const [, port] = await apply([stays, { address: LOCAL, redirectToHttps: false }])
  const waits = await connect(t, port!)
  waits.write('GET /held HTTP/1.1\r\nHost: a\r\n\r\n')
  await turnUntil('the request to arrive', () => held.length === 1)
  await apply([stays], { drainTimeout: '1h' })
  clock.advance(1000)
  await new Promise(setImmediate)
  const drained = listeners.drain(2000, clock)
  clock.advance(1999)
  assert.equal(listeners.connections, 1)
  clock.advance(1)
  assert.equal(await drained, 1)
  assert.equal(await waits.closed(), 'reset')
})

test('a change that is ready too late takes nothing from its successor', async (t) => {
  const { apply, prepare, listeners } = startListeners(t)
  const stays = { address: LOCAL }
  await apply([stays])
  const other = { address: `127.0.0.1:${await freePort()}` }
  const next = await prepare([stays, other])
  const late = await prepare([stays, { address: `127.0.0.1:${await freePort()}` }])
  late.abandon()
  await refused(late.ports[1]!)
  next.commit()
  assert.equal(listeners.descriptors.length, 2)
  assert.deepEqual(await ask(await connect(t, next.ports[1]!)), OK)
})
