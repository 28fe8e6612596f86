import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../../../test/support/exchange.ts'
import { ManualClock } from '../../../testing/manual-clock.ts'
import type { Consumer, Exchange } from '../../../http/exchange.ts'
import { Headers } from '../../../http/headers.ts'
import { compileRule, reasonOf } from './rule.ts'
import { RuleProblem } from './rule-problem.ts'
import { RuleVariables, VARIABLES } from './variables.ts'

const alice: Consumer = {
  id: 'alice',
  roles: ['user', 'auditor'],
  scopes: ['read'],
  tier: 'gold',
  key: null,
  claims: { org: 'acme', level: 3, groups: ['a', 'b'], admin: true, nested: { depth: 2 }, nothing: null },
}

/** What a rule says of a GET of /orgs/acme by alice, at 10:30 on a Monday. */
function ask(text: string, parts: Partial<Exchange> = {}, consumer = alice): boolean {
  const exchange = makeExchange({ path: '/orgs/acme', params: { org: 'acme' }, query: '?page=2', ...parts })
  const rule = compileRule(text)
  return rule.allows(new RuleVariables(exchange, consumer, new ManualClock(), rule.fields))
}

const problemOf = (text: string): string => {
  try {
    compileRule(text)
  } catch (error) {
    assert.ok(error instanceof RuleProblem, String(error))
    return error.message
  }
  return assert.fail(`compiles: ${text}`)
}

const output: Readonly<Record<string, boolean>> = {
  'claims.org == params.org': true,
  'claims.org == "other"': false,
  'consumer.id == "alice" && consumer.tier in ["gold", "silver"]': true,
  '"auditor" in consumer.roles && "write" in consumer.scopes': false,
  'claims.level >= 3 && claims.level == 3': true,
  'claims.nested.depth < 2': false,
  'claims.level == params.org || claims.level == "3"': false,
  'claims.admin': true,
  'claims.groups.exists(group, group == "b")': true,
  'claims.groups.all(group, group == "b")': false,
  'has(claims.missing) || claims.nothing == null': true,
  '!has(claims.org)': false,
  'method in ["GET", "HEAD"] && path.startsWith("/orgs/") && scheme == "http"': true,
  'host == "api.example.com" && address == "192.0.2.1"': true,
  'query.page == "2" && int(query.page) < 10': true,
  'path.matches("^/orgs/[a-z]+$") && !path.matches("^/admin")': true,
  '"a,b".split(",").all(part, part in claims.groups)': true,
  'size(claims.groups) == 2 && size(params.org) == 4': true,
  'time.getHours() == 10 && time.getDayOfWeek() == 1': true,
  'time < timestamp("2030-01-01T00:00:00Z")': true,
  'claims.level > 5 ? false : claims.org == "acme"': true,
}

for (const [text, expected] of Object.entries(output))
  test(`${text} is ${expected}`, () => {
    assert.equal(ask(text), expected)
  })

test('header names are lower case, and values decoded as UTF-8', () => {
  const headers = Headers.of([
    ['X-Tenant', Buffer.from('Zürich').toString('latin1')],
    ['X-Flag', 'on'],
  ])
  assert.equal(
    ask('headers["x-tenant"] == "Zürich" && "x-flag" in headers && !("x-other" in headers)', { headers }),
    true,
  )
  assert.deepEqual(compileRule('headers["x-tenant"] == "a" || headers.accept == "b"').fields, ['x-tenant', 'accept'])
  assert.match(problemOf('headers["X-Tenant"] == "a"'), /must be in lower case: "x-tenant" at character 1$/)
  assert.match(problemOf('headers[params.name] == "a"'), /can only be accessed by name/)
  assert.match(problemOf('size(headers) > 3'), /can only be accessed by name/)
})

test('missing values and type mismatches are errors', () => {
  for (const text of [
    'claims.missing == "a"',
    'claims.org > 3',
    'params.id == "7"',
    'claims.org',
    'int(params.org) == 1',
    'claims.org.deeper == 1',
    'headers.missing == "a"',
  ])
    assert.throws(() => ask(text), Error, text)
})

test('a missing value does not matter if the rest decides', () => {
  assert.equal(ask('claims.missing == "a" || "user" in consumer.roles'), true)
  assert.equal(ask('claims.missing == "a" && "nobody" in consumer.roles'), false)
})

test('a repeated parameter has no value', () => {
  const query = '?org=acme&org=other&page=2'
  assert.equal(ask('query.page == "2"', { query }), true)
  for (const text of [
    'query.org == "acme"',
    'query.org != "x"',
    '!has(query.org)',
    'query["org"] in ["acme"]',
    'query == {"org": "other", "page": "2"}',
    'query != {"org": "other", "page": "2"}',
    'query.exists(name, query[name] == "other")',
  ])
    assert.throws(() => ask(text, { query }), /"org" more than once/, text)
})

test('values with the names of members of every object are values like others', () => {
  const query = '?constructor=a&__proto__=b&toString=c'
  const headers = Headers.of([
    ['constructor', 'a'],
    ['__proto__', 'b'],
  ])
  const consumer = { ...alice, claims: { ...alice.claims, constructor: 'a' } }
  const params = { org: 'acme', constructor: 'a' }
  const rules = [
    'query.constructor == "a" && query["__proto__"] == "b" && "toString" in query && !("valueOf" in query)',
    'headers.constructor == "a" && headers["__proto__"] == "b"',
    'claims.constructor == "a" && claims.org == params.org && params.constructor == "a"',
    'size(query) == 3 && query.exists(name, query[name] == "c")',
  ]
  for (const text of rules) assert.equal(ask(text, { query, headers, params }, consumer), true, text)
})

test('only claims and request data can be reached', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    assert.throws(() => ask(`claims["${name}"] != null`), Error)
    assert.throws(() => ask(`params["${name}"] != "x"`), Error)
    assert.throws(() => ask(`query["${name}"] != "x"`), Error)
  }
  for (const text of [
    'exchange.path == "/"',
    'process.exit()',
    'fields == []',
    'cel.bind(a, 1, a == 1)',
    'type(1) == int',
  ])
    assert.match(problemOf(text), /^unknown (?:name|method|function) /)
})

test('an unknown name is a problem with its position and the known names', () => {
  assert.equal(problemOf('params.org == claim.org'), 'unknown name "claim" at character 15')
  assert.throws(() => compileRule('claim.org == "a"'), { unknown: { name: 'claim', known: Object.keys(VARIABLES) } })
  assert.match(problemOf('consumer.role == "a"'), /No such key: role at character \d+$/)
  assert.match(problemOf('path.beginsWith("/a")'), /^unknown method "beginsWith" at character \d+$/)
  assert.match(problemOf('length(path) > 1'), /^unknown function "length" at character 1$/)
})

test('params lists path parameters that a rule always needs', () => {
  assert.deepEqual(compileRule('claims.org == params.org && params["id"] != ""').params, ['org', 'id'])
  assert.deepEqual(compileRule('!has(params.org) || claims.org == params.org').params, [])
  assert.deepEqual(compileRule('claims.groups.exists(params, params.org == "a")').params, [])
})

test('a malformed rule is a problem', () => {
  assert.match(problemOf('claims.org =='), /at character \d+$/)
  assert.match(problemOf(''), /./)
  assert.match(problemOf('path + 1'), /no such overload: string \+ int/)
  assert.match(problemOf('path'), /^results in string; expected true or false$/)
  assert.match(problemOf('path.matches(method)'), /needs a pattern in quotes/)
  assert.match(problemOf('path.matches("(a)\\\\1")'), /the pattern /)
  assert.match(problemOf('path.matches(1)'), /needs a pattern in quotes/)
  assert.match(problemOf(`path == "${'a'.repeat(2000)}"`), /more than 2000 characters/)
})

test('nested loops over lists are rejected', () => {
  assert.match(problemOf('claims.groups.exists(a, claims.groups.exists(b, a == b))'), /cannot be nested at character/)
})

test('patterns run in linear time, and split is limited to a hundred parts', () => {
  const long = 'a'.repeat(50_000)
  assert.equal(ask('path.matches("^(a+)+$")', { path: `${long}!` }), false)
  const headers = Headers.of([['x-ids', 'a,'.repeat(1000)]])
  assert.throws(() => ask('headers["x-ids"].split(",").all(id, id == "a")', { headers }), /more than 100 parts/)
})

test('the logged reason contains no values of the request', () => {
  const reason = (text: string): string => {
    try {
      ask(text)
    } catch (error) {
      return reasonOf(error)
    }
    return assert.fail('it has a message')
  }
  assert.match(reason('claims.missing == "a"'), /^No such key: missing at character \d+$/)
  assert.match(reason('claims.level > params.org'), /^no such overload: .*double> > string at character 1$/)
  assert.doesNotMatch(reason('timestamp(claims.org) < time'), /acme/)
  assert.doesNotMatch(reason('int(params.org) == 1'), /acme/)
})

test('property: any text compiles or is a problem, and evaluating gives true, false or an error', () => {
  const words = [
    'claims',
    '.org',
    '["a"]',
    '==',
    '&&',
    '!',
    '(',
    ')',
    'has',
    'path',
    '"x"',
    '1',
    'in',
    '[',
    ']',
    '?',
    ':',
    '-',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), fc.jsonValue(), (parts, org) => {
      let allowed: unknown
      try {
        const consumer = { ...alice, claims: { org } }
        allowed = ask(parts.join(' '), {}, consumer)
      } catch (error) {
        assert.ok(error instanceof Error)
        return
      }
      assert.equal(typeof allowed, 'boolean')
    }),
  )
})
