/** For Prometheus: every figure in its text format. */
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema } from "@effect/platform"

const Exposition = HttpApiSchema.Text({ contentType: "text/plain; version=0.0.4; charset=utf-8" })

export const metrics = HttpApiGroup.make("metrics").add(
  HttpApiEndpoint.get("scrape", "/metrics").addSuccess(Exposition)
)
