/** A collector's receiver: OTLP over HTTP in protobuf, on 127.0.0.1, decoded by protobufjs from the published message definitions. */
import { createServer } from "node:http"
import { Effect, Schema } from "effect"
import protobuf from "protobufjs"

/** Of opentelemetry-proto 1.x (`trace/v1/trace.proto`, `common/v1/common.proto`), what is looked at here. */
const definitions = `
syntax = "proto3";
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; }
message InstrumentationScope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15;
}
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`
const Request = protobuf.parse(definitions).root.lookupType("ExportTraceServiceRequest")

const Value = Schema.Struct({
  stringValue: Schema.optional(Schema.String),
  intValue: Schema.optional(Schema.String),
  doubleValue: Schema.optional(Schema.Number),
  boolValue: Schema.optional(Schema.Boolean)
})
const Pairs = Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.optional(Value) }))
const Attributes = Schema.optionalWith(Pairs, { default: () => [] })
const Spans = Schema.Struct({
  resourceSpans: Schema.Array(
    Schema.Struct({
      resource: Schema.Struct({ attributes: Attributes }),
      scopeSpans: Schema.Array(
        Schema.Struct({
          spans: Schema.Array(
            Schema.Struct({
              traceId: Schema.String,
              spanId: Schema.String,
              parentSpanId: Schema.optionalWith(Schema.String, { default: () => "" }),
              name: Schema.String,
              startTimeUnixNano: Schema.String,
              endTimeUnixNano: Schema.String,
              attributes: Attributes,
              status: Schema.optional(
                Schema.Struct({ code: Schema.optional(Schema.Number), message: Schema.optional(Schema.String) })
              )
            })
          )
        })
      )
    })
  )
})

export interface ReceivedSpan {
  readonly trace: string
  readonly id: string
  readonly parent: string
  readonly name: string
  readonly start: bigint
  readonly end: bigint
  readonly attributes: Readonly<Record<string, string>>
  readonly failed: boolean
}

const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex")
const recordOf = (attributes: typeof Pairs.Type): Readonly<Record<string, string>> =>
  Object.fromEntries(
    attributes.map(({ key, value = {} }) => [
      key,
      value.stringValue ?? value.intValue ?? String(value.doubleValue ?? value.boolValue ?? "")
    ])
  )

/** Listens until the scope closes. */
export const collector = Effect.gen(function* () {
  const spans: Array<ReceivedSpan> = []
  const requests: Array<{ readonly path: string; readonly headers: Readonly<Record<string, unknown>> }> = []
  const resources: Array<Readonly<Record<string, string>>> = []
  const bodies: Array<string> = []
  const receive = (body: Buffer) => {
    bodies.push(body.toString("latin1"))
    const message = Request.toObject(Request.decode(body), { bytes: String, longs: String })
    for (const { resource, scopeSpans } of Schema.decodeUnknownSync(Spans)(message).resourceSpans) {
      resources.push(recordOf(resource.attributes))
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({
          trace: hex(span.traceId),
          id: hex(span.spanId),
          parent: hex(span.parentSpanId),
          name: span.name,
          start: BigInt(span.startTimeUnixNano),
          end: BigInt(span.endTimeUnixNano),
          attributes: recordOf(span.attributes),
          failed: span.status?.code === 2
        })
      }
    }
  }
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      requests.push({ path: request.url ?? "", headers: request.headers })
      receive(Buffer.concat(chunks))
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end()
    })
  })
  const url = yield* Effect.acquireRelease(
    Effect.async<string>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`))
      })
    }),
    () => Effect.sync(() => server.close())
  )
  return { url, spans, requests, resources, bodies }
})
