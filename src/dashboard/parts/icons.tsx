/** Small pictures, drawn for a field of 20 by 20. They say nothing to a screen reader: beside each stands a word. */
import type { ComponentChildren } from "preact"

const Icon = ({ children }: { readonly children: ComponentChildren }) => (
  <svg
    class="icon"
    viewBox="0 0 20 20"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    stroke-width="1.6"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    {children}
  </svg>
)

export const Brand = () => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="#1d3f9e" />
    <path d="M7 10h9M12 16h13M7 22h6" stroke="#fff" stroke-width="4" stroke-linecap="round" />
  </svg>
)

export const Pulse = () => (
  <Icon>
    <path d="M2 10h4l2-6 4 12 2-6h4" />
  </Icon>
)
export const Bars = () => (
  <Icon>
    <path d="M3 5h7M7 10h10M3 15h5" stroke-width="2.4" />
  </Icon>
)
export const Boxes = () => (
  <Icon>
    <rect x="3" y="3" width="5.5" height="5.5" rx="1" />
    <rect x="11.5" y="3" width="5.5" height="5.5" rx="1" />
    <rect x="3" y="11.5" width="5.5" height="5.5" rx="1" />
    <rect x="11.5" y="11.5" width="5.5" height="5.5" rx="1" />
  </Icon>
)
export const Wrench = () => (
  <Icon>
    <path d="M13.5 3.2a4 4 0 0 0-4.3 5.6L3 15l2 2 6.2-6.2a4 4 0 0 0 5.6-4.3L14.3 9 11 5.7z" />
  </Icon>
)

export const shapes = {
  /** A ring with a tick. */
  ok: (
    <Icon>
      <circle cx="10" cy="10" r="7.2" />
      <path d="M6.8 10.3l2.2 2.2 4.3-4.8" />
    </Icon>
  ),
  /** A ring that is half filled. */
  busy: (
    <Icon>
      <circle cx="10" cy="10" r="7.2" />
      <path d="M10 5.6a4.4 4.4 0 0 1 0 8.8z" fill="currentColor" stroke="none" />
    </Icon>
  ),
  /** Two bars: it pauses. */
  waits: (
    <Icon>
      <rect x="2.8" y="2.8" width="14.4" height="14.4" rx="3" />
      <path d="M8 7v6M12 7v6" stroke-width="2" />
    </Icon>
  ),
  /** A triangle. */
  warn: (
    <Icon>
      <path d="M10 3l7.6 13.4H2.4z" />
      <path d="M10 8.2v3.6M10 14v.2" />
    </Icon>
  ),
  /** An octagon with a cross, filled. */
  bad: (
    <Icon>
      <path d="M6.8 2.4h6.4l4.4 4.4v6.4l-4.4 4.4H6.8l-4.4-4.4V6.8z" fill="currentColor" />
      <path d="M7.4 7.4l5.2 5.2M12.6 7.4l-5.2 5.2" stroke="var(--surface)" stroke-width="1.9" />
    </Icon>
  ),
  /** An arrow that turns back. */
  undone: (
    <Icon>
      <path d="M4 8.5h8a4 4 0 0 1 0 8H8" />
      <path d="M7 5.2L3.6 8.5 7 11.8" />
    </Icon>
  ),
  /** A dashed ring. */
  off: (
    <Icon>
      <circle cx="10" cy="10" r="7.2" stroke-dasharray="2.6 3" />
    </Icon>
  )
} as const
export type Shape = keyof typeof shapes
