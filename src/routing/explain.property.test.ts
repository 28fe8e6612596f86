import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { matches, requests, withoutDuplicates } from '../../test/support/routes.ts'
import { Headers } from '../http/headers.ts'
import { createExplainer } from './explain.ts'
import { createRouter } from './router.ts'

const TABLES = cases(400)
const REQUESTS = 50

test('each request takes the first line that lacks nothing for it', () => {
  let asked = 0
  fc.assert(
    fc.property(
      fc.array(matches, { maxLength: 8 }),
      fc.array(requests, { minLength: REQUESTS, maxLength: REQUESTS }),
      (routes, all) => {
        const entries = withoutDuplicates(routes).map((match, value) => ({ match, value }))
        const router = createRouter(entries)
        const explain = createExplainer(entries)
        for (const { listener, host, path, method, headers: fields, query } of all) {
          const headers = Headers.of(Object.entries(fields))
          const found = router.find(host, path, method, headers, query, listener)
          const winner = explain({ listener, host, path, method, headers, query }).find(
            ({ unmet }) => unmet.length === 0,
          )
          assert.equal(winner?.value, found.found ? found.value : undefined)
          assert.equal(winner?.pattern, found.found ? found.pattern : undefined)
          asked++
        }
      },
    ),
    { numRuns: TABLES },
  )
  assert.equal(asked, TABLES * REQUESTS)
})
