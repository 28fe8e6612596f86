import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type Drill, type Stage, usual } from './drill.ts'
import type { Peer, Place } from './peers/peer.ts'
import { sallyport } from './peers/sallyport.ts'
import { perform } from './perform.ts'
import { type Behavior, well } from './service/behavior.ts'

/** All instances behave in some way from the beginning, for half a second. */
function brief(behavior: Partial<Behavior>): Drill {
  const span = { total: 0.5, from: 0, to: 0.5 }
  return {
    ...usual,
    name: 'brief',
    title: 'Something goes wrong for half a second',
    goal: 'it is counted',
    span,
    short: span,
    warmUp: 0,
    gets: 40,
    posts: 20,
    behavior: well,
    begin: ({ instances }: Stage) => instances.forEach((instance) => instance.behave(behavior)),
    end() {},
    isMet: () => true,
  }
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'drills-test-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A proxy that sends what comes twice, to the first instance. */
const doubling: Peer = {
  name: 'doubling',
  version: () => '1',
  prepare({ port, service }: Place) {
    const [target = ''] = 'instances' in service ? service.instances : []
    const program = `
      const { createServer, request } = require('node:http')
      createServer((from, to) => {
        const chunks = []
        from.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
          const { method, url, headers } = from
          const send = (done) => request('http://${target}' + url, { method, headers }, done).end(Buffer.concat(chunks))
          send((first) => first.resume().on('end', () => send((second) => {
            to.writeHead(second.statusCode, second.headers)
            second.pipe(to)
          })))
        })
      }).listen(${port}, '127.0.0.1')`
    return Promise.resolve({ command: process.execPath, args: ['--eval', program] })
  },
}

test('a drill counts what clients and instances see, and ends the processes that it started', async (t) => {
  const places: Place[] = []
  const watched: Peer = {
    ...sallyport,
    prepare(place) {
      places.push(place)
      return sallyport.prepare(place)
    },
  }
  const result = await perform(brief({}), watched, false, folder(t))
  assert.deepEqual(result.gets, { sent: 20, failed: 0, reasons: {} })
  assert.deepEqual(result.posts, { sent: 10, failed: 0, reasons: {}, twice: 0 })
  assert.equal(result.ejections, 0)
  const [place] = places
  assert.ok(place !== undefined && 'instances' in place.service)
  const ports = [place.port, place.adminPort, ...place.service.instances.map((each) => Number(each.split(':')[1]))]
  assert.equal(ports.length, 5)
  for (const port of ports) await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' })
})

test('a POST that arrives twice is counted, and error replies are counted by status', async (t) => {
  const result = await perform(brief({ fault: 'status', status: 404 }), doubling, false, folder(t))
  // The first ones may have been sent before the instances knew.
  const { failed, reasons } = result.gets
  assert.ok(failed > 0)
  assert.deepEqual(reasons, { 404: failed })
  assert.equal(result.posts.twice, 10)
  assert.equal(result.ejections, null)
})

test('a client notices a truncated body', async (t) => {
  const result = await perform(brief({ fault: 'truncate' }), sallyport, false, folder(t))
  assert.ok(result.gets.failed > 0)
  assert.equal(result.gets.reasons['short, and nothing said so'], undefined)
})
