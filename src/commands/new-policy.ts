import { UsageError } from './command.ts'
import type { NewFile } from './write-new.ts'

/** A valid name of a policy in a file. */
const NAME = /^[a-z]+(?:-[a-z0-9]+)*$/

/** A policy of that name, which adds a header to replies, and its test. Throws UsageError for an invalid name. */
export function newPolicy(name: string): readonly NewFile[] {
  if (!NAME.test(name))
    throw new UsageError(`${JSON.stringify(name)} is not a valid policy name: expected one such as "tenant-header".`)
  return [
    {
      path: `policies/${name}.ts`,
      text: policyText(name),
      what: 'a custom policy, which adds a header to replies',
    },
    { path: `policies/${name}.test.ts`, text: testText(name), what: 'its test: node --test' },
  ]
}

/** The header that it adds: X-Tenant-Header for "tenant-header". */
function fieldOf(name: string): string {
  const words = name.split('-').map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
  return `X-${words.join('-')}`
}

function policyText(name: string): string {
  return `import { definePolicy, editReplies, z } from 'sallyport'

/** Its options in the configuration, under "policies: ${name}:". */
const options = z.strictObject({
  value: z.string().min(1).default('hello').describe('Value of the header ${fieldOf(name)}. Default hello.'),
})

export default definePolicy({
  name: '${name}',
  summary: 'Adds the header ${fieldOf(name)} to replies.',
  options,
  create({ value }) {
    // Runs once per route, when the configuration is loaded.
    return (next) => editReplies(next, (reply) => reply.headers.set('${fieldOf(name)}', value))
  },
})
`
}

function testText(name: string): string {
  return `import assert from 'node:assert/strict'
import test from 'node:test'
import { Reply } from 'sallyport'
import { applyPolicy, fakeExchange, startTestGateway } from 'sallyport/testing'
import policy from './${name}.ts'

test('replies get the header', async () => {
  const handle = applyPolicy(policy, { value: 'hi' }, () => Reply.json(200, {}))
  const reply = await handle(fakeExchange())
  assert.equal(reply.headers.get('${fieldOf(name)}'), 'hi')
})

test('the policy runs in a gateway', async () => {
  await using gateway = await startTestGateway({
    ownPolicies: [policy],
    policies: { ${name.includes('-') ? `'${name}'` : name}: {} },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { body: 'hello' } }],
  })
  const reply = await fetch(gateway.url)
  assert.equal(reply.headers.get('${fieldOf(name)}'), 'hello')
})
`
}
