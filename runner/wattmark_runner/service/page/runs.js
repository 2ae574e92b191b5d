// The table of runs.

import { get } from "./api.js";
import { field, h, table, verdict } from "./dom.js";
import { MISSING, moment, share } from "./format.js";
import { STATES } from "./labels.js";

const FILTERS = ["state", "workload", "model", "owner", "label"];

export function runsTable(runs, caption) {
  return table(caption, ["run", "state", "workload", "model", "score", "energy is", "verdict", "asked for"], runs.map((run) => [
    h("a", { href: `#/runs/${encodeURIComponent(run.run_id)}` }, run.run_id),
    h("span", { class: run.state }, run.state + where(run)),
    run.workload, run.model,
    run.score_texts?.score || MISSING, run.score_texts?.method || MISSING,
    run.score ? verdict({ verdict: run.score.verdict, texts: run.score_texts }) : MISSING,
    moment(Date.parse(run.created_at)),
  ]), [0, 1, 2, 3]);
}

function where(run) {
  if (run.queue_position !== null) return `, number ${run.queue_position + 1}`;
  return run.progress ? `, ${share(run.progress.fraction)}` : "";
}

export async function runsView(view, signal, query) {
  const input = (name) => name === "state"
    ? h("select", {}, ["", ...STATES].map((state) => h("option", { value: state, selected: query.get("state") === state }, state || "any")))
    : h("input", { type: "text", value: query.get(name) ?? "" });
  const hints = { label: "NAME:VALUE" };
  const form = h("form", { class: "grid", "aria-label": "Filter" },
    FILTERS.map((name) => field(name, name[0].toUpperCase() + name.slice(1), input(name), hints[name])),
    h("div", { class: "wide buttons" }, h("button", {}, "Show")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const filters = new URLSearchParams(FILTERS.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value));
    location.hash = `#/runs?${filters}`;
  });
  const list = h("div", {}, h("p", { class: "dim" }, "Loading…"));
  view.replaceChildren(h("h1", {}, "Runs"), form, list);
  await showPage(list, query, [], null, signal);
}

async function showPage(list, query, before, cursor, signal) {
  const filters = new URLSearchParams(FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  filters.set("limit", "30");
  if (cursor) filters.set("cursor", cursor);
  const page = await get(`/runs?${filters}`, signal);
  const runs = [...before, ...page.runs];
  const more = h("button", { type: "button", onclick: () => { more.disabled = true; showPage(list, query, runs, page.next, signal); } }, "Show older runs");
  list.replaceChildren(
    runs.length ? runsTable(runs, `${runs.length} runs, the newest first`) : h("p", { class: "dim" }, "No run is like that."),
    page.next ? h("div", { class: "buttons" }, more) : "");
}
