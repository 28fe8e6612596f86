import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Headers } from '../../http/headers.ts'
import { normalizePath } from '../../routing/path.ts'
import { createRouter } from '../../routing/router.ts'
import { regexPath } from './regex-path.ts'

const part = fc.constantFrom(
  'a',
  'ab',
  String.raw`b\.c`,
  'x-y',
  '',
  'a?',
  'x*',
  '.',
  '.+',
  '.*',
  '(.+)',
  '[^/]+',
  '([^/]+)',
  '(?<id>[^/]+)',
  '(?<n>[0-9]+)',
  String.raw`\d+`,
  String.raw`(\w+)`,
  String.raw`\w*`,
  '(a|b)',
  'a|b',
  '(?:a|ab)',
  '[a-z]{1,2}',
  String.raw`\S+`,
  '[^x]+',
  '(a/b)?',
  'v[12]',
  String.raw`x-\d+`,
)
const regex = fc
  .tuple(
    fc.constantFrom('/', '^/', '', '(?i)/'),
    fc.array(part, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '$', '/?$', '/'),
  )
  .map(([start, parts, end]) => start + parts.join('/') + end)
const segment = fc.constantFrom('a', 'ab', 'b', 'b.c', 'x-y', 'x-1', '1', '12', 'v1', 'v3', 'A', 'zz', 'abc')
const path = fc
  .tuple(fc.array(segment, { maxLength: 5 }), fc.boolean())
  .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`)

/** What Kong does: the expression must describe the beginning of the path. */
function kong(source: string): ((path: string) => boolean) | null {
  const ignoresCase = source.startsWith('(?i)')
  try {
    const expression = new RegExp(`^(?:${source.replace(/^\(\?i\)/, '').replace(/^\^/, '')})`, ignoresCase ? 'ui' : 'u')
    return (text) => expression.test(text)
  } catch {
    return null
  }
}

test('property: an imported expression matches the same paths as in Kong', () => {
  let compared = 0
  fc.assert(
    fc.property(regex, fc.array(path, { minLength: 5, maxLength: 15 }), (source, paths) => {
      const expected = kong(source)
      const found = regexPath(source)
      if (expected === null || 'refusal' in found) return
      const { pattern, pathRegex } = found
      const router = createRouter([
        { match: { path: [pattern], ...(pathRegex !== null && { pathRegex }) }, value: 'route' },
      ])
      for (const text of paths) {
        if (normalizePath(text) !== text) continue
        compared++
        const taken = router.find('any.test', text, 'GET', Headers.of([]), '').found
        assert.equal(taken, expected(text), `${source} as ${pattern} with ${pathRegex} for ${text}`)
      }
    }),
    { numRuns: 2_000 },
  )
  assert.ok(compared > 1_000)
})
