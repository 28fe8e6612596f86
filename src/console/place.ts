import { useEffect, useState } from 'preact/hooks'

/** The path of the console. */
export const HOME = '/console/'

/** The content of the address. */
export interface Place {
  /** The parts of the path after the console's own, percent-decoded. */
  readonly steps: readonly string[]
  readonly query: URLSearchParams
}

const MOVED = 'sallyport-moved'

/** Goes to another page; with `instead`, replaces the current one in the history. */
export function go(href: string, instead = false): void {
  if (instead) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  dispatchEvent(new Event(MOVED))
}

/** The current place in the address, kept up to date. */
export function usePlace(): Place {
  const [place, setPlace] = useState(currentPlace)
  useEffect(() => {
    const look = (): void => setPlace(currentPlace())
    addEventListener('popstate', look)
    addEventListener(MOVED, look)
    return () => {
      removeEventListener('popstate', look)
      removeEventListener(MOVED, look)
    }
  }, [])
  return place
}

/**
 * The page outside of the console that the browser came from because nobody was logged in, as a URL of the same origin; null if there is
 * none.
 */
export function returnOf({ query }: Place): string | null {
  const target = URL.parse(query.get('return') ?? '', location.origin)
  if (!query.has('return') || target?.origin !== location.origin || target.pathname.startsWith(HOME)) return null
  return target.href
}

function currentPlace(): Place {
  const { pathname, search } = location
  return { steps: stepsOf(pathname), query: new URLSearchParams(search) }
}

function stepsOf(pathname: string): string[] {
  const steps = pathname
    .slice(HOME.length)
    .split('/')
    .filter((step) => step !== '')
  try {
    return steps.map(decodeURIComponent)
  } catch {
    return ['not-found']
  }
}

/** Makes links of the console change the page without reloading it. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.altKey
    )
      return
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || link.target !== '' || link.origin !== location.origin || !link.pathname.startsWith(HOME))
      return
    event.preventDefault()
    if (link.href !== location.href) go(link.href)
    scrollTo(0, 0)
  })
}
