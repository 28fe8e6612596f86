import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parse } from 'yaml'
import { type KeyEntry, keyLines, withKey, withoutKey, withRotatedKey } from './key-edits.ts'
import { readYaml } from './yaml.ts'

const NEW: KeyEntry = { id: 'new', sha256: 'n', roles: ['a, b', 'c'] }
const END = '2027-01-31T00:00:00.000Z'

interface Written {
  policies: { auth: { methods: { 'api-key': { keys?: KeyEntry[] } } } }
  routes?: Written[]
}

/** The keys of the list for every route. */
function keysIn(text: string | null): KeyEntry[] | undefined {
  assert.ok(text !== null)
  return (parse(text) as Written).policies.auth.methods['api-key'].keys
}

const block = `# top
policies:
  auth:
    methods:
      api-key:
        header: X-Key # which
        keys:
          # the first
          - id: a
            sha256: 'aa' # digest

          - { id: b, sha256: bb }
    failures: false
routes: []
`

test('a new key is appended, and every other line stays unchanged', () => {
  const changed = withKey(block, NEW)
  assert.deepEqual(keysIn(changed), [{ id: 'a', sha256: 'aa' }, { id: 'b', sha256: 'bb' }, NEW])
  const lines = changed!.split('\n')
  assert.deepEqual(
    block.split('\n').filter((line) => !lines.includes(line)),
    [],
  )
})

test('a rotated key is inserted before the old one, which gets an expiry or is removed', () => {
  const key = { ...NEW, id: 'a' }
  assert.deepEqual(keysIn(withRotatedKey(block, key, END)), [
    key,
    { id: 'a', sha256: 'aa', expires: END },
    { id: 'b', sha256: 'bb' },
  ])
  assert.deepEqual(keysIn(withRotatedKey(block, key, null)), [key, { id: 'b', sha256: 'bb' }])
  const again = { ...NEW, id: 'a', sha256: 'again' }
  const twice = withRotatedKey(withRotatedKey(block, key, END)!, again, END)
  assert.deepEqual(
    keysIn(twice)?.map(({ sha256, expires }) => [sha256, expires]),
    [
      ['again', undefined],
      ['n', END],
      ['aa', END],
      ['bb', undefined],
    ],
  )
})

test('keys are removed by id, or a single one by prefix', () => {
  assert.deepEqual(keysIn(withoutKey(block, 'a')), [{ id: 'b', sha256: 'bb' }])
  assert.deepEqual(keysIn(withoutKey(block, 'b')), [{ id: 'a', sha256: 'aa' }])
  const two = withRotatedKey(block, { id: 'a', sha256: 'n', prefix: 'sp_1' }, END)!
  assert.deepEqual(
    keysIn(withoutKey(two, 'a', 'sp_1')),
    keysIn(block)?.toSpliced(0, 1, { id: 'a', sha256: 'aa', expires: END }),
  )
  assert.deepEqual(keysIn(withoutKey(withoutKey(block, 'a')!, 'b')), [])
})

test('lists of single routes, and lists behind anchors, are edited in place', () => {
  const own = `policies: { auth: { methods: &m { api-key: { keys: [{ id: a, sha256: aa }] } } } }
routes:
  - id: r
    policies:
      auth:
        methods:
          api-key:
            keys:
            - id: a
              sha256: aa
  - { id: s, policies: { auth: { methods: *m } } }`
  const removed = parse(withoutKey(own, 'a')!, { merge: true }) as Written
  for (const { policies } of [removed, ...removed.routes!]) assert.deepEqual(policies.auth.methods['api-key'].keys, [])
})

test('a list that cannot be edited safely is left alone', () => {
  for (const text of [
    'routes: []\n',
    'policies: { auth: false }\n',
    'policies: { auth: { methods: { api-key: { keys: KEYS } } } }\n',
    'policies: {\n',
    'x: &k [{ id: a, sha256: aa }]\npolicies: { auth: { methods: { api-key: { keys: *k } } } }\n',
  ])
    assert.equal(withKey(text, NEW), null, text)
  assert.equal(withoutKey(block, 'none'), null)
  assert.equal(withRotatedKey(block, NEW, END), null)
})

test('the lines of a key are a valid configuration by themselves', () => {
  assert.deepEqual(keysIn(keyLines(NEW)), [NEW])
})

const word = fc.constantFrom('a', 'b', 'c', 'yes', '12', "it's", 'a: b', '# no', '- x', '${X}', '[', 'é', '')
const entry = fc.record(
  { id: fc.constantFrom('a', 'b', 'c'), sha256: word, owner: word },
  { requiredKeys: ['id', 'sha256'], noNullPrototype: true },
)
const flow = (value: unknown): string => JSON.stringify(value)

/** Texts with a list of keys, as people write them. */
const texts = fc
  .record({
    keys: fc.array(entry, { minLength: 1, maxLength: 4 }),
    style: fc.constantFrom('block', 'items', 'lines', 'flow'),
    comment: fc.constantFrom('', ' # a, b: c'),
    blank: fc.constantFrom('', '\n'),
    ends: fc.constantFrom('', '\n', '\n    failures: false\n', '\n# the end\n'),
  })
  .map(({ keys, style, comment, blank, ends }) => {
    const head = 'policies:\n  auth:\n    methods:\n      api-key:\n        keys:'
    const items = keys.map((key) =>
      style === 'block'
        ? `          - ${Object.entries(key)
            .map(([name, value]) => `${name}: ${flow(value)}`)
            .join(`${comment}\n            `)}${comment}`
        : `          - ${flow(key)}${comment}`,
    )
    if (style === 'flow') return { keys, text: `${head} ${flow(keys)}${comment}${ends}` }
    if (style === 'lines')
      return {
        keys,
        text: `${head} [${comment}\n          ${keys.map(flow).join(`,${comment}\n          `)}${comment}\n        ]${ends}`,
      }
    return { keys, text: `${head}${comment}\n${items.join(`\n${blank}`)}${ends}` }
  })

test('property: after an edit the list has the expected keys, and nothing else has changed', () => {
  fc.assert(
    fc.property(texts, entry, ({ keys, text }, key) => {
      const written = JSON.parse(JSON.stringify(key).replaceAll('${X}', '$$$${X}')) as KeyEntry
      assert.deepEqual(keysIn(withKey(text, key)), [...keys, written])
      const left = keys.filter(({ id }) => id !== key.id)
      if (left.length < keys.length) assert.deepEqual(keysIn(withoutKey(text, key.id)), left)
      const at = keys.findIndex(({ id }) => id === key.id)
      if (at === -1) return
      const rotated = keysIn(withRotatedKey(text, key, END))
      const old = { ...keys[at]!, expires: END }
      assert.deepEqual(rotated, [...keys.slice(0, at), written, old, ...keys.slice(at + 1)])
    }),
  )
})

test('property: the line ends of the text are kept', () => {
  const crlf = (text: string | null): string | null => text?.replaceAll('\n', '\r\n') ?? null
  fc.assert(
    fc.property(texts, entry, ({ text }, key) => {
      if (!text.includes('\n')) return
      const other = text.replaceAll('\n', '\r\n')
      assert.equal(withKey(other, key), crlf(withKey(text, key)))
      assert.equal(withoutKey(other, key.id), crlf(withoutKey(text, key.id)))
      assert.equal(withRotatedKey(other, key, END), crlf(withRotatedKey(text, key, END)))
    }),
  )
})

test('text that looks like a variable is escaped', () => {
  const meant = { id: '${HOME}', owner: '$${file:/etc/passwd}', tier: '$$', sha256: 'n', roles: ['a$b', '${'] }
  const read = (text: string | null): KeyEntry[] | undefined => {
    assert.ok(text !== null)
    const { value } = readYaml(text, 'sallyport.yaml', { HOME: 'a secret' })
    return (value as Written).policies.auth.methods['api-key'].keys
  }
  const added = withKey(block, meant)
  assert.deepEqual(read(added), [{ id: 'a', sha256: 'aa' }, { id: 'b', sha256: 'bb' }, meant])
  assert.deepEqual(read(keyLines(meant)), [meant])
  assert.deepEqual(read(withRotatedKey(added!, { ...meant, sha256: 'next' }, END))?.slice(2), [
    { ...meant, sha256: 'next' },
    { ...meant, expires: END },
  ])
  assert.deepEqual(read(withoutKey(added!, meant.id)), keysIn(block))
  const inline = 'policies: { auth: { methods: { api-key: { keys: [] } } } }\n'
  assert.deepEqual(read(withKey(inline, meant)), [meant])
})
