/** Runs the commands that the demo prints, like a user who pastes the lines. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { banner } from '../../examples/platform/banner.ts'

/** The expected output of each line of the list, by its title; a step that is not listed must exit with 0. */
const expected: Readonly<Record<string, RegExp>> = {
  Health: /"status":"healthy"/,
  Products: /^HTTP\/(?:1\.1|2) 200/,
  'Two requests over one connection: the second is a cache hit': /sallyport; hit/i,
  'Load balancing, as X-Instance shows':
    /inventory-service-1[^]*inventory-service-2|inventory-service-2[^]*inventory-service-1/,
  Register: /carol@example\.com/,
  'Who am I': /carol@example\.com/,
  'Place an order': /^HTTP\/(?:1\.1|2) 201/,
  'An invalid order: 422, with a JSON pointer to each error': /^HTTP\/(?:1\.1|2) 422[^]*\/items\/0\/quantity/,
  'The same over gRPC': /^\{"productId":"teapot","available":\d+\}$/m,
  'Send an email': /Tea at six/,
  'The outbox': /Tea at six/,
  'Without a token: 401': /^HTTP\/(?:1\.1|2) 401/,
  'Roles are for admins: 403': /^HTTP\/(?:1\.1|2) 403/,
  'A partner with an API key, and its limit': /^HTTP\/(?:1\.1|2) 200[^]*ratelimit/i,
  'No route: a problem document': /^HTTP\/(?:1\.1|2) 404[^]*application\/problem\+json/,
  'More than 100 requests an hour without a token: 429': /\b200\n[^]*\b429\n/,
  'As an operator: reset the limits of this machine': /^HTTP\/(?:1\.1|2) 200/,
  'The last requests': /"requests":/,
}

/** Runs every line in one shell; resolves with the number of lines. Rejects at the first step with an unexpected result. */
export async function walkDemo(demo: Parameters<typeof banner>[0]): Promise<number> {
  const list = banner(demo)
  const steps = [...list.matchAll(/^ {2}(\S.*)\n(.+)$/gm)].map(([, title = '', command = '']) => ({
    title,
    command,
  }))
  const missing = Object.keys(expected)
    .filter((title) => demo.grpc === true || !title.includes('gRPC'))
    .filter((title) => !steps.some((step) => step.title === title))
  if (missing.length > 0) throw new Error(`The demo has no step "${missing.join('", "')}"`)
  const mark = '=== the next step ==='
  const script = steps.map(({ command }) => `${command}\necho '${mark}'`).join('\n')
  const { stdout } = await promisify(execFile)('bash', ['-euc', script])
  const outputs = stdout.split(`${mark}\n`)
  for (const [i, { title }] of steps.entries()) {
    const output = outputs[i] ?? ''
    if (expected[title]?.test(output) === false) throw new Error(`${title}:\n${output}`)
  }
  return steps.length
}
