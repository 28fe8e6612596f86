import type { Duration } from '../../src/gateway.ts'

/** What of the Kubernetes Gateway API the cases use, as its HTTPRoute has it. */

export interface Named {
  readonly name: string
  readonly value: string
  readonly type?: 'Exact' | 'RegularExpression'
}

export interface HttpMatch {
  readonly path?: { readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value: string }
  readonly method?: string
  readonly headers?: readonly Named[]
  readonly queryParams?: readonly Named[]
}

export interface HeaderModifier {
  readonly set?: readonly Named[]
  readonly add?: readonly Named[]
  readonly remove?: readonly string[]
}

export type PathModifier =
  | { readonly type: 'ReplaceFullPath'; readonly replaceFullPath: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly replacePrefixMatch: string }

export interface HttpFilter {
  readonly type: string
  readonly requestHeaderModifier?: HeaderModifier
  readonly responseHeaderModifier?: HeaderModifier
  readonly requestRedirect?: {
    readonly scheme?: string
    readonly hostname?: string
    readonly port?: number
    readonly statusCode?: 301 | 302 | 303 | 307 | 308
    readonly path?: PathModifier
  }
  readonly urlRewrite?: { readonly hostname?: string; readonly path?: PathModifier }
  readonly requestMirror?: {
    readonly backendRef: { readonly name: string }
    readonly percent?: number
    readonly fraction?: { readonly numerator: number; readonly denominator?: number }
  }
  readonly cors?: {
    readonly allowOrigins?: string[]
    readonly allowMethods?: string[]
    readonly allowHeaders?: string[]
    readonly exposeHeaders?: string[]
    readonly allowCredentials?: boolean
    readonly maxAge?: number
  }
}

export interface HttpRule {
  readonly matches?: readonly HttpMatch[]
  readonly filters?: readonly HttpFilter[]
  readonly timeouts?: { readonly request?: Duration; readonly backendRequest?: Duration }
  readonly retry?: { readonly codes?: readonly number[]; readonly attempts: number }
  /** `backendRefs`; null is a service that there is not, or that the route may not refer to. */
  readonly to?: readonly {
    readonly service: string | null
    readonly weight?: number
    readonly filters?: readonly HttpFilter[]
  }[]
}

export interface HttpRoute {
  readonly name: string
  readonly parents: readonly { readonly gateway: string; readonly section?: string; readonly port?: number }[]
  readonly hostnames?: readonly string[]
  readonly rules: readonly HttpRule[]
}

/** A listener of a Gateway. */
export interface GatewayListener {
  readonly name: string
  readonly port: number
  readonly hostname?: string
  readonly tls?: boolean
}

/** Gateways and the routes that are attached to them. */
export interface GatewayResources {
  readonly gateways: Readonly<Record<string, readonly GatewayListener[]>>
  readonly routes: readonly HttpRoute[]
}
