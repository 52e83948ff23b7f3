/** The package `parse-prometheus-text-format` (1.1.1), a port of the Python client's parser, has no types of its own. */
declare module "parse-prometheus-text-format" {
  type Labels = Readonly<Record<string, string>>
  export interface Sample {
    readonly labels?: Labels
    readonly value?: string
  }
  export interface Family {
    readonly name: string
    readonly help: string
    readonly type: "COUNTER" | "GAUGE" | "HISTOGRAM" | "SUMMARY" | "UNTYPED"
    readonly metrics: ReadonlyArray<Sample>
  }
  export default function parse(text: string): ReadonlyArray<Family>
}
