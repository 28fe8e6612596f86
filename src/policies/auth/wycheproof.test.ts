import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { z } from 'zod'
import { CredentialError } from './credential-error.ts'
import { algorithmsOf, type KeySource, keyOfJwk, publicAlgorithms } from './keys.ts'
import { verifyToken } from './verify-token.ts'

const file = new URL('../../../test/vectors/wycheproof/json_web_signature_test.json', import.meta.url)

const jwkSchema = z.looseObject({ kty: z.string(), kid: z.string().optional() })

const vectors = z.object({
  numberOfTests: z.number(),
  testGroups: z.array(
    z.object({
      comment: z.string(),
      public: jwkSchema.optional(),
      private: jwkSchema.optional(),
      tests: z.array(
        z.object({ tcId: z.number(), comment: z.string(), jws: z.unknown(), result: z.enum(['valid', 'invalid']) }),
      ),
    }),
  ),
})

/** Vectors that are valid, and refused all the same. */
const stricter: Readonly<Record<number, string>> = {
  346: 'the key is for PS256 and the token says PS384',
  347: 'the key is for ES521, which does not exist',
  350: 'the key is for PS256 and the token says PS384',
  351: 'the key is for ES521, which does not exist',
  372: 'a character in the header is outside base64url',
  373: 'a character in the payload is outside base64url',
}

/** Vectors that are said to be invalid, and are the same text as the valid vector 357: their padding got lost. */
const sameAsValid = [367, 370]

const rules = {
  algorithms: ['HS256', 'HS384', 'HS512', ...publicAlgorithms],
  issuer: undefined,
  audience: undefined,
  type: undefined,
  tolerance: 0,
}

type Jwk = z.output<typeof jwkSchema>

/** Secrets come as JSON Web Keys only here. */
function sourceOf(jwk: Jwk): KeySource {
  const secret = jwk['kty'] === 'oct' ? createSecretKey(String(jwk['k']), 'base64url') : null
  const key = secret === null ? keyOfJwk(jwk) : { id: jwk.kid, algorithms: algorithmsOf(secret), key: secret }
  const keys = key === null ? [] : [key]
  return {
    find: (algorithm, id) => keys.filter((each) => each.algorithms.includes(algorithm) && each.id === id),
  }
}

/** Whether the signature was taken: what follows is about claims, which these payloads are not. */
async function takesSignature(jws: string, source: KeySource): Promise<boolean> {
  try {
    await verifyToken(jws, source, rules, 0)
    return true
  } catch (error) {
    assert.ok(error instanceof CredentialError, String(error))
    return error.reason === 'claims'
  }
}

const { numberOfTests, testGroups } = vectors.parse(JSON.parse(readFileSync(file, 'utf8')))

test('the number of vectors is the one stated in the file', () => {
  assert.equal(testGroups.flatMap(({ tests }) => tests).length, numberOfTests)
})

test('the vectors that contradict a valid one are identical to it', () => {
  const texts = new Map(testGroups.flatMap(({ tests }) => tests).map(({ tcId, jws }) => [tcId, jws]))
  for (const tcId of sameAsValid) assert.equal(texts.get(tcId), texts.get(357))
})

for (const [index, group] of testGroups.entries())
  test(`the signatures of group ${group.comment} (${index}) are accepted or rejected as Wycheproof says`, async () => {
    const source = sourceOf(group.public ?? group.private!)
    for (const { tcId, comment, jws, result } of group.tests) {
      const text = typeof jws === 'string' ? jws : JSON.stringify(jws)
      const expected = (result === 'valid' && stricter[tcId] === undefined) || sameAsValid.includes(tcId)
      assert.equal(await takesSignature(text, source), expected, `${tcId} ${comment}`)
    }
  })
