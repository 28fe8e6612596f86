import { textOf } from '../../read.ts'
import type { PluginTranslator } from '../plugin.ts'

/** grpc-web: grpc-web. */
export const grpcWeb: PluginTranslator = {
  names: ['grpc-web'],
  ignores: ['pass_stripped_path', 'allow_origin_header'],
  translate({ config, tell }) {
    if (textOf(config['proto']) !== undefined)
      tell('different', 'proto was left out: for JSON see grpc-json in docs/policies.md.')
    return { policies: { 'grpc-web': {} } }
  },
}
