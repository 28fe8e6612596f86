import assert from 'node:assert/strict'
import test from 'node:test'
import { RecordedService } from '../support/http2-client-harness.ts'
import { wholeReply } from '../support/http2-service.ts'
import { serviceCases } from './service-cases.ts'

for (const each of serviceCases) {
  test(`RFC ${each.rfc}: ${each.name}`, async () => {
    const service = RecordedService.greeted()
    const first = service.send({ method: each.method ?? 'GET' })
    const other = service.send()
    service.receive(...each.send)
    await service.turn()
    assert.equal(service.goaway, each.goaway, 'GOAWAY')
    if (each.goaway !== undefined) assert.ok(service.socket.destroyed, 'the connection is closed')
    assert.equal(service.resetOf(1), each.reset, 'RST_STREAM')
    const reply = first.reply === null ? null : [first.reply.status, first.text]
    if (each.reply !== undefined) assert.deepEqual(reply, each.reply)
    if (each.reply === null) assert.ok(first.error !== null, 'the listener was notified')
    if (each.why !== undefined) assert.match(first.why, each.why)
    if (each.goaway !== undefined) return assert.equal(other.error?.code, 'bad-gateway')
    service.receive(wholeReply(3, 'the other'))
    assert.equal(other.text, 'the other', 'other streams continue')
    assert.deepEqual([first.finishes, other.finishes], [1, 1], 'each is finished once')
  })
}
