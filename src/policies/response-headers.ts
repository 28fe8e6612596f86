import { definePolicy } from './policy.ts'
import { editReplies } from '../http/handler.ts'
import { compileHeaderEdits, headerEdits } from './header-edits.ts'
import { readsRoute } from './template.ts'

/** Changes the headers that the client receives, including those of error replies. */
export const responseHeaders = definePolicy({
  name: 'response-headers',
  summary: 'Sets, adds and removes headers of every reply, errors included.',
  options: headerEdits,
  decidesBy: () => 'nothing',
  isShared: (options) => !readsRoute(options),
  create(options, _, route) {
    const edit = compileHeaderEdits(options, route, 'client')
    return (next) => editReplies(next, (reply, exchange) => edit(reply.headers, exchange))
  },
})
