/** A small picture for each kind of thing in a cloud, in a field of 20 by 20. */
const drawings: Readonly<Record<string, string>> = {
  group:
    "M7 9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM2.5 16c0-3 2-4.5 4.5-4.5s4.5 1.5 4.5 4.5M13 4.4a2.5 2.5 0 0 1 0 4.4M14 11.8c2 .5 3.5 2 3.5 4.2",
  user: "M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM4 17c0-3.4 2.6-5 6-5s6 1.6 6 5",
  vdc: "M10 2.5l6.5 3.7v7.6L10 17.5l-6.5-3.7V6.2zM3.5 6.2L10 10l6.5-3.8M10 10v7.5",
  cluster: "M3 4h14v4.5H3zM3 11.5h14V16H3zM6 6.3h.1M6 13.8h.1",
  network: "M8 3h4v4H8zM10 7v2.5M4.5 13V9.5h11V13M2.5 13h4v4h-4zM13.5 13h4v4h-4z",
  subnet: "M3 6h14M3 10h9M3 14h6",
  router: "M3 10h14v6H3zM6 13h.1M9 13h.1M10 10V7.5M6.5 5.5a5 5 0 0 1 7 0M8.300 7.5a2.5 2.5 0 0 1 3.400 0",
  vm: "M3 4h14v9.5H3zM7.5 17h5M10 13.5V17",
  "security group": "M10 2.5l6 2.300v4.700c0 4-2.700 6.5-6 8-3.300-1.5-6-4-6-8V4.800z"
}
const anything = "M4 6a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z"

export const KindIcon = ({ kind }: { readonly kind: string }) => (
  <svg
    class="icon"
    viewBox="0 0 20 20"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    stroke-width="1.4"
    stroke-linejoin="round"
    stroke-linecap="round"
  >
    <path d={drawings[kind] ?? anything} />
  </svg>
)
