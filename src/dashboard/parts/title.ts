/** The tab's words and picture: from another tab one sees whether something is wrong. */
import { useEffect } from "preact/hooks"

export const useTitle = (title: string): void => {
  useEffect(() => {
    document.title = title === "" ? "Site Actors" : `${title} - Site Actors`
  }, [title])
}

export const useWrong = (wrong: boolean): void => {
  useEffect(() => {
    document.querySelector("link[rel=icon]")?.setAttribute("href", wrong ? "./icon-wrong.svg" : "./icon.svg")
  }, [wrong])
}
