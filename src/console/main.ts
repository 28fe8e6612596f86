import { Fragment, h, render, type ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Certificate, ConfigStatus, Service, Session, Status } from './answers.ts'
import { onLocked } from './client.ts'
import { guardDrafts, settleDrafts } from './drafts.ts'
import { useHas, useKeys, useLive, useNow, usePolled, useRoutes, useSession } from './hooks.ts'
import { Icon, type IconName } from './icons.ts'
import { Lock, logOut } from './login.ts'
import { Cache } from './pages/cache.ts'
import { Certificates } from './pages/certificates.ts'
import { Clients } from './pages/clients/clients.ts'
import { Configuration } from './pages/configuration/configuration.ts'
import { Explain } from './pages/explain/explain.ts'
import { Overview } from './pages/overview.ts'
import { OneRequest } from './pages/request.ts'
import { Requests } from './pages/requests.ts'
import { OneRoute } from './pages/route.ts'
import { Routes } from './pages/routes.ts'
import { OneService } from './pages/service.ts'
import { Services } from './pages/services.ts'
import { Empty, Head } from './parts/layout.ts'
import { Link, Tag } from './parts/marks.ts'
import { useModal } from './parts/modal.ts'
import { followLinks, go, HOME, type Place, returnOf, usePlace } from './place.ts'
import { askAgain } from './polls.ts'
import { chooseTheme, chosenTheme, type Theme } from './theme.ts'
import { type Finding, findWrong } from './wrong.ts'

interface Shown {
  readonly place: Place
  readonly findings: readonly Finding[] | null
  readonly status: Status | null
}

interface Page {
  /** The first part of the path after the console's own. */
  readonly step: string
  readonly title: string
  readonly icon: IconName
  /** The key that goes there after "g". */
  readonly key: string
  readonly show: (shown: Shown) => ComponentChildren
  /** The POST endpoint that it needs; absent if it is always available. */
  readonly needs?: string
}

const pages: readonly Page[] = [
  {
    step: '',
    title: 'Overview',
    icon: 'overview',
    key: 'o',
    show: ({ findings, status }) => h(Overview, { findings, status }),
  },
  {
    step: 'routes',
    title: 'Routes',
    icon: 'routes',
    key: 'r',
    show: ({ place: { steps } }) =>
      steps[1] === undefined ? h(Routes, null) : h(OneRoute, { id: steps[1], key: steps[1] }),
  },
  {
    step: 'services',
    title: 'Services',
    icon: 'services',
    key: 's',
    show: ({ place: { steps } }) =>
      steps[1] === undefined ? h(Services, null) : h(OneService, { name: steps[1], key: steps[1] }),
  },
  {
    step: 'requests',
    title: 'Requests',
    icon: 'requests',
    key: 'q',
    show: ({ place: { steps, query } }) =>
      steps[1] === undefined ? h(Requests, { query }) : h(OneRequest, { id: steps[1], key: steps[1] }),
  },
  {
    step: 'explain',
    title: 'Explain',
    icon: 'explain',
    key: 'e',
    needs: '/explain',
    show: ({ place: { query } }) => h(Explain, { query }),
  },
  {
    step: 'clients',
    title: 'Clients',
    icon: 'clients',
    key: 'l',
    show: ({ place: { query } }) => h(Clients, { query }),
  },
  { step: 'cache', title: 'Cache', icon: 'cache', key: 'c', show: () => h(Cache, null) },
  { step: 'certificates', title: 'Certificates', icon: 'certificates', key: 't', show: () => h(Certificates, null) },
  {
    step: 'configuration',
    title: 'Configuration',
    icon: 'configuration',
    key: 'f',
    show: () => h(Configuration, null),
  },
]

/** How long "g" waits for the next key, in milliseconds. */
const CHORD = 1500

function App(): ComponentChildren {
  const place = usePlace()
  const live = useLive()
  const now = useNow(5000)
  const [locked, setLocked] = useState(false)
  const [helps, setHelps] = useState(false)
  useEffect(() => onLocked(() => setLocked(true)), [])
  const session = useSession()
  const back = returnOf(place)
  const isLoggedIn = (session.data?.role ?? null) !== null
  useEffect(() => {
    if (isLoggedIn && back !== null) location.replace(back)
  }, [isLoggedIn, back])
  const when = `${live.changes} ${live.connected}`
  const status = usePolled<Status>('/status', 2000, when)
  const services = usePolled<{ services: Service[] }>('/services', 5000, when)
  const routes = useRoutes(when)
  const config = usePolled<ConfigStatus>('/config/status', 5000, when)
  useEffect(() => {
    if (config.data !== null) settleDrafts(config.data)
  }, [config.data])
  const certificates = usePolled<{ certificates: Certificate[] }>('/certificates', 60_000, when)
  const known = services.data !== null && config.data !== null
  const findings = known
    ? findWrong({
        status: status.data,
        services: services.data?.services ?? null,
        routes: routes.data?.routes ?? null,
        config: config.data,
        certificates: certificates.data?.certificates ?? null,
        windows: live.windows,
        now,
      })
    : null
  useShortcuts(() => setHelps(true))
  const page = pages.find(({ step }) => step === (place.steps[0] ?? ''))
  const lost = status.error?.status === 0
  return h(
    Fragment,
    null,
    h('a', { class: 'skip', href: '#content' }, 'Skip to the content'),
    h(Bar, {
      status: status.data,
      connected: locked ? null : lost ? false : live.connected,
      session: locked ? null : session.data,
    }),
    h(Menu, { here: page?.step ?? null, findings: findings ?? [] }),
    h(
      'main',
      { id: 'content', tabIndex: -1 },
      lost &&
        h(
          'div',
          { class: 'note critical', role: 'alert' },
          h('strong', null, 'The gateway does not respond.'),
          ' This page shows the last known state. The console tries again every two seconds.',
        ),
      page === undefined
        ? h(
            Fragment,
            null,
            h(Head, { title: 'Not found' }),
            h(Empty, { title: 'This page does not exist' }, h(Link, { href: HOME }, 'Go to the overview')),
          )
        : page.show({ place, findings, status: status.data }),
    ),
    // Covers the page, which keeps its state for a user who continues.
    h(Lock, {
      locked,
      session: session.data,
      unlocked: () => {
        setLocked(false)
        askAgain()
      },
    }),
    helps && h(Help, { close: () => setHelps(false) }),
  )
}

function useShortcuts(help: () => void): void {
  const [since, setSince] = useState(0)
  useKeys((key) => {
    if (key === '?') return help()
    if (key === 'g') return setSince(Date.now())
    if (Date.now() - since > CHORD) return
    setSince(0)
    const page = pages.find((each) => each.key === key)
    if (page !== undefined) go(HOME + page.step)
  })
}

const CONNECTED = {
  true: ['live', 'Live'],
  false: ['lost', 'Disconnected'],
  null: ['connecting', 'Connecting'],
} as const

function Bar({
  status,
  connected,
  session,
}: {
  status: Status | null
  connected: boolean | null
  session: Session | null
}): ComponentChildren {
  const [tone, word] = CONNECTED[`${connected}`]
  return h(
    'header',
    { class: 'bar-top' },
    h(
      'a',
      // The word is hidden on narrow screens.
      { class: 'brand', href: HOME, 'aria-label': 'Sallyport' },
      h('img', { src: `${HOME}icon.svg`, alt: '', width: 26, height: 26 }),
      h('span', null, 'Sallyport'),
    ),
    h(
      'span',
      { class: 'brand-about' },
      status === null ? '' : `${status.version} · ${status.listeners.map(({ address }) => address).join(', ')}`,
    ),
    h('span', { class: `connection ${tone}`, role: 'status' }, h('span', { class: 'dot', 'aria-hidden': true }), word),
    session !== null && session.role !== null && session.by !== 'machine' && h(Who, { session }),
    h(ThemeSwitch, null),
  )
}

/** The current user and role. */
function Who({ session: { name, role } }: { session: Session }): ComponentChildren {
  return h(
    Fragment,
    null,
    h(
      'span',
      { class: 'who', title: name ?? 'Admin token' },
      h('span', { class: 'who-name' }, name ?? 'Admin token'),
      h(Tag, null, role),
    ),
    h('button', { type: 'button', class: 'button small', onClick: () => void logOut() }, 'Log out'),
  )
}

const THEMES: Readonly<Record<Theme, readonly [next: Theme, word: string]>> = {
  system: ['light', 'System'],
  light: ['dark', 'Light'],
  dark: ['system', 'Dark'],
}

function ThemeSwitch(): ComponentChildren {
  const [theme, setTheme] = useState(chosenTheme())
  const [next, word] = THEMES[theme]
  const turn = (): void => {
    chooseTheme(next)
    setTheme(next)
  }
  return h(
    'button',
    {
      type: 'button',
      class: 'icon-button',
      onClick: turn,
      title: `Theme: ${word}`,
      'aria-label': `Theme: ${word}. Change theme`,
    },
    h(Icon, { name: theme === 'dark' ? 'moon' : theme === 'light' ? 'sun' : 'half' }),
  )
}

function Menu({ here, findings }: { here: string | null; findings: readonly Finding[] }): ComponentChildren {
  const has = useHas()
  const current = useRef<HTMLAnchorElement>(null)
  const shown = pages.filter(({ needs }) => needs === undefined || has('POST', needs))
  const bad = findings.filter(({ level }) => level !== 'notice').length
  // Again when all pages are listed, and when the number of problems appears: on a narrow screen, both move the current page out of view.
  useEffect(
    () => current.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' }),
    [here, shown.length, bad > 0],
  )
  return h(
    'nav',
    { class: 'menu', 'aria-label': 'Console' },
    h(
      'ul',
      null,
      shown.map(({ step, title, icon }) =>
        h(
          'li',
          { key: step },
          h(
            'a',
            {
              href: HOME + step,
              'aria-current': step === here ? 'page' : undefined,
              ref: step === here ? current : null,
            },
            h(Icon, { name: icon }),
            h('span', null, title),
            step === '' && bad > 0 && h('span', { class: 'menu-count', 'aria-label': `${bad} problems` }, bad),
          ),
        ),
      ),
    ),
    h(
      'div',
      { class: 'menu-foot' },
      h('a', { href: '/docs/' }, 'Admin API'),
      h('span', { class: 'quiet' }, 'Press ? for keyboard shortcuts'),
    ),
  )
}

function Help({ close }: { close: () => void }): ComponentChildren {
  const dialog = useModal()
  return h(
    'dialog',
    {
      class: 'dialog',
      'aria-labelledby': 'keys',
      ref: dialog,
      onClose: close,
    },
    h('h2', { id: 'keys' }, 'Keyboard shortcuts'),
    h(
      'dl',
      { class: 'keys' },
      [
        ...pages.map(({ key, title }) => [`g ${key}`, title] as const),
        ['/', 'Filter'] as const,
        ['?', 'This list'] as const,
      ].map(([keys, what]) =>
        h(
          'div',
          { key: keys },
          h(
            'dt',
            null,
            keys.split(' ').map((each) => h('kbd', { key: each }, each)),
          ),
          h('dd', null, what),
        ),
      ),
    ),
    h('div', { class: 'dialog-actions' }, h('button', { type: 'button', class: 'button', onClick: close }, 'Close')),
  )
}

followLinks()
guardDrafts()
const root = document.getElementById('app')
if (root !== null) render(h(App, null), root)
