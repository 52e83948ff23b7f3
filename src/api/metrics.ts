/** For Prometheus: every figure in its text format. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"

const Exposition = HttpApiSchema.Text({ contentType: "text/plain; version=0.0.4; charset=utf-8" })

export const metrics = HttpApiGroup.make("metrics").add(
  HttpApiEndpoint.get("scrape", "/metrics").addSuccess(Exposition)
)
