import { type SlicedWork, runToEnd } from '../core/time-slices.ts'
import type { Policy } from '../policies/policy.ts'
import { policies } from '../policies/index.ts'
import { checkCertificates } from './check-certificates.ts'
import { check, type Checked, type Finding, type Written } from './issues.ts'
import { mergePolicies, originOf } from './merge.ts'
import type { UncheckedConfig } from './unchecked-config.ts'
import { ConfigError, formatPath, type Path, type Problem, sortProblems } from './problems.ts'
import { checkReferences } from './references.ts'
import { checkPlain, gatewaySchemaFor } from './own-policies.ts'
import type { GatewayConfig, RouteConfig } from './schema.ts'
import { sharePolicies, withPoliciesOnce } from './shared-policies.ts'
import { type Source, valueSource } from './source.ts'
import { isWholeSubstitution } from './substitute.ts'
import { fieldOf, isFields, itemsOf } from '../core/value.ts'

type GatewaySchema = ReturnType<typeof gatewaySchemaFor>

/** The number of routes that are checked in one step. */
const AT_ONCE = 100

/** Parses a configuration given as a value; `earlier` are problems found before. Throws ConfigError with all of them. */
export function parseConfig(
  value: unknown,
  loaded: UncheckedConfig = { value, chain: policies, findings: [] },
  earlier: readonly Problem[] = [],
): GatewayConfig {
  return parseFrom(loaded, valueSource(), earlier)
}

/**
 * Parses a value that was read from a source, with the policies that it may name. `earlier` are the problems found while reading, and
 * `further` checks a configuration that is well-formed. Throws ConfigError.
 *
 * 1. Merge the policies for every route into each route.
 * 2. Parse with the schema.
 * 3. Convert texts that consist of one variable to the number, true or false that the schema requires.
 * 4. Check references, that the options of custom policies can be sent to other threads, and certificates.
 */
export function parseFrom(
  unparsed: UncheckedConfig,
  source: Source,
  earlier: readonly Problem[] = [],
  further: (config: GatewayConfig) => readonly Finding[] = () => [],
): GatewayConfig {
  return runToEnd(parsing(unparsed, source, earlier, further))
}

/** Does the same in steps, for a thread that has other work to do in between. */
export function* parsing(
  { value: written, chain, findings: unloaded }: UncheckedConfig,
  source: Source,
  earlier: readonly Problem[] = [],
  further: (config: GatewayConfig) => readonly Finding[] = () => [],
): SlicedWork<GatewayConfig> {
  const value = withoutExtensions(written)
  const first = yield* attempt(value, source, chain)
  const retyped = 'findings' in first ? retype(value, first.findings, source) : value
  const checked = retyped === value ? first : yield* attempt(retyped, source, chain)
  yield
  const parsed = 'value' in checked ? checked.value : null
  const references = yield* checkReferences(retyped, (path) => source.written(path), chain, parsed)
  const findings = [
    ...unloaded,
    ...('findings' in checked
      ? checked.findings
      : [
          ...checkPlain(checked.value, chain),
          ...checkCertificates(checked.value, Date.now()),
          ...further(checked.value),
        ]
    )
      .filter(({ path }) => !unloaded.some((finding) => formatPath(finding.path) === formatPath(path)))
      // A name that is not known may be that of a policy that could not be loaded.
      .filter((finding) => unloaded.length === 0 || !isPolicyName(finding)),
    ...references,
  ]
  const problems = collectProblems(findings, source, earlier)
  if (problems.length > 0 || !('value' in checked)) throw new ConfigError(problems)
  return checked.value
}

/** Whether it is about the name of a policy, for every route or for one. */
function isPolicyName({ path, isKey }: Finding): boolean {
  const isOfRoute = path.length === 4 && path[0] === 'routes'
  return isKey && path.at(-2) === 'policies' && (isOfRoute || path.length === 2)
}

/** Removes the keys that begin with "x-", which are a place for anchors. */
function withoutExtensions(value: unknown): unknown {
  if (!isFields(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))
}

function* attempt(value: unknown, source: Source, chain: readonly Policy[]): SlicedWork<Checked<GatewayConfig>> {
  // 1.
  const merged = mergePolicies(value)
  yield
  // 2.
  const schema = gatewaySchemaFor(chain)
  const written = (path: Path): string | undefined => source.written(originOf(value, path))
  const once = yield* checkInParts(schema, withPoliciesOnce(merged), written)
  if ('value' in once) {
    sharePolicies(once.value, merged)
    return once
  }
  // Problems are reported for each route.
  const checked = yield* checkInParts(schema, merged, written)
  if ('value' in checked) return checked
  return {
    findings: checked.findings.map(({ path, isKey, message }) => ({ path: originOf(value, path), isKey, message })),
  }
}

/** A large number of routes is checked in batches. */
function* checkInParts(schema: GatewaySchema, input: unknown, written: Written): SlicedWork<Checked<GatewayConfig>> {
  const routes = itemsOf(fieldOf(input, 'routes'))
  if (!isFields(input) || routes.length <= AT_ONCE) return check(schema, input, written)
  const others = check(schema, { ...input, routes: [] }, written)
  const findings = 'findings' in others ? [...others.findings] : []
  const parsed: RouteConfig[] = []
  for (let start = 0; start < routes.length; start += AT_ONCE) {
    yield
    const whole = ([index, ...rest]: Path): Path => ['routes', start + Number(index), ...rest]
    const part = check(schema.shape.routes, routes.slice(start, start + AT_ONCE), (path) => written(whole(path)))
    if ('value' in part) parsed.push(...part.value)
    else for (const finding of part.findings) findings.push({ ...finding, path: whole(finding.path) })
  }
  if ('value' in others && findings.length === 0) return { value: { ...others.value, routes: parsed } }
  return { findings }
}

// 3.
function retype(value: unknown, findings: readonly Finding[], source: Source): unknown {
  return findings.reduce((config, { path }) => {
    const written = source.written(path)
    return written !== undefined && isWholeSubstitution(written) ? update(config, path, scalarOf) : config
  }, value)
}

function scalarOf(text: unknown): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return typeof text === 'string' && /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : text
}

/** A copy with one value changed; the same object if nothing changes. */
function update(value: unknown, path: Path, change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return change(value)
  if (Array.isArray(value)) {
    const item = update(value[Number(key)], rest, change)
    return item === value[Number(key)] ? value : value.with(Number(key), item)
  }
  if (!isFields(value)) return value
  const field = update(value[key], rest, change)
  return field === value[key] ? value : { ...value, [key]: field }
}

/** Turns findings into problems with places, without duplicates and without those about a text that could not be read completely. */
function collectProblems(findings: readonly Finding[], source: Source, earlier: readonly Problem[]): Problem[] {
  const seen = new Set(earlier.map(placeOf))
  const problems = findings.map(({ path, isKey, message }): Problem => {
    const position = isKey ? source.locateKey(path) : source.locate(path)
    return { file: source.file, position, path: formatPath(source.asWritten(path)), message }
  })
  const fresh = problems.filter((problem, i) => {
    // A problem below an anchor is reported once, not for each alias.
    const { position, message } = problem
    const place = position === undefined ? problem.path : `${placeOf(problem)} ${String(findings[i]?.path.at(-1))}`
    const key = `${place} ${message}`
    if (seen.has(key) || (problem.position !== undefined && seen.has(placeOf(problem)))) return false
    seen.add(key)
    return true
  })
  return sortProblems([...earlier, ...fresh])
}

function placeOf({ position }: Problem): string {
  return `${position?.line}:${position?.column}`
}
