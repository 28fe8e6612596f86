import { fieldOf, type Fields, itemsOf } from '../../../core/value.ts'
import { textOf } from '../../read.ts'
import { hasVariable } from '../../variables.ts'
import type { PluginTranslator, PluginUse } from '../plugin.ts'
import { isSecretName } from '../secret-names.ts'
import { bodyEditsOf } from './body-edits.ts'
import { headerEditsOf } from './header-edits.ts'
import { pairsOf } from './pairs.ts'
import { importTemplate } from './templates.ts'

/** request-transformer: request-headers, transform, and the rewrite of the route. */
export const requestTransformer: PluginTranslator = {
  names: ['request-transformer', 'request-transformer-advanced'],
  translate(use) {
    const { config, tell } = use
    const headers = headerEditsOf(use)
    const query = queryEditsOf(use)
    const body = bodyEditsOf(use, 'body')
    if (textOf(config['http_method']) !== undefined)
      tell('different', 'http_method was left out: write a custom policy, see docs/writing-policies.md.')
    const path = pathOf(use)
    const request = { ...(query !== null && { query }), ...(body !== null && { body }) }
    return {
      policies: {
        ...(headers !== null && { 'request-headers': headers }),
        ...(Object.keys(request).length > 0 && { transform: { request } }),
      },
      ...(path !== null && { path }),
    }
  },
}

function queryEditsOf({ config, tell, secret }: PluginUse): Fields | null {
  const set: Record<string, string> = {}
  const remove = itemsOf(fieldOf(config['remove'], 'querystring')).flatMap((item) => textOf(item) ?? [])
  if (itemsOf(fieldOf(config['rename'], 'querystring')).length > 0)
    tell('narrower', 'Query parameters cannot be renamed: set the new one to {query.OLD}, and remove the old one.')
  for (const action of ['replace', 'add', 'append'] as const)
    for (const [name, value] of pairsOf(fieldOf(config[action], 'querystring'))) {
      const template = importTemplate(value)
      if (template === null) {
        tell('narrower', `The value of the query parameter ${name} was left out, because it is a Lua expression.`)
        continue
      }
      tell(
        'different',
        `The query parameter ${name} is always set. Kong ${action === 'add' ? 'adds it only if it is missing' : `would ${action} it`}.`,
      )
      const isSecret = isSecretName(name) && template === value && value !== '' && !hasVariable(value)
      set[name] = isSecret ? secret(`QUERY_${name}`, `the value of the query parameter ${name}`) : template
    }
  const edits = { ...(remove.length > 0 && { remove }), ...(Object.keys(set).length > 0 && { set }) }
  return Object.keys(edits).length === 0 ? null : edits
}

/** The path sent to the service, in the form of `rewrite.path`; null if it is unchanged. */
function pathOf({ config, tell }: PluginUse): string | null {
  const uri = textOf(fieldOf(config['replace'], 'uri'))
  if (uri === undefined || uri === '') return null
  const template = importTemplate(uri, (name) => `{${name}}`)
  const [path = ''] = (template ?? '').split('?')
  if (template !== null && /^\/[!"$->@-~]*$/.test(path) && !/\{(?:header|query)\./.test(path) && !path.includes('{{')) {
    if (path !== template) tell('different', `The query of ${uri} was left out: the query of the request is kept.`)
    return path.endsWith('/*') ? `${path.slice(0, -1)}%2A` : path
  }
  tell('different', `The path ${uri} cannot be imported: see rewrite.path in docs/routing.md.`)
  return null
}
