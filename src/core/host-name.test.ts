import assert from 'node:assert/strict'
import test from 'node:test'
import { hostName } from './host-name.ts'

test('the host name has no port or trailing dot, and is in lower case', () => {
  const cases: Record<string, string> = {
    'api.example.com': 'api.example.com',
    'API.Example.com:8000': 'api.example.com',
    'api.example.com.': 'api.example.com',
    'api.example.com.:80': 'api.example.com',
    'localhost:': 'localhost',
    '127.0.0.1:80': '127.0.0.1',
    '[::1]': '[::1]',
    '[FE80::1]:8000': '[fe80::1]',
    '[broken': '[broken',
    '': '',
    '.': '',
  }
  for (const [host, name] of Object.entries(cases)) assert.equal(hostName(host), name, host)
})

test('a name longer than DNS allows is empty', () => {
  assert.equal(hostName('a'.repeat(253)), 'a'.repeat(253))
  assert.equal(hostName('a.'.repeat(4000)), '')
})
