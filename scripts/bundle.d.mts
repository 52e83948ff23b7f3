/** `entries`: of `src`, each with its path there. `directory` gets them with the same paths, and in `chunks` what they share. */
export declare const bundle: (options: {
  readonly directory: string
  readonly entries: ReadonlyArray<string>
}) => Promise<void>
