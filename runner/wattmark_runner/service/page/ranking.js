// The ranking: only what may be compared stands together.

import { get, text } from "./api.js";
import { scoreChart } from "./chart.js";
import { field, h, table } from "./dom.js";
import { between, mwh, percent, place, si, verdict } from "./format.js";

const FILTERS = ["workload", "host", "boundary", "formula"];

export async function rankingView(view, signal, query) {
  const wanted = new URLSearchParams(FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  const input = (name) => name === "boundary"
    ? h("select", {}, ["", "cpu", "gpu", "host"].map((each) => h("option", { value: each, selected: query.get(name) === each }, each || "any")))
    : h("input", { type: "text", value: query.get(name) ?? "" });
  const form = h("form", { class: "grid", "aria-label": "Filter" },
    FILTERS.map((name) => field(name, name[0].toUpperCase() + name.slice(1), input(name), name === "formula" ? "empty: accuracy² / energy" : "")),
    h("div", { class: "wide buttons" }, h("button", {}, "Show")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = `#/ranking?${new URLSearchParams(FILTERS.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value))}`;
  });
  const list = h("div", {}, h("p", { class: "dim" }, "Loading…"));
  view.replaceChildren(h("h1", {}, "Ranking"),
    h("p", { class: "dim" }, "The newest score of each host and model, with the same GPU and settings. Overlapping intervals are a tie. Only scores of one workload, boundary and formula are compared, and estimated energy never with measured."), form, list);
  const { groups } = await get(`/ranking?${wanted}`, signal);
  list.replaceChildren(...(groups.length ? groups.map(group) : [h("p", { class: "dim" }, "Nothing is scored yet.")]),
    groups.length ? h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => download(wanted, signal) }, "Download as CSV")) : "");
}

// Not a plain link: where the runner asks for a key, a link could not carry it.
async function download(wanted, signal) {
  const csv = await text(`/ranking?${new URLSearchParams([...wanted, ["format", "csv"]])}`, signal);
  const url = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  h("a", { href: url, download: "ranking.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function group(found) {
  const how = found.estimated ? "ESTIMATED energy, relative only" : "measured energy";
  const title = `${found.workload} · boundary ${found.boundary} · ${how}${found.host ? ` · ${found.host}` : ""}`;
  return h("section", {}, h("h2", {}, title),
    found.formula === "accuracy^2/energy" ? null : h("p", {}, `formula ${found.formula}`),
    found.ranked.length ? [scoreChart(found.ranked, `scores with 95 % intervals: ${title}`), scores(found.ranked, "ranked, best first", true)] : h("p", { class: "dim" }, "None of these can be ranked."),
    found.unranked.length ? scores(found.unranked, "not ranked: the checks say why", false) : null);
}

function scores(list, caption, ranked) {
  const heads = [...(ranked ? ["#"] : []), "model", "settings", "host", "score", "95 % interval", "accuracy", "energy per inference", "power", "speed", "verdict", "why"];
  return table(caption, heads, list.map((each, i) => [
    ...(ranked ? [String(i + 1)] : []),
    h("a", { href: `#/runs/${encodeURIComponent(each.run_id)}` }, each.model), each.settings, place(each), si(each.value, ""), between(each.low, each.high, ""), percent(each.accuracy), mwh(each.joules_per_inference), si(each.watts, "W"), si(each.inferences_per_second, "/s"),
    h("span", { class: each.verdict }, verdict(each.verdict)),
    h("td", { class: "l wrap" }, each.checks.filter((check) => check.verdict !== "valid" && check.verdict === each.verdict).map((check) => check.name).join(", "))]), ranked ? [1, 2, 3] : [0, 1, 2]);
}
