import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { fieldLine } from './field-lines.ts'
import { appendLines, hasAnyOf, Headers, headersFromWire, replaceLines, sameName, wireOf } from './headers.ts'
import { NameSet } from './name-set.ts'

const sent = [
  ['Accept', '*/*'],
  ['cookie', 'a=1'],
  ['X-Empty', ''],
  ['COOKIE', 'b=2: c'],
] as const

function headers(): Headers {
  return headersFromWire('Accept: */*\r\ncookie: a=1\r\nX-Empty: \r\nCOOKIE: b=2: c\r\n')
}

test('headers keep their order and case', () => {
  assert.deepEqual([...headers()], sent)
  assert.equal(Headers.of(sent).toWire(), headers().toWire())
})

test('names are case-insensitive', () => {
  assert.equal(headers().get('ACCEPT'), '*/*')
  assert.equal(headers().get('Cookie'), 'a=1')
  assert.deepEqual(headers().getAll('Cookie'), ['a=1', 'b=2: c'])
  assert.equal(headers().combined('Cookie'), 'a=1, b=2: c')
  assert.equal(headers().get('x-empty'), '')
  assert.ok(headers().has('x-empty'))
})

test('a missing name is not found', () => {
  for (const name of ['Accep', 'Accept-Encoding', 'a=1', 'b=2', 'X', '']) {
    assert.equal(headers().get(name), undefined)
    assert.deepEqual(headers().getAll(name), [])
    assert.equal(headers().combined(name), undefined)
    assert.ok(!headers().has(name))
    assert.ok(!headers().delete(name))
  }
  assert.deepEqual([...Headers.of()], [])
})

test('several names are looked up at once', () => {
  assert.ok(hasAnyOf(headers(), new NameSet(['Other', 'COOKIE'])))
  assert.ok(!hasAnyOf(headers(), new NameSet(['Other', 'Cook'])))
})

test('names that differ in more than case are different', () => {
  for (const [a, b] of [
    ['^', '~'],
    ['X-^', 'X-~'],
    ['a', 'b'],
    ['A1', 'Aq'],
    ['X-A', 'X\rA'],
  ] as const) {
    assert.ok(!sameName(a, b))
    assert.ok(!headersFromWire(`${a}: x\r\n`).has(b))
    assert.ok(!hasAnyOf(headersFromWire(`${a}: x\r\n`), new NameSet([b])))
  }
  assert.ok(sameName('X-zA~^', 'x-Za~^'))
})

test('set leaves one header of the name, at the position of the first', () => {
  const changed = headers()
  changed.set('Cookie', 'c=3')
  changed.set('New', 'n')
  assert.equal(changed.toWire(), 'Accept: */*\r\nCookie: c=3\r\nX-Empty: \r\nNew: n\r\n')
})

test('replace puts lines instead of all headers with the names', () => {
  const changed = headers()
  replaceLines(changed, new NameSet(['X-Empty', 'Cookie', 'Other']), 'Cookie: c=3\r\n')
  assert.equal(changed.toWire(), 'Accept: */*\r\nCookie: c=3\r\n')
})

test('a cached list is discarded on change', () => {
  const changed = headers()
  assert.equal(changed.entries().length, 8)
  changed.delete('cookie')
  assert.deepEqual(changed.entries(), ['Accept', '*/*', 'X-Empty', ''])
})

test('a copy is independent', () => {
  const original = headers()
  const copy = original.clone()
  copy.delete('Accept')
  original.append('More', '1')
  assert.equal(copy.has('More'), false)
  assert.equal(original.has('Accept'), true)
})

test('dated is true if and only if there is a Date', () => {
  assert.equal(headersFromWire('', true).dated, true)
  assert.equal(headers().dated, false)
  const own = headers()
  own.append('date', 'x')
  assert.equal(own.dated, true)
  own.delete('Date')
  assert.equal(own.dated, false)
  const replaced = headersFromWire('Date: x\r\n', true)
  replaceLines(replaced, new NameSet(['Date']), '')
  assert.equal(replaced.dated, false)
  replaceLines(replaced, new NameSet(['Date']), 'Date: y\r\n')
  assert.equal(replaced.dated, true)
})

for (const value of ['a\r\nb', 'a\rb', 'a\nb', 'a\0b', ' a', 'a ', 'a\x7fb', '\u0100'])
  test(`the value ${JSON.stringify(value)} is rejected`, () => {
    for (const change of [
      () => headers().set('X', value),
      () => headers().append('X', value),
      () => Headers.of([['X', value]]),
      () => fieldLine('X', value),
    ])
      assert.throws(change, { name: 'TypeError', message: /^the value of the header X cannot be sent: / })
  })

for (const name of ['', 'a b', 'a:', 'a\r\n', '\u00e4'])
  test(`the name ${JSON.stringify(name)} is rejected`, () => {
    for (const change of changesTo(name, 'x'))
      assert.throws(change, { name: 'TypeError', message: / is not a header name: use letters, digits / })
  })

for (const name of [
  'Connection',
  'content-length',
  'Expect',
  'HOST',
  'HTTP2-Settings',
  'Keep-Alive',
  'Proxy-Connection',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'upgrade',
])
  test(`${name} is set by the gateway only, and rejected`, () => {
    const message = `the header ${name} belongs to the connection and the framing of messages; the gateway sets it itself`
    for (const change of changesTo(name, '5')) assert.throws(change, { name: 'TypeError', message })
  })

function changesTo(name: string, value: string): (() => unknown)[] {
  return [
    () => headers().set(name, value),
    () => headers().append(name, value),
    () => Headers.of([[name, value]]),
    () => fieldLine(name, value),
  ]
}

test('methods that take raw lines cannot be reached from the class or the published modules', async () => {
  const reachable = [Headers, Headers.prototype, headers()].flatMap((each) => Reflect.ownKeys(each))
  assert.deepEqual(reachable.map(String).toSorted(), [
    'Symbol(Symbol.iterator)',
    'append',
    'clone',
    'combined',
    'constructor',
    'dated',
    'delete',
    'entries',
    'get',
    'getAll',
    'has',
    'length',
    'name',
    'of',
    'prototype',
    'set',
    'single',
    'toWire',
  ])
  const published = { ...(await import('../gateway.ts')), ...(await import('../testing.ts')) }
  for (const internal of [headersFromWire, appendLines, replaceLines]) {
    const [found] = Object.entries(published).find(([, each]) => Object.is(each, internal)) ?? []
    assert.equal(found, undefined)
  }
  // What a call of the class with lines would make, and what a class below it says of itself, is not what is written.
  const Open = Headers as unknown as new (lines: string) => Headers
  assert.equal(wireOf(new Open('A: 1\r\n')), '')
  class Forged extends Headers {
    override toWire(): string {
      return 'A: 1\r\n\r\n'
    }
  }
  assert.equal(wireOf(new Forged()), '')
})

test('property: no sequence of public calls creates other lines than requested', () => {
  const hostile = fc.string({
    unit: fc.constantFrom(
      '\r',
      '\n',
      '\0',
      ':',
      ' ',
      '\t',
      'a',
      'B',
      '-',
      '\x7f',
      '\xe9',
      '\u010d',
      '\u010a',
      '\u2028',
    ),
    maxLength: 6,
  })
  const name = fc.oneof(fc.constantFrom('A', 'b', 'Date', 'Content-Length', 'Transfer-Encoding', 'Host'), hostile)
  const value = fc.oneof(fc.constantFrom('', '5', 'chunked', 'x\r\nEvil: 1', 'x\r\n\r\nHTTP/1.1 200 OK'), hostile)
  const call = fc.tuple(fc.constantFrom('set', 'append', 'of', 'delete', 'clone', 'entries'), name, value)
  fc.assert(
    fc.property(fc.array(call, { maxLength: 20 }), (calls) => {
      const model = new Model()
      let real = Headers.of()
      for (const [how, key, text] of calls) {
        const valid =
          /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/.test(key) && /^(?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?$/.test(text)
        const allowed = valid && !['content-length', 'transfer-encoding', 'host'].includes(key.toLowerCase())
        if (how === 'clone') real = real.clone()
        if (how === 'delete') assert.equal(real.delete(key), model.delete(key))
        // For reading only: what is put there by force stays out of the message.
        if (how === 'entries') (real.entries() as string[]).push(key, text)
        if (how !== 'set' && how !== 'append' && how !== 'of') continue
        const change = (): void => {
          if (how === 'of') Headers.of([[key, text]])
          else real[how](key, text)
        }
        if (!allowed) {
          assert.throws(change, TypeError)
          continue
        }
        change()
        if (how === 'set') model.set(key, text)
        if (how === 'append') model.fields.push([key, text])
      }
      const lines = model.fields.map(([key, text]) => `${key}: ${text}\r\n`)
      assert.equal(wireOf(real), lines.join(''))
      assert.equal(wireOf(real).split('\n').length - 1, lines.length)
    }),
  )
})

/** The plain way to do the same. */
class Model {
  fields: (readonly [name: string, value: string])[] = []

  is(name: string) {
    return ([other]: readonly [string, string]) => other.toLowerCase() === name.toLowerCase()
  }

  set(name: string, value: string): void {
    const first = this.fields.findIndex(this.is(name))
    if (first === -1) this.fields.push([name, value])
    else
      this.fields = this.fields.flatMap((field, i) => {
        if (i === first) return [[name, value] as const]
        return this.is(name)(field) ? [] : [field]
      })
  }

  delete(name: string): boolean {
    const { length } = this.fields
    this.fields = this.fields.filter((field) => !this.is(name)(field))
    return this.fields.length < length
  }
}

test('property: any sequence of changes has the same result as a plain list', () => {
  const name = fc.constantFrom('a', 'A', 'ab', 'aB', 'b-a', 'B-A', 'date', 'c')
  const value = fc.stringMatching(/^(?:[!-~](?:[!-~ ]{0,8}[!-~])?)?$/)
  const change = fc.tuple(fc.constantFrom('set', 'append', 'appendLines', 'delete', 'replace', 'clone'), name, value)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.array(change, { maxLength: 20 }), (fields, changes) => {
      const wire = fields.map(([key, text]) => fieldLine(key, text)).join('')
      const model = new Model()
      model.fields.push(...fields)
      let real = headersFromWire(wire, model.fields.some(model.is('date')))
      for (const [how, key, text] of changes) {
        if (how === 'set') {
          real.set(key, text)
          model.set(key, text)
        } else if (how === 'append') {
          real.append(key, text)
          model.fields.push([key, text])
        } else if (how === 'appendLines') {
          appendLines(real, new NameSet([key]), fieldLine(key, text))
          model.fields.push([key, text])
        } else if (how === 'clone') {
          const original = real
          real = original.clone()
          replaceLines(original, new NameSet([key]), '')
        } else if (how === 'delete') assert.equal(real.delete(key), model.delete(key))
        else {
          replaceLines(real, new NameSet([key, 'c']), fieldLine(key, text))
          model.delete(key)
          model.delete('c')
          model.fields.push([key, text])
        }
        assert.deepEqual([...real], model.fields)
        assert.deepEqual(
          real.getAll(key),
          model.fields.filter(model.is(key)).map(([, each]) => each),
        )
        assert.equal(real.get(key), model.fields.find(model.is(key))?.[1])
        assert.equal(
          hasAnyOf(real, new NameSet([key, 'c'])),
          [key, 'c'].some((one) => model.fields.some(model.is(one))),
        )
        assert.equal(real.dated, model.fields.some(model.is('date')))
      }
    }),
  )
})

test('known good lines are appended unchanged', () => {
  const all = headers()
  appendLines(all, new NameSet(['X-One', 'X-Two']), 'X-One: 1\r\nX-Two: 2\r\n')
  assert.deepEqual([...all], [...sent, ['X-One', '1'], ['X-Two', '2']])
})

test('names that a CGI service would confuse are removed, also among replaced ones', () => {
  const forCgi = new NameSet(['X-User-ID'], true)
  const other = new NameSet(['X-Other', 'X_User-ID'])
  const wire = 'x_user_id: forged\r\nX-Other: o\r\nX-User-ID: forged\r\n'
  for (const order of [
    [forCgi, other],
    [other, forCgi],
  ]) {
    const changed = headersFromWire(wire)
    appendLines(changed, new NameSet(['X-User_ID']), 'X-User_ID: forged\r\n')
    for (const names of order) replaceLines(changed, names, names === forCgi ? 'X-User-ID: 1\r\n' : 'X-Other: 1\r\n')
    assert.deepEqual(
      [...changed].toSorted(([a], [b]) => (a < b ? -1 : 1)),
      [
        ['X-Other', '1'],
        ['X-User-ID', '1'],
      ],
    )
  }
})
