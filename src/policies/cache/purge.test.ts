import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { applyPolicy, makeToolbox } from '../../../test/support/policy.ts'
import { TopicHandlers } from '../../core/threads.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { cache } from './policy.ts'
import { purge, purgeTopic, type Purge } from './purge.ts'

const [A, B, C] = [
  { path: '/a', query: '' },
  { path: '/a/b', query: '?x=1' },
  { path: '/c', query: '' },
]

/** What a policy may use, and what it answers then. */
function asked() {
  const answers = new TopicHandlers(createMemoryLogger().log)
  return { answers, toolbox: makeToolbox({ answer: (topic, answer) => answers.on(topic, answer) }) }
}

async function setUp() {
  const { answers, toolbox } = asked()
  let count = 0
  const handle = applyPolicy(
    cache,
    {},
    ({ path }) => {
      count++
      const groups: [string, string][] = path === '/c' ? [['Cache-Groups', '"g"']] : []
      return new Reply(
        200,
        Headers.of([['Cache-Control', 'max-age=60'], ['Date', 'Mon, 15 Jan 2024 10:30:00 GMT'], ...groups]),
        null,
      )
    },
    toolbox,
  )
  for (const target of [A, B, C]) await handle(makeExchange(target))
  return { answers, handle, count: () => count }
}

for (const [what, forgotten] of [
  [{ url: 'https://API.example.com/a' }, [A]],
  [{ url: 'http://api.example.com/a/b?x=1' }, [B]],
  [{ prefix: 'http://api.example.com/a' }, [A, B]],
  [{ prefix: 'http://api.example.com/' }, [A, B, C]],
  [{ host: 'api.example.com', group: 'g' }, [C]],
  [{ host: 'API.example.com', group: 'g' }, [C]],
  [{ host: 'other.example.com', group: 'g' }, []],
  [{ url: 'http://other.example.com/a' }, []],
] as [Purge, object[]][])
  test(`purging ${JSON.stringify(what)} forgets ${forgotten.length} of three replies`, async () => {
    const { answers, handle, count } = await setUp()
    assert.deepEqual(await answers.askAll(purgeTopic, what), [forgotten.length])
    for (const target of [A, B, C]) await handle(makeExchange(target))
    assert.equal(count(), 3 + forgotten.length)
  })

test('what is no URL is an error', async () => {
  const nothing = { invalidator: { forget: () => Promise.resolve(0) }, keys: new Map() }
  await assert.rejects(purge(nothing, { url: '/a' }), TypeError)
})

test('a URL is purged in the form that it has in the keys of its route', async () => {
  const { answers, toolbox } = asked()
  const reply = (): Reply =>
    new Reply(
      200,
      Headers.of([
        ['Cache-Control', 'max-age=60'],
        ['Date', 'Mon, 15 Jan 2024 10:30:00 GMT'],
      ]),
      null,
    )
  const handle = applyPolicy(cache, { query: { sort: true, except: ['utm'] } }, reply, toolbox)
  await handle(makeExchange({ path: '/a', query: '?b=2&a=1' }))
  assert.deepEqual(await answers.askAll(purgeTopic, { url: 'http://api.example.com/a?utm=x&a=1&b=2' }), [1])
})
