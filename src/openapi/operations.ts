import { type Fields, fieldOf, isFields, itemsOf } from '../core/value.ts'

/** Header parameters to be ignored: OpenAPI has other places for them (OpenAPI 3.1.1 section 4.8.12.2). */
const NOT_PARAMETERS = new Set(['accept', 'content-type', 'authorization'])

/** Whether a parameter with that name and place is to be ignored. */
export function isNoParameter(place: unknown, name: unknown): boolean {
  return place === 'header' && NOT_PARAMETERS.has(String(name).toLowerCase())
}

/** The operations of a Path Item Object with those methods, in that order (OpenAPI 3.1.1 section 4.8.9). */
export function operationsOf<Method extends string>(item: unknown, methods: readonly Method[]): [Method, Fields][] {
  return methods.flatMap((method): [Method, Fields][] => {
    const operation = fieldOf(item, method)
    return isFields(operation) ? [[method, operation]] : []
  })
}

/** Path of the first server, without a trailing slash (OpenAPI 3.1.1 sections 4.8.5 and 4.8.6); "" if there is none. */
export function basePathOf(document: unknown): string {
  const server = itemsOf(fieldOf(document, 'servers'))[0]
  const written = fieldOf(server, 'url')
  if (typeof written !== 'string') return ''
  const url = written.replaceAll(/\{([^}]*)\}/g, (_, name: string) => {
    const value = fieldOf(fieldOf(fieldOf(server, 'variables'), name), 'default')
    return typeof value === 'string' ? value : ''
  })
  return URL.parse(url, 'http://localhost')?.pathname.replace(/\/+$/, '') ?? ''
}
