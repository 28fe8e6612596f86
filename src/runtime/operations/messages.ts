import { z } from 'zod'
import { parseJson } from '../../core/parse-json.ts'

/** Characters of a message: far more than operators may send. */
const LONGEST = 64 * 1024

/** Id of a gateway, and of a question. */
const id = z.uuid()
/** What people call a gateway. */
const name = z.string().min(1).max(256)

const question = z.strictObject({
  v: z.literal(1),
  type: z.literal('ask'),
  id,
  from: id,
  name,
  operation: z.string().min(1).max(64),
  asked: z.unknown(),
})

const answer = z.strictObject({
  v: z.literal(1),
  type: z.literal('answer'),
  id,
  to: id,
  from: id,
  name,
  problem: z.string().max(4096).nullable(),
  result: z.unknown(),
})

const message = z.discriminatedUnion('type', [question, answer])

/** One gateway asks the others to do something. */
export type Question = z.output<typeof question>

/** What came of it in one of them. */
export type ReplicaAnswer = z.output<typeof answer>

/** A message as it came; null for anything that no gateway of this version sends. */
export function readMessage(text: string): Question | ReplicaAnswer | null {
  if (text.length > LONGEST) return null
  return message.safeParse(parseJson(text)).data ?? null
}
