import { z } from 'zod'
import { typedSchema } from '../../core/typed-schema.ts'
import { apiKey } from './api-key/api-key.ts'
import { basic } from './basic.ts'
import { forward } from './forward.ts'
import { introspection } from './introspection.ts'
import { jwt } from './jwt.ts'
import type { AuthMethod } from './method.ts'
import { mtls } from './mtls.ts'
import { oidc } from './oidc/oidc.ts'
import { signature } from './signature/signature.ts'

/**
 * All authentication methods. Of the configured ones, the first that recognizes the credentials decides. The last method handles
 * every request.
 */
export const methods = [
  jwt,
  introspection,
  apiKey,
  basic,
  mtls,
  signature,
  oidc,
  forward,
] as const satisfies readonly AuthMethod[]

type Listed = (typeof methods)[number]

/** Method name -> its options as written in the configuration. */
export type MethodsInput = { [M in Listed as M['name']]?: z.input<M['options']> | undefined }

/** Method name -> its options after parsing. */
export type MethodsConfig = { [M in Listed as M['name']]?: z.output<M['options']> | undefined }

/** Schema of `methods:`, made from the list of methods. */
export const methodsSchema = typedSchema<MethodsConfig, MethodsInput>(
  z
    .strictObject(
      Object.fromEntries(methods.map(({ name, summary, options }) => [name, options.optional().describe(summary)])),
    )
    .refine((config) => Object.values(config).some((options) => options !== undefined), {
      error: `has no method: set ${methods.map(({ name }) => name).join(', ')}`,
    }),
)

/** The configured methods with their options, in the order in which they are tried. */
export function activeMethods(config: MethodsConfig): (readonly [method: AuthMethod, options: unknown])[] {
  return methods.flatMap((method) => {
    const options = config[method.name]
    return options === undefined ? [] : [[method, options] as const]
  })
}
