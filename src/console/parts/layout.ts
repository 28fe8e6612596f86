import { type ComponentChildren, h } from 'preact'
import { useEffect } from 'preact/hooks'

/** The heading of a page, with its actions. */
export function Head({
  title,
  about,
  children,
}: {
  title: string
  about?: ComponentChildren
  children?: ComponentChildren
}): ComponentChildren {
  useEffect(() => {
    document.title = `${title} · Sallyport`
  }, [title])
  return h(
    'header',
    { class: 'page-head' },
    h('div', null, h('h1', null, title), about !== undefined && h('p', { class: 'about' }, about)),
    children !== undefined && h('div', { class: 'actions' }, children),
  )
}

/** A part of a page with its own heading. */
export function Panel({
  title,
  aside,
  children,
  flush,
}: {
  title?: string
  aside?: ComponentChildren
  children?: ComponentChildren
  flush?: boolean
}): ComponentChildren {
  return h(
    'section',
    { class: `panel${flush === true ? ' flush' : ''}` },
    title !== undefined &&
      h(
        'div',
        { class: 'panel-head' },
        h('h2', null, title),
        aside !== undefined && h('div', { class: 'aside' }, aside),
      ),
    children,
  )
}

/** Shown if there is no content, with advice on what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): ComponentChildren {
  return h(
    'div',
    { class: 'empty' },
    h('p', { class: 'empty-title' }, title),
    children !== undefined && h('div', { class: 'empty-text' }, children),
  )
}

/** Names with their values. */
export function Facts({
  facts,
}: {
  facts: readonly (readonly [name: string, value: ComponentChildren])[]
}): ComponentChildren {
  return h(
    'dl',
    { class: 'facts' },
    facts.map(([name, value]) => h('div', { key: name }, h('dt', null, name), h('dd', null, value))),
  )
}
