import { Fragment, h, type ComponentChildren } from 'preact'
import { Copy } from '../parts/actions.ts'
import { patchOf } from '../patch.ts'

/** A change as a patch to copy, for the file or its repository. */
export function Patch({ file, before, after }: { file: string; before: string; after: string }): ComponentChildren {
  const patch = patchOf(file, before, after)
  return h(
    Fragment,
    null,
    h('h3', null, 'The patch'),
    patch === ''
      ? h('p', { class: 'quiet' }, 'Nothing is changed yet.')
      : h(
          Fragment,
          null,
          h('pre', { class: 'code', tabIndex: 0 }, patch),
          h('div', { class: 'actions start' }, h(Copy, { text: patch, label: 'Copy the patch' })),
        ),
  )
}
