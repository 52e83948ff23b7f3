/** What narrows a list. All of it is in the address, so that a list can be sent to a colleague. */
import { useEffect, useId, useRef } from "preact/hooks"
import { filterBy, place } from "../state/router.js"

/** A new filter begins at the first page. */
const narrow = (name: string, value: string) => filterBy({ [name]: value, page: "", before: "" })

export const Search = ({ label, placeholder }: { readonly label: string; readonly placeholder: string }) => {
  const id = useId()
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <div class="field grow">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        placeholder={placeholder}
        defaultValue={place.peek().search.get("search") ?? ""}
        onInput={({ currentTarget }) => {
          // When the fingers rest, not at every letter.
          clearTimeout(timer.current)
          const { value } = currentTarget
          timer.current = setTimeout(() => narrow("search", value.trim()), 200)
        }}
      />
    </div>
  )
}

export const Choice = ({
  name,
  label,
  all,
  options
}: {
  readonly name: string
  readonly label: string
  /** The word for no choice. */
  readonly all: string
  readonly options: ReadonlyArray<readonly [value: string, word: string]>
}) => {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={place.value.search.get(name) ?? ""}
        onChange={({ currentTarget }) => narrow(name, currentTarget.value)}
      >
        <option value="">{all}</option>
        {options.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </div>
  )
}

/** Of few that exclude each other. */
export const Switch = <A extends string>({
  label,
  options,
  chosen,
  choose
}: {
  readonly label: string
  readonly options: ReadonlyArray<readonly [value: A, word: string]>
  readonly chosen: A
  readonly choose: (value: A) => void
}) => {
  const name = useId()
  return (
    <fieldset class="switch">
      <legend class="heard">{label}</legend>
      {options.map(([value, word]) => (
        <label key={value}>
          <input type="radio" class="heard" name={name} checked={chosen === value} onChange={() => choose(value)} />
          <span>{word}</span>
        </label>
      ))}
    </fieldset>
  )
}
