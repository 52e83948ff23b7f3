/**
 * The web page: how all is, and what can be done about it. It shows what `src/api` says and knows nothing else of the agent.
 * Begin with `app.tsx`; a view is a folder or file in `views/`, what it shows again and again is in `parts/`, what it remembers in `state/`.
 */
import "./language.js"
import "./styles/index.css"
import { render } from "preact"
import { App } from "./app.js"

const root = document.getElementById("app")
if (root !== null) {
  root.replaceChildren()
  render(<App />, root)
}
