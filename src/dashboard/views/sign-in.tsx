/** The way in: by a token, unless a reverse proxy says who one is. */
import { useSignal } from "@preact/signals"
import { Brand, shapes } from "../parts/icons.js"
import { useTitle } from "../parts/title.js"
import { session, signIn } from "../state/session.js"

const Form = () => {
  const token = useSignal("")
  const busy = useSignal(false)
  const refused = useSignal("")
  const send = async () => {
    busy.value = true
    const answer = await signIn(token.value.trim())
    busy.value = false
    if (!answer.ok) refused.value = answer.failure.message
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!busy.value) void send()
      }}
    >
      <label class="field">
        Token
        <input
          type="password"
          autocomplete="current-password"
          required
          maxLength={500}
          value={token.value}
          onInput={({ currentTarget }) => {
            token.value = currentTarget.value
          }}
        />
      </label>
      <p class="muted small">
        The agent printed it at its first start, and keeps only its hash. <code>site-actors token</code> makes a new
        one.
      </p>
      {refused.value === "" ? null : (
        <p class="notice bad" role="alert">
          {shapes.bad}
          {refused.value}
        </p>
      )}
      <button type="submit" class="button strong" disabled={busy.value}>
        {busy.value ? "Signing in" : "Sign in"}
      </button>
    </form>
  )
}

export const SignIn = () => {
  useTitle("Sign in")
  return (
    <main class="gate">
      <Brand />
      <h1>Site Actors</h1>
      {session.value?.tokens === false ? (
        <p class="notice">
          {shapes.warn}
          Sign in at the reverse proxy in front of this page: the agent takes no tokens.
        </p>
      ) : (
        <Form />
      )}
    </main>
  )
}
