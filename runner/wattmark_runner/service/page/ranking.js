// The ranking: only what may be compared stands together.

import { get, text } from "./api.js";
import { field, h, picture, table, verdict } from "./dom.js";
import { BOUNDARIES } from "./labels.js";

const FILTERS = ["workload", "host", "boundary", "formula"];

export async function rankingView(view, signal, query) {
  const filters = new URLSearchParams(FILTERS.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  const input = (name) => name === "boundary"
    ? h("select", {}, [["", "any"], ...BOUNDARIES.map(([value, counts]) => [value, `${value}: ${counts}`])].map(([value, label]) => h("option", { value, selected: query.get(name) === value }, label)))
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
  const { shown } = await get(`/ranking?${new URLSearchParams([...filters, ["shown", "true"]])}`, signal);
  list.replaceChildren(...(shown.length ? shown.map(group) : [h("p", { class: "dim" }, "Nothing is scored yet.")]),
    shown.length ? h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => download(filters, signal) }, "Download as CSV")) : "");
}

// Not a plain link: where the runner asks for a key, a link could not carry it.
async function download(filters, signal) {
  const csv = await text(`/ranking?${new URLSearchParams([...filters, ["format", "csv"]])}`, signal);
  const url = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  h("a", { href: url, download: "ranking.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function group(shown) {
  const ranked = shown.scores.filter((score) => score.rank !== null), unranked = shown.scores.filter((score) => score.rank === null);
  return h("section", {}, h("h2", {}, shown.title), h("p", { class: "dim small" }, `score: ${shown.formula}`),
    shown.picture ? picture(shown.picture) : null,
    ranked.length ? scores(ranked, "ranked, best first", true) : h("p", { class: "dim" }, "None of these can be ranked."),
    unranked.length ? scores(unranked, "not ranked: the checks say why", false) : null);
}

function scores(list, caption, ranked) {
  const heads = [...(ranked ? ["#"] : []), "model", "settings", "host", "energy per inference", "accuracy", "score", "mean power", "speed", "verdict", "why"];
  return table(caption, heads, list.map((score) => [
    ...(ranked ? [String(score.rank)] : []),
    h("a", { href: `#/runs/${encodeURIComponent(score.run_id)}` }, score.model), score.settings, score.texts.place, score.texts.energy, score.texts.accuracy, score.texts.score, score.texts.power, score.texts.speed, verdict(score),
    h("td", { class: "l wrap" }, score.texts.reasons)]), ranked ? [1, 2, 3, 10] : [0, 1, 2, 9]);
}
