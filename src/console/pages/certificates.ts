import { Fragment, h, type ComponentChildren } from 'preact'
import type { Certificate } from '../answers.ts'
import { day, moment, until } from '../format.ts'
import { useNow, usePolled } from '../hooks.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Badge, Tag, Time, type Tone } from '../parts/marks.ts'
import { Loaded } from '../parts/notes.ts'
import { Table } from '../parts/table.ts'

const DAY = 86_400_000

/** The certificates that listeners present. */
export function Certificates(): ComponentChildren {
  const now = useNow()
  const polled = usePolled<{ certificates: Certificate[] }>('/certificates', 15_000)
  return h(
    Fragment,
    null,
    h(Head, {
      title: 'Certificates',
      about: 'What the listeners present, when it expires, and how it is renewed.',
    }),
    h(
      Panel,
      { flush: true },
      h(Loaded<{ certificates: Certificate[] }>, {
        polled,
        what: 'The certificates',
        children: ({ certificates }) =>
          certificates.length === 0
            ? h(
                Empty,
                { title: 'No listener uses TLS' },
                'Add tls to a listener, with certificates from files or from a CA through ACME.',
              )
            : h(Table<Certificate>, {
                label: 'Certificates',
                rows: certificates,
                keyOf: ({ names, notBefore }) => `${names.join(' ')} ${notBefore}`,
                first: 2,
                columns: [
                  {
                    head: 'Names',
                    sort: ({ names }) => names[0] ?? '',
                    cell: ({ names }) =>
                      h(
                        'span',
                        { class: 'tags' },
                        names.map((name) => h(Tag, { key: name }, name)),
                      ),
                  },
                  { head: 'State', cell: (certificate) => h(State, { certificate, now }) },
                  {
                    head: 'Expires',
                    sort: ({ notAfter }) => (notAfter === null ? 0 : Date.parse(notAfter)),
                    cell: ({ notAfter }) =>
                      notAfter === null ? '–' : h(Time, { at: notAfter }, `${day(notAfter)}, ${until(notAfter, now)}`),
                  },
                  {
                    head: 'Valid from',
                    wide: true,
                    cell: ({ notBefore }) => (notBefore === null ? '–' : h(Time, { at: notBefore }, moment(notBefore))),
                  },
                  { head: 'Issued by', wide: true, cell: ({ issuer }) => issuer ?? '–' },
                  {
                    head: 'Renewal',
                    cell: ({ source, lastOrderSuccessful }) =>
                      source === 'file'
                        ? 'when its file is replaced'
                        : lastOrderSuccessful
                          ? 'automatic, through ACME'
                          : 'through ACME; the last order failed, see the log for the reason',
                  },
                ],
              }),
      }),
    ),
  )
}

function State({
  certificate: { notAfter, notBefore, lastOrderSuccessful },
  now,
}: {
  certificate: Certificate
  now: number
}): ComponentChildren {
  const [word, tone] = ((): readonly [string, Tone] => {
    if (notAfter === null || notBefore === null) return ['missing', 'critical']
    const [end, begin] = [Date.parse(notAfter), Date.parse(notBefore)]
    if (end <= now) return ['expired', 'critical']
    if (begin > now) return ['not valid yet', 'warning']
    if (end - now < Math.min(14 * DAY, (end - begin) / 5)) return ['expires soon', 'warning']
    return lastOrderSuccessful ? ['valid', 'good'] : ['not renewed', 'warning']
  })()
  return h(Badge, { tone }, word)
}
