/**
 * Effect's spans as OpenTelemetry's. Only spans of our own go out: those that libraries make (of SQL, of HTTP, of the actors' messages) say
 * nothing more, and may hold what must not leave. What is below such a span hangs on the nearest of ours above it.
 *
 * Of an error only its tag goes out: its text may quote a server.
 */
import * as otel from "@opentelemetry/api"
import { Cause, type Context, Exit, Option, Tracer } from "effect"

/** The ids of spans; `beginning` gives the next trace the id of what it is about. */
export interface TraceIds {
  readonly beginning: <A>(traceId: string | undefined, begin: () => A) => A
}

const own = /^(order|attempt|event|step .*|one\..*|waldur .*|keycloak .*|observation)$/

const kinds: Readonly<Record<Tracer.SpanKind, otel.SpanKind>> = {
  internal: otel.SpanKind.INTERNAL,
  server: otel.SpanKind.SERVER,
  client: otel.SpanKind.CLIENT,
  producer: otel.SpanKind.PRODUCER,
  consumer: otel.SpanKind.CONSUMER
}

const hrTime = (nanos: bigint): otel.HrTime => [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)]

const outcomeOf = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  if (Cause.isInterruptedOnly(exit.cause)) return "Interrupted"
  const failure = Option.getOrUndefined(Cause.failureOption(exit.cause))
  return typeof failure === "object" && failure !== null && "_tag" in failure ? String(failure._tag) : "Defect"
}

const isAttribute = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value)

/** Of all that Effect may put into one: plain values, and lists as text. */
const attributeOf = (value: unknown): string | number | boolean | undefined =>
  isAttribute(value) ? value : Array.isArray(value) ? value.filter(isAttribute).join(" ") : undefined

abstract class AnySpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly attributes = new Map<string, unknown>()
  readonly links: Array<Tracer.SpanLink>
  status: Tracer.SpanStatus
  abstract readonly spanId: string
  abstract readonly traceId: string
  abstract readonly sampled: boolean
  constructor(
    readonly name: string,
    readonly parent: Option.Option<Tracer.AnySpan>,
    readonly context: Context.Context<never>,
    links: ReadonlyArray<Tracer.SpanLink>,
    startTime: bigint,
    readonly kind: Tracer.SpanKind
  ) {
    this.links = [...links]
    this.status = { _tag: "Started", startTime }
  }
  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.status = { _tag: "Ended", startTime: this.status.startTime, endTime, exit }
  }
  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
  }
  event(_name: string, _startTime: bigint, _attributes?: Record<string, unknown>): void {}
  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
  }
}

/** Stands in for the nearest span of ours above it. */
class Passed extends AnySpan {
  readonly spanId = Option.match(this.parent, { onNone: () => otel.INVALID_SPANID, onSome: ({ spanId }) => spanId })
  readonly traceId = Option.match(this.parent, { onNone: () => otel.INVALID_TRACEID, onSome: ({ traceId }) => traceId })
  readonly sampled = Option.exists(this.parent, ({ sampled }) => sampled)
}

class Exported extends AnySpan {
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  constructor(
    readonly inner: otel.Span,
    ...rest: ConstructorParameters<typeof AnySpan>
  ) {
    super(...rest)
    const { spanId, traceFlags, traceId } = inner.spanContext()
    this.spanId = spanId
    this.traceId = traceId
    this.sampled = (traceFlags & otel.TraceFlags.SAMPLED) !== 0
  }
  override attribute(key: string, value: unknown): void {
    super.attribute(key, value)
    const known = attributeOf(value)
    if (known !== undefined) this.inner.setAttribute(key, known)
  }
  override end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    super.end(endTime, exit)
    const outcome = outcomeOf(exit)
    if (outcome !== undefined) {
      this.inner.setAttribute("error.type", outcome)
      if (outcome !== "Interrupted") this.inner.setStatus({ code: otel.SpanStatusCode.ERROR, message: outcome })
    }
    this.inner.end(hrTime(endTime))
  }
}

const contextOf = (parent: Option.Option<Tracer.AnySpan>): otel.Context =>
  Option.match(parent, {
    onNone: () => otel.ROOT_CONTEXT,
    onSome: ({ sampled, spanId, traceId }) =>
      otel.trace.setSpanContext(otel.ROOT_CONTEXT, {
        spanId,
        traceId,
        traceFlags: sampled ? otel.TraceFlags.SAMPLED : otel.TraceFlags.NONE
      })
  })

const orderIn = (attributes: Record<string, unknown> | undefined): string | undefined => {
  const order = attributes?.order
  return typeof order === "string" && /^(?!0{32})[0-9a-f]{32}$/.test(order) ? order : undefined
}

/** A trace that begins with an order's span has the order's uuid as its id, also after a restart. */
export const bridge = (tracer: otel.Tracer, ids: TraceIds): Tracer.Tracer =>
  Tracer.make({
    span: (name, parent, context, links, startTime, kind, options) => {
      const common = [name, parent, context, links, startTime, kind] as const
      if (!own.test(name)) return new Passed(...common)
      const inner = ids.beginning(orderIn(options?.attributes), () =>
        tracer.startSpan(name, { kind: kinds[kind], startTime: hrTime(startTime) }, contextOf(parent))
      )
      return new Exported(inner, ...common)
    },
    context: (run) => run()
  })
