/** What tsc knows of the policies in a configuration in TypeScript, and that the gateway agrees. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { readPolicies } from '../src/config/load-policies.ts'
import { parseConfig } from '../src/config/parse.ts'
import { defineConfig, definePolicy, duration, z } from '../src/gateway.ts'
import { startTestGateway } from '../src/testing.ts'

const tenant = definePolicy({
  name: 'tenant',
  summary: 'Knows tenants.',
  options: z.strictObject({ tenants: z.string().array().min(1), header: z.string().default('X-Tenant') }),
  create: () => (next) => next,
})

const pause = definePolicy({
  name: 'pause',
  summary: 'Takes its time.',
  options: z.strictObject({ for: duration.default('1s') }),
  create: () => (next) => next,
})

const parsed = async (input: unknown): Promise<unknown> => {
  const { policies, routes } = parseConfig(input, await readPolicies(input, 'sallyport.yaml'))
  return { policies, ofRoute: routes.map((route) => route.policies) }
}

test('options are those of the policies in the list, for every route and for one', async () => {
  const config = defineConfig({
    ownPolicies: [tenant, { policy: pause, before: 'auth' }],
    policies: { tenant: { tenants: ['acme'] }, pause: { for: '2s' }, cors: { origins: ['https://a.example'] } },
    routes: [
      { id: 'a', match: { path: '/a' }, reply: {}, policies: { tenant: { header: 'X-T' }, pause: false } },
      { id: 'b', match: { path: '/b' }, reply: {}, policies: { tenant: false, cors: false } },
    ],
  })
  const report = (await parsed(config)) as { policies: object; ofRoute: readonly object[] }
  assert.deepEqual(Object.keys(report.policies).toSorted(), ['cors', 'pause', 'tenant'])
  assert.deepEqual(report.ofRoute[0], {
    ...report.policies,
    tenant: { tenants: ['acme'], header: 'X-T' },
    pause: false,
  })
})

test('what tsc refuses of the options of custom policies, the gateway refuses too', async () => {
  const match = { path: '/*' }
  const configurations = [
    defineConfig({
      ownPolicies: [tenant],
      // @ts-expect-error -- names are texts
      policies: { tenant: { tenants: [7] } },
    }),
    defineConfig({
      ownPolicies: [tenant],
      // @ts-expect-error -- tenants are required
      policies: { tenant: { header: 'X-T' } },
    }),
    defineConfig({
      ownPolicies: [tenant],
      // @ts-expect-error -- there is no such option
      policies: { tenant: { tenants: ['acme'], heather: 'X-T' } },
    }),
    defineConfig({
      ownPolicies: [tenant, { policy: pause, after: 'auth' }],
      // @ts-expect-error -- a duration has a unit
      policies: { pause: { for: '2' } },
    }),
    defineConfig({
      ownPolicies: [tenant],
      // @ts-expect-error -- there is no such policy
      policies: { tenent: { tenants: ['acme'] } },
    }),
    // @ts-expect-error -- it is not in the list
    defineConfig({ policies: { tenant: { tenants: ['acme'] } } }),
    defineConfig({
      ownPolicies: [tenant],
      policies: { tenant: { tenants: ['acme'] } },
      // @ts-expect-error -- of a route, too
      routes: [{ id: 'a', match, reply: {}, policies: { tenant: { header: 7 } } }],
    }),
    defineConfig({
      ownPolicies: [tenant],
      policies: { tenant: { tenants: ['acme'] } },
      // @ts-expect-error -- true is no way to switch it on
      routes: [{ id: 'a', match, reply: {}, policies: { tenant: true } }],
    }),
    defineConfig({
      // @ts-expect-error -- policies have no such member
      ownPolicies: [{ ...tenant, changesRequest: false }],
      policies: { tenant: { tenants: ['acme'] } },
    }),
    defineConfig({
      // @ts-expect-error -- an entry has no such member
      ownPolicies: [tenant, { policy: pause, befor: 'auth' }],
      policies: { tenant: { tenants: ['acme'] } },
    }),
    defineConfig({
      // @ts-expect-error -- nor if it names a file
      ownPolicies: [{ file: './policies/tenant.ts', befor: 'auth' }],
    }),
    defineConfig({
      // @ts-expect-error -- this is no policy
      ownPolicies: [{ name: 'tenant' }],
    }),
  ]
  for (const configuration of configurations) await assert.rejects(parsed(configuration), { name: 'ConfigError' })
})

test('options of policies in files are left to the gateway, and those of the others are still known', async () => {
  const file = new URL('../examples/policies/tenant.ts', import.meta.url).pathname
  await parsed(defineConfig({ ownPolicies: [file, pause], policies: { tenant: { tenants: ['acme'] } } }))
  const wrong = defineConfig({
    ownPolicies: [file, pause],
    // @ts-expect-error -- one without a unit
    policies: { tenant: { tenants: ['acme'] }, pause: { for: '2' } },
  })
  await assert.rejects(parsed(wrong), { name: 'ConfigError' })
})

test('a test gateway knows them as well', async () => {
  await using gateway = await startTestGateway({
    ownPolicies: [tenant],
    policies: { tenant: { tenants: ['acme'] } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { body: 'hello' } }],
  })
  assert.equal(await (await fetch(gateway.url)).text(), 'hello')
  const without = async (): Promise<void> => {
    // @ts-expect-error -- there is no such policy
    await using _ = await startTestGateway({ policies: { tenant: { tenants: ['acme'] } } })
  }
  await assert.rejects(without, { name: 'ConfigError' })
})
