import { z } from 'zod'
import { parseJson } from '../../core/parse-json.ts'

/** Maximum message length in characters; far more than operators may send. */
const MAX_LENGTH = 64 * 1024

/** ID of a gateway or a question. */
const id = z.uuid()
/** Human-readable name of a gateway. */
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

/** A gateway's request to the others to run an operation. */
export type Question = z.output<typeof question>

/** The result in one of them. */
export type ReplicaAnswer = z.output<typeof answer>

/** Parses a message; null for anything that a gateway of this version would not send. */
export function readMessage(text: string): Question | ReplicaAnswer | null {
  if (text.length > MAX_LENGTH) return null
  return message.safeParse(parseJson(text)).data ?? null
}
