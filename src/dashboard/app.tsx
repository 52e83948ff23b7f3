/** The frame of every view: where one can go, whether what one sees is live, and what is said to whoever listens. */
import { effect } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { Asking, Said } from "./parts/acting.js"
import { Lost } from "./parts/lost.js"
import { Side } from "./parts/side.js"
import { Loading, NotToBeHad } from "./parts/states.js"
import { said } from "./state/acting.js"
import { connect, disconnect } from "./state/live.js"
import { place, whereabouts } from "./state/router.js"
import { askSession, session, sessionFailure } from "./state/session.js"
import { Order } from "./views/order/index.js"
import { Orders } from "./views/orders.js"
import { Overview } from "./views/overview/index.js"
import { Resource } from "./views/resource/index.js"
import { Resources } from "./views/resources.js"
import { SignIn } from "./views/sign-in.js"
import { Troubles } from "./views/troubles/index.js"

void askSession()
effect(() => {
  if (session.value?.visitor) connect()
  else disconnect()
})

const View = () => {
  const [section = "", id] = place.value.path
  switch (section) {
    case "":
      return <Overview />
    case "orders":
      return id === undefined ? <Orders /> : <Order key={id} id={id} />
    case "resources":
      return id === undefined ? <Resources /> : <Resource key={id} id={id} />
    case "troubles":
      return <Troubles list={id ?? "quarantine"} />
    default:
      return (
        <div class="empty">
          <h1>There is nothing here</h1>
          <p class="muted">
            Go to the <a href="#/">overview</a>.
          </p>
        </div>
      )
  }
}

/** After going somewhere the new view is read from its beginning, by eye and by ear. */
const useArrival = () => {
  const main = useRef<HTMLElement>(null)
  const last = useRef(whereabouts.peek())
  const here = whereabouts.value
  useEffect(() => {
    if (last.current === here) return
    last.current = here
    said.value = undefined
    main.current?.focus()
    scrollTo(0, 0)
  }, [here])
  return main
}

export const App = () => {
  const main = useArrival()
  const known = session.value
  if (known === undefined) {
    return (
      <main class="main">
        {sessionFailure.value === undefined ? (
          <Loading what="the page" />
        ) : (
          <NotToBeHad failure={sessionFailure.value} again={() => void askSession()} />
        )}
      </main>
    )
  }
  if (known.visitor === null) return <SignIn />
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <div class="shell">
        <Side visitor={known.visitor} version={known.version} />
        <div class="column">
          <Lost />
          <Said />
          <main class="main" tabIndex={-1} ref={main}>
            <View />
          </main>
        </div>
      </div>
      <Asking />
    </>
  )
}
