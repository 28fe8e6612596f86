import assert from 'node:assert/strict'
import test from 'node:test'
import { ConfigError, createGateway, definePolicy, Reply, z } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'

/** A policy that answers with its mark, unless the path is for the next one. */
const answering = (name: string, mark: string) =>
  definePolicy({
    name,
    summary: 'Answers.',
    options: z.strictObject({ more: z.string().default('') }),
    create:
      ({ more }) =>
      (next) =>
      (exchange) =>
        exchange.path === `/${name}` || exchange.path === '/any' ? Reply.json(200, mark + more) : next(exchange),
  })

const base = {
  listeners: [{ address: '127.0.0.1:0' }],
  admin: false as const,
  endpoints: { docs: false as const, openapi: false as const },
  drainTimeout: '1s' as const,
  overload: false as const,
  routes: [{ id: 'all', match: { path: '/*' }, reply: {} }],
}

test('a reload takes other objects, other options and another order', async (t) => {
  const [one, two] = [answering('one', '1'), answering('two', '2')]
  const policies = { one: {}, two: {} }
  const { gateway, port } = await startGateway(t, { ...base, ownPolicies: [one, two], policies })
  const answer = async (path: string): Promise<unknown> => JSON.parse((await send(port, { path })).text)
  assert.deepEqual([await answer('/one'), await answer('/two'), await answer('/any')], ['1', '2', '1'])
  const outcome = async (change: Parameters<typeof gateway.reload>[0]): Promise<string> =>
    (await gateway.reload({ ...base, policies, ...change })).outcome
  assert.equal(await outcome({ ownPolicies: [one, two] }), 'unchanged')
  assert.equal(await outcome({ ownPolicies: [one, { policy: two, before: 'one' }] }), 'applied')
  assert.equal(await answer('/any'), '2')
  assert.equal(await outcome({ ownPolicies: [two, one] }), 'applied')
  assert.equal(await answer('/any'), '2')
  assert.equal(await outcome({ ownPolicies: [answering('one', '3'), two] }), 'applied')
  assert.equal(await answer('/any'), '3')
  assert.equal(await outcome({ ownPolicies: [answering('one', '3')], policies: { one: { more: '!' } } }), 'applied')
  assert.equal(await answer('/any'), '3!')
})

for (const [what, ownPolicies, path, message] of [
  ['is none', [{ name: 'one' }], 'ownPolicies[0]', /in TypeScript a policy/],
  ['is missing in its place', [{ policy: undefined, before: 'auth' }], 'ownPolicies[0]', /in TypeScript a policy/],
  [
    'has a name that is taken',
    [answering('one', ''), answering('one', '')],
    'ownPolicies[1]',
    /^the object contains a policy "one"/,
  ],
  ['has a name that is none', [answering('One', '')], 'ownPolicies[0]', /^the object names its policy "One"/],
  [
    'has its place nowhere',
    [{ policy: answering('one', ''), before: 'aut' }],
    'ownPolicies[0]',
    /"aut"; did you mean "auth"/,
  ],
  [
    'has two places',
    [{ policy: answering('one', ''), before: 'auth', after: 'auth' }],
    'ownPolicies[0]',
    /both before and after/,
  ],
  [
    'has a misspelled member',
    [{ ...answering('one', ''), feilds: () => [] }],
    'ownPolicies[0]',
    /^the object has a policy with the member "feilds", which policies do not have; did you mean "fields"\?$/,
  ],
  ['has a place that is misspelled', [{ policy: answering('one', ''), befor: 'auth' }], 'ownPolicies[0]', /befor/],
] as const)
  test(`an object that ${what} is a problem of the configuration`, async () => {
    await assert.rejects(createGateway({ ...base, ownPolicies: ownPolicies as never }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.ok(error.problems[0]?.path.startsWith(path), error.message)
      assert.match(error.problems[0]?.message ?? '', message)
      return true
    })
  })

test('where a policy is refused, its name is no further problem', async () => {
  const refused = { ...answering('one', ''), feilds: () => [] }
  const input = { ...base, ownPolicies: [refused], policies: { one: {}, cors: { origin: 7 } } }
  await assert.rejects(createGateway(input as never), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.deepEqual(
      error.problems.map(({ path }) => path),
      ['ownPolicies[0]', 'policies.cors.origin'],
    )
    return true
  })
})
