/**
 * Benchmarks: `npm run bench` prints how fast the agent is, against what can be reached and against the way that the Python agent does it.
 *
 * The agent is a process of its own, as built from `src`; both simulators are another (`simulators/`), on real HTTP, with the times of a real
 * front-end where that matters. `site/` starts both and asks; `benchmarks/` has one file for each question; `python/` is the Python
 * agent's way of doing things, as a model. `main.ts` is the command; `ratios.json` what is kept to compare with.
 */
