import assert from 'node:assert/strict'
import test from 'node:test'
import { version } from '../core/version.ts'
import { at, fieldOf, isFields, itemsOf } from '../core/value.ts'
import { configJsonSchema } from './json-schema.ts'
import { migrateKeys } from './migrate-keys.ts'
import { isAccepted, refusedFrom, type RenamedKey, renamedKeys } from './renamed-keys.ts'
import { readYaml } from './yaml.ts'

const yaml = `limits: { leastRate: 100 }
x-dns: &dns { name: a.internal, least: 2s, port: 80 }
services:
  a: { discover: { dns: *dns } }
  b: { discover: { dns: *dns } }
policies:
  cors: { origins: ['*'] }
routes:
  - match: { path: / }
    policies:
      cors: { methods: [GET], exposed: [X-A], maxAge: 1m }
`

function read(text: string, running = version, keys: readonly RenamedKey[] = renamedKeys) {
  const { value, source } = readYaml(text, 'a.yaml', {})
  return migrateKeys(value, source, keys, running)
}

test('a value under an old name gets the new one in its place, with one warning that has line, old and new name', () => {
  const { value, source, warnings, problems } = read(yaml, '0.1.7')
  assert.deepEqual(problems, [])
  const route = itemsOf(fieldOf(value, 'routes'))[0]
  const cors = fieldOf(fieldOf(route, 'policies'), 'cors')
  assert.deepEqual(Object.entries(cors ?? {}), [
    ['methods', ['GET']],
    ['exposedHeaders', ['X-A']],
    ['maxAge', '1m'],
  ])
  for (const name of ['a', 'b'])
    assert.deepEqual(['services', name, 'discover', 'dns'].reduce<unknown>(at, value), {
      name: 'a.internal',
      minInterval: '2s',
      port: 80,
    })
  assert.deepEqual(
    warnings.map(({ file, position, path, message }) => [file, position?.line, path, message]),
    [
      [
        'a.yaml',
        1,
        'limits.leastRate',
        'renamed to limits.minRate: use the new name, because version 0.2.0 no longer accepts the old one',
      ],
      [
        'a.yaml',
        2,
        'services.a.discover.dns.least',
        'renamed to services.a.discover.dns.minInterval: use the new name, because version 0.2.0 no longer accepts the old one',
      ],
      [
        'a.yaml',
        11,
        'routes[0].policies.cors.exposed',
        'renamed to routes[0].policies.cors.exposedHeaders: use the new name, because version 0.2.0 no longer accepts the old one',
      ],
    ],
  )
  assert.deepEqual(source.locate(['limits', 'minRate']), { line: 1, column: 22 })
  assert.deepEqual(source.asWritten(['routes', 0, 'policies', 'cors', 'exposedHeaders', 0]).at(-2), 'exposed')
})

test('a key under both names is a problem at the old one, and the new one is used', () => {
  const { value, warnings, problems } = read('limits:\n  minRate: 1\n  leastRate: 2\n')
  assert.deepEqual([value, warnings], [{ limits: { minRate: 1 } }, []])
  assert.deepEqual(problems, [
    {
      file: 'a.yaml',
      position: { line: 3, column: 3 },
      path: 'limits.leastRate',
      message: 'the old name of limits.minRate, which is set too; remove one of them',
    },
  ])
})

test('after its deprecation period an old name is unknown, and the problem suggests the new one', () => {
  for (const running of ['0.2.0', '0.3.1', '1.0.0']) {
    const { value, warnings, problems } = read('limits: { leastRate: 2 }', running)
    assert.deepEqual([value, warnings], [{ limits: {} }, []])
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['unknown key "leastRate"; it is called limits.minRate since 0.1.0'],
    )
  }
})

test('an old name works in all patch versions of its minor version, and in none after it', () => {
  const key: RenamedKey = { map: [], old: 'a', current: 'b', since: '1.9.2' }
  assert.equal(refusedFrom(key), '1.10.0')
  const versions = ['1.9.2', '1.9.20', '1.10.0', '1.11.0', '2.0.0']
  assert.deepEqual(
    versions.map((running) => isAccepted(key, running)),
    [true, true, false, false, false],
  )
  assert.deepEqual(read('a: 1', '1.9.3', [key]).value, { b: 1 })
})

test('a configuration without old names is returned as is', () => {
  const value = { limits: { minRate: 1 }, routes: [{ policies: { cors: {} } }] }
  const { source } = readYaml('{}', 'a.yaml', {})
  assert.equal(migrateKeys(value, source).value, value)
})

for (const { map, old, current, since } of renamedKeys)
  test(`${[...map, current].join('.')} is a key of the configuration, and ${old} no longer is`, () => {
    const keys = map.reduce<readonly unknown[]>(
      (schemas, step) => schemas.flatMap((each) => below(each, step)),
      [configJsonSchema()],
    )
    const names = new Set(keys.flatMap((each) => Object.keys(fieldOf(each, 'properties') ?? {})))
    assert.ok(names.has(current))
    assert.ok(!names.has(old))
    assert.ok(isAccepted({ map, old, current, since: version }, since), `${since} is in the future`)
  })

/** The schemas at a step, in every form that a value may have. */
function below(schema: unknown, step: string | number): unknown[] {
  const child =
    step === '*' ? fieldOf(schema, 'additionalProperties') : fieldOf(fieldOf(schema, 'properties'), String(step))
  return formsOf(child)
}

function formsOf(schema: unknown): unknown[] {
  const forms = itemsOf(fieldOf(schema, 'anyOf'))
  return isFields(schema) ? [schema, ...forms.flatMap(formsOf)] : []
}
