import type { FastifyBodyParser } from 'fastify'
import { Problem } from './problem.ts'
import type { App } from './zod.ts'

/** Has the bodies of all routes be JSON, or empty: clients name the type of a body that they do not send. */
export function readJson(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  readOnly(app, 'application/json', (request, body, done) => {
    if (body === '') return done(null)
    return parse(request, body, done)
  })
}

/** Has the bodies of the routes that are added to `app` be forms. */
export function readForms(app: App): void {
  readOnly(app, 'application/x-www-form-urlencoded', (_, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body)))
  })
}

function readOnly(app: App, type: string, parse: FastifyBodyParser<string>): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(type, { parseAs: 'string' }, parse)
  app.addContentTypeParser('*', (_, _body, done) => {
    done(new Problem(415, `The body must be ${type}.`, { headers: { Accept: type } }))
  })
}
