import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { challengeCertificate } from '../acme/challenge-certificate.ts'
import { type Challenge, digestOf } from '../acme/challenge.ts'
import { challengesChangedTopic, challengesTopic, type ShownChallenges } from '../acme/challenges-topic.ts'
import { TopicHandlers } from '../core/threads.ts'
import { Bytes } from '../http/body.ts'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { TestLog } from '../../test/support/gateway.ts'
import { ChallengeAnswers } from './challenge-answers.ts'

const clock = new ManualClock()
const challenge: Challenge = {
  type: 'tls-alpn-01',
  domain: 'shop.test',
  token: 'token-1',
  keyAuthorization: 'token-1.thumbprint',
}
const pair = challengeCertificate(challenge, clock.wall())

function setUp(shown: ShownChallenges) {
  const answers = new TopicHandlers(new TestLog(clock).log)
  answers.on(challengesTopic, () => shown)
  return { answers, front: new ChallengeAnswers(answers, answers) }
}

const SHOWN: ShownChallenges = {
  version: 1,
  answers: { 'token-1': 'token-1.thumbprint' },
  certificates: { 'shop.test': pair },
}

const PATH = '/.well-known/acme-challenge/token-1'

test('only the token of a challenge is answered, without caching', async () => {
  const { front } = setUp(SHOWN)
  assert.equal(front.answer(makeExchange({ path: PATH })), null)
  await front.prepare()
  const reply = front.answer(makeExchange({ path: PATH }))!
  assert.equal(reply.status, 200)
  assert.ok(reply.body instanceof Bytes)
  assert.equal(reply.headers.get('Content-Type'), 'application/octet-stream')
  assert.equal(reply.headers.get('Cache-Control'), 'no-store')
  assert.notEqual(front.answer(makeExchange({ path: PATH, method: 'HEAD' })), null)
  for (const path of [
    `${PATH}1`,
    `${PATH}/`,
    '/.well-known/acme-challenge/',
    '/.well-known/acme-challenge/__proto__',
    '/token-1',
  ])
    assert.equal(front.answer(makeExchange({ path })), null, path)
  assert.equal(front.answer(makeExchange({ path: PATH, method: 'POST' })), null)
})

test('the challenge certificate is only shown to a CA with the ALPN protocol', async () => {
  const { front } = setUp(SHOWN)
  await front.prepare()
  const shown = front.identity({ serverName: 'shop.test', protocols: ['acme-tls/1'] })
  assert.equal(shown?.challenge, true)
  for (const hello of [
    { serverName: 'shop.test', protocols: [] },
    { serverName: 'shop.test', protocols: ['http/1.1'] },
    { serverName: 'shop.test', protocols: ['acme-tls/1', 'http/1.1'] },
    { serverName: 'www.shop.test', protocols: ['acme-tls/1'] },
    { serverName: null, protocols: ['acme-tls/1'] },
  ])
    assert.equal(front.identity(hello), null, JSON.stringify(hello))
})

test('a removed challenge is no longer answered, and a late update changes nothing', async () => {
  const { answers, front } = setUp(SHOWN)
  await front.prepare()
  await answers.askAll(challengesChangedTopic, { version: 3, answers: {}, certificates: {} })
  await answers.askAll(challengesChangedTopic, { ...SHOWN, version: 2 })
  assert.equal(front.answer(makeExchange({ path: PATH })), null)
  assert.equal(front.identity({ serverName: 'shop.test', protocols: ['acme-tls/1'] }), null)
})

test('the certificate has the critical digest extension and only the one name: RFC 8737 section 3', () => {
  const { raw, subjectAltName } = new X509Certificate(pair.cert)
  assert.equal(subjectAltName, 'DNS:shop.test')
  // Object identifier 1.3.6.1.5.5.7.1.31, true, and a byte string around one of 32 bytes.
  const extension = Buffer.concat([Buffer.from('06082b0601050507011f0101ff04220420', 'hex'), digestOf(challenge)])
  assert.ok(raw.includes(extension))
})
