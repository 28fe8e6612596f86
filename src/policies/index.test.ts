import assert from 'node:assert/strict'
import test from 'node:test'
import { policies, type PolicyInputs, type PolicyName, type PolicyOptions } from './index.ts'

test('every policy has its own name, in kebab case', () => {
  const names = policies.map((policy) => policy.name)
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^[a-z]+(?:-[a-z]+)*$/)
})

test('every policy has a one-sentence summary', () => {
  for (const policy of policies) assert.match(policy.summary, /^[A-Z][^\n]+\.$/)
})

test('names and options of the policies are typed', () => {
  const name: PolicyName = 'correlation-id'
  const written: PolicyInputs['correlation-id'] = {}
  const parsed: PolicyOptions['correlation-id'] = { header: 'X-Correlation-ID' }
  assert.deepEqual(policies.find((policy) => policy.name === name)?.options.parse(written), parsed)
})
