// The table of runs.

import { get } from "./api.js";
import { field, h, table } from "./dom.js";
import { method, moment, si, verdict } from "./format.js";

const STATES = ["", "queued", "running", "scoring", "done", "failed", "cancelled", "interrupted"];
const FILTERS = ["state", "workload", "model", "owner", "label"];

export function runsTable(runs, caption) {
  return table(caption, ["run", "state", "workload", "model", "score, 1/mWh", "verdict", "asked for"], runs.map((run) => [
    h("a", { href: `#/runs/${encodeURIComponent(run.run_id)}` }, run.run_id),
    h("span", { class: run.state }, run.state + where(run)),
    run.workload, run.model,
    run.score ? `${si(run.score.value, "")} ${method(run.score.method)}` : "",
    run.score ? h("span", { class: run.score.verdict }, verdict(run.score.verdict)) : "",
    moment(run.created_at),
  ]), [0, 1, 2, 3]);
}

function where(run) {
  if (run.queue_position !== null) return `, number ${run.queue_position + 1}`;
  return run.progress ? `, ${Math.round(100 * run.progress.fraction)} %` : "";
}

export async function runsView(view, signal, query) {
  const input = (name) => name === "state"
    ? h("select", {}, STATES.map((state) => h("option", { value: state, selected: query.get("state") === state }, state || "any")))
    : h("input", { type: "text", value: query.get(name) ?? "" });
  const hints = { label: "NAME:VALUE" };
  const form = h("form", { class: "grid", "aria-label": "Filter" },
    FILTERS.map((name) => field(name, name[0].toUpperCase() + name.slice(1), input(name), hints[name])),
    h("div", { class: "wide buttons" }, h("button", {}, "Show")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = new URLSearchParams(FILTERS.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value));
    location.hash = `#/runs?${wanted}`;
  });
  const list = h("div", {}, h("p", { class: "dim" }, "Loading…"));
  view.replaceChildren(h("h1", {}, "Runs"), form, list);
  await showPage(list, query, [], null, signal);
}

async function showPage(list, query, before, cursor, signal) {
  const wanted = new URLSearchParams(FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  wanted.set("limit", "30");
  if (cursor) wanted.set("cursor", cursor);
  const page = await get(`/runs?${wanted}`, signal);
  const runs = [...before, ...page.runs];
  const more = h("button", { type: "button", onclick: () => { more.disabled = true; showPage(list, query, runs, page.next, signal); } }, "Show older runs");
  list.replaceChildren(
    runs.length ? runsTable(runs, `${runs.length} runs, the newest first`) : h("p", { class: "dim" }, "No run is like that."),
    page.next ? h("div", { class: "buttons" }, more) : "");
}
