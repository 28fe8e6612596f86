import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Challenge } from '../../src/acme/challenge.ts'
import type { DnsHook } from '../../src/acme/dns-hook.ts'
import { solveByDns } from '../../src/acme/dns-solver.ts'
import { systemClock } from '../../src/core/clock.ts'
import { cleanUp } from '../support/cleanup.ts'
import { temporaryFile } from '../support/command.ts'
import { startDns, type TestDns } from '../support/pebble.ts'
import { until } from '../support/redis.ts'

const challenge: Challenge = {
  type: 'dns-01',
  domain: 'shop.test',
  token: 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA',
  keyAuthorization: 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI',
}
// printf %s KEY-AUTHORIZATION | openssl dgst -sha256 -binary | basenc --base64url, without "="
const VALUE = 'lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM'

const ending = new AbortController().signal

function solver(hook: DnsHook, dns: TestDns, propagation = 30_000) {
  return solveByDns({ hook, propagation, resolvers: [`127.0.0.1:${dns.port}`] }, systemClock, ending)
}

/** A hook that records its calls. */
async function startHook(t: TestContext, status = 200, tell?: (body: Record<string, string>) => Promise<void>) {
  const told: unknown[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const body = JSON.parse(text) as Record<string, string>
      told.push({ ...body, authorization: request.headers.authorization })
      void (tell?.(body) ?? Promise.resolve()).then(() => response.writeHead(status).end())
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  cleanUp(t, () => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return { told, port, url: `http://127.0.0.1:${port}/dns` }
}

test('a webhook is called to set the record and to clear it, and the record is awaited', async (t) => {
  const dns = await startDns(t)
  const { told, url } = await startHook(t, 200, async ({ action, name, value }) => {
    if (action === 'set') await dns.setTxt(`${name}.`, value!)
    else await dns.clearTxt(`${name}.`)
  })
  const clear = await solver({ url, headers: { Authorization: 'Bearer s3cret' } }, dns).present([challenge])
  const change = { domain: 'shop.test', name: '_acme-challenge.shop.test', value: VALUE }
  assert.deepEqual(told, [{ action: 'set', ...change, authorization: 'Bearer s3cret' }])
  await clear()
  assert.deepEqual(told[1], { action: 'clear', ...change, authorization: 'Bearer s3cret' })
})

test('a command gets the action, the name and the value as arguments', async (t) => {
  const dns = await startDns(t)
  const program = await temporaryFile(
    t,
    'hook.mjs',
    `const [key, action, name, value] = process.argv.slice(2)
     const body = JSON.stringify({ host: name + '.', value })
     if (key !== 'key') throw new Error('no key')
     await fetch('${dns.url}/' + action + '-txt', { method: 'POST', body })`,
  )
  const command = [process.execPath, program, 'key']
  const clear = await solver({ command }, dns).present([challenge])
  const there = solver({ command: [process.execPath, '-e', '0'] }, dns, 0)
  await there.present([challenge])
  await clear()
})

test('after a bounded wait for the DNS record the order goes on', async (t) => {
  const dns = await startDns(t)
  const { told, url } = await startHook(t)
  const clear = await solver({ url, headers: {} }, dns, 0).present([challenge])
  await clear()
  assert.equal(told.length, 2)
})

for (const [what, command, said] of [
  [
    'fails',
    ['-e', 'console.error("no such zone"); process.exit(3)'],
    /_acme-challenge\.shop\.test" failed: it exited with 3: no such zone$/,
  ],
  ['prints a lot', ['-e', 'console.log("x".repeat(1e6))'], /failed: stdout maxBuffer length exceeded/],
] as const)
  test(`the error of a command that ${what} contains its output`, async (t) => {
    const dns = await startDns(t)
    const hook = { command: [process.execPath, ...command] }
    await assert.rejects(solver(hook, dns).present([challenge]), (error) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, said)
      assert.ok(error.message.length < 700)
      return true
    })
  })

test('a hook that does not exist or rejects the call is named in the error, without the credentials', async (t) => {
  const dns = await startDns(t)
  await assert.rejects(
    solver({ command: ['/no/such/program'] }, dns).present([challenge]),
    /the program does not exist/,
  )
  const { url, port, told } = await startHook(t, 403)
  await assert.rejects(
    solver({ url, headers: { Authorization: 'Bearer s3cret' } }, dns).present([challenge]),
    (error) => {
      assert.ok(error instanceof Error)
      assert.equal(error.message, `the DNS hook at 127.0.0.1:${port} answered set with 403`)
      return true
    },
  )
  // Records that may have been set in part are removed.
  assert.deepEqual(
    told.map((each) => (each as { action: string }).action),
    ['set', 'clear'],
  )
})

test('a command that ignores SIGTERM is killed when it is aborted', async (t) => {
  // One file per action, so that none is read while the next command is about to write it.
  const file = await temporaryFile(t, 'pid', '')
  const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)
    require('fs').writeFileSync(${JSON.stringify(file)} + process.argv[1], String(process.pid))`
  const stop = new AbortController()
  const hook = { command: [process.execPath, '-e', stubborn] }
  const presenting = solveByDns({ hook, propagation: 0, resolvers: [] }, systemClock, stop.signal).present([challenge])
  const started = async (action: string): Promise<number> => {
    const pid = async () => Number(await readFile(file + action, 'utf8').catch(() => ''))
    await until(`the command to ${action} to start`, async () => (await pid()) > 0)
    const found = await pid()
    cleanUp(t, () => void (isThere(found) && process.kill(found, 'SIGKILL')))
    return found
  }
  const setting = await started('set')
  stop.abort()
  // The second call removes what the first may have set.
  const clearing = await started('clear')
  await until('its exit', () => Promise.resolve(!isThere(setting)))
  process.kill(clearing, 'SIGKILL')
  await assert.rejects(presenting)
})

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
