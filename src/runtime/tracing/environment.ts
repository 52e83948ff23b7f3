/** What OpenTelemetry's environment variables ask for. The exporter and the resource read theirs themselves. */
import { Either } from "effect"

export type Environment = Readonly<Record<string, string | undefined>>

export interface Sampling {
  readonly kind: "on" | "off" | "ratio"
  /** Of traces; between 0 and 1. */
  readonly ratio: number
  /** A trace that somebody else has begun keeps what was decided there. */
  readonly parentBased: boolean
}

const samplers: Readonly<Record<string, Omit<Sampling, "ratio">>> = {
  always_on: { kind: "on", parentBased: false },
  always_off: { kind: "off", parentBased: false },
  traceidratio: { kind: "ratio", parentBased: false },
  parentbased_always_on: { kind: "on", parentBased: true },
  parentbased_always_off: { kind: "off", parentBased: true },
  parentbased_traceidratio: { kind: "ratio", parentBased: true }
}

const said = (environment: Environment, name: string): string => environment[name]?.trim() ?? ""

const samplingOf = (environment: Environment): Either.Either<Sampling, string> => {
  const name = said(environment, "OTEL_TRACES_SAMPLER") || "parentbased_always_on"
  const sampler = samplers[name]
  if (sampler === undefined) {
    return Either.left(`OTEL_TRACES_SAMPLER is "${name}": use one of ${Object.keys(samplers).join(", ")}.`)
  }
  const argument = said(environment, "OTEL_TRACES_SAMPLER_ARG") || "1"
  const ratio = Number(argument)
  return ratio >= 0 && ratio <= 1
    ? Either.right({ ...sampler, ratio })
    : Either.left(`OTEL_TRACES_SAMPLER_ARG is "${argument}": use a number from 0 to 1.`)
}

/** `undefined`: nothing is to be exported. Left: one sentence about what cannot be done. */
export const tracingEnvironment = (environment: Environment): Either.Either<Sampling | undefined, string> => {
  const endpoint =
    said(environment, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") || said(environment, "OTEL_EXPORTER_OTLP_ENDPOINT")
  const isOff =
    said(environment, "OTEL_SDK_DISABLED").toLowerCase() === "true" ||
    said(environment, "OTEL_TRACES_EXPORTER").toLowerCase() === "none"
  if (endpoint === "" || isOff) return Either.right(undefined)
  const protocol =
    said(environment, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") || said(environment, "OTEL_EXPORTER_OTLP_PROTOCOL")
  if (protocol !== "" && protocol !== "http/protobuf") {
    return Either.left(
      `OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}": only http/protobuf is spoken, which every collector takes on port 4318.`
    )
  }
  return samplingOf(environment)
}
