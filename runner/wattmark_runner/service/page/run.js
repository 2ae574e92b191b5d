// One run: followed live, then its score, checks, windows and record.

import { follow, get, pause, post, Problem, text } from "./api.js";
import { h, picture, table, verdict } from "./dom.js";
import { clock, duration, moment, share } from "./format.js";

const POWER_MS = 2000;

export async function runView(view, signal, query, runId) {
  const path = `/runs/${encodeURIComponent(runId)}`;
  const parts = Object.fromEntries(["head", "live", "said", "actions", "score", "power", "rest"].map((name) => [name, h("div", { id: name })]));
  parts.said.setAttribute("role", "alert");
  view.replaceChildren(h("h1", {}, "Run"), ...Object.values(parts));
  let run = await get(path, signal);
  const show = async () => {
    run = await get(path, signal);
    view.querySelector("h1").textContent = `${run.model} on ${run.workload}`;
    showRun(parts, run, path, show, signal);
  };
  const power = async () => parts.power.replaceChildren(h("h2", {}, "Power"), picture((await get(`${path}/power`, signal)).picture));
  await show();
  await power();
  if (run.final) return;
  let ended = false;
  const drawing = (async () => { while (!ended) { await pause(POWER_MS, signal); await power(); } })();
  await follow(runId, (kind, body) => {
    if (kind === "progress") showProgress(parts.live, body);
    if (kind === "state" || kind === "window") show().catch(() => {});
  }, signal);
  ended = true;
  await drawing;
  await show();
  await power();
}

function showRun(parts, run, path, show, signal) {
  const { record, shown } = run;
  parts.head.replaceChildren(
    h("p", {}, h("strong", { class: run.state, id: "state" }, run.state), run.queue_position === null ? "" : ` – number ${run.queue_position + 1} in the queue`, ` · ${run.host || "waits for its host"} · asked for ${moment(Date.parse(run.created_at))}`, run.owner ? ` by ${run.owner}` : ""),
    h("p", { class: "dim small" }, run.run_id, Object.entries(run.labels).map(([name, value]) => ` · ${name}=${value}`)));
  if (run.final) parts.live.replaceChildren();
  else if (run.progress) showProgress(parts.live, run.progress);
  parts.said.replaceChildren(...[
    run.reason ? h("div", { class: "note bad" }, run.reason) : null,
    ...record.notices.map((notice) => h("div", { class: "note" }, notice))].filter(Boolean));
  showActions(parts.actions, run, path, show, signal);
  parts.score.replaceChildren(...(run.score ? score(run.score.verdict, run.score_texts) : []));
  const open = [...parts.rest.querySelectorAll("details[open]")].map((details) => details.id);
  parts.rest.replaceChildren(...[...checks(shown.checks), ...windows(shown.windows), ...otherScores(shown.scores), facts(shown), log(path, signal)]);
  for (const id of open) parts.rest.querySelector(`#${id}`)?.setAttribute("open", "");
}

function showProgress(place, progress) {
  if (!place.querySelector("progress")) {
    place.replaceChildren(h("p", { id: "stage", "aria-live": "polite" }), h("progress", { max: 1, "aria-labelledby": "stage" }), h("p", { class: "dim small", id: "left" }));
  }
  const stage = place.querySelector("#stage");
  if (stage.textContent !== progress.stage) stage.textContent = progress.stage;
  place.querySelector("progress").value = progress.fraction;
  place.querySelector("#left").textContent = `${share(progress.fraction)}, ${duration(progress.seconds_left)} left`;
}

function showActions(place, run, path, show, signal) {
  const act = (label, call) => {
    const button = h("button", { type: "button", onclick: async () => {
      button.disabled = true;
      try {
        await post(`${path}/${call}`, undefined, signal);
        await show();
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        place.append(h("p", { class: "error", role: "alert" }, error.message));
      }
      button.disabled = false;
    } }, label);
    return button;
  };
  const kept = place.querySelector("button:focus") !== null;
  const buttons = [];
  if (["queued", "running"].includes(run.state)) buttons.push(act("Cancel", "cancel"));
  if (["done", "failed"].includes(run.state) && run.record.windows.length) buttons.push(act("Score again", "score"));
  place.replaceChildren(h("div", { class: "buttons" }, buttons));
  if (kept) buttons[0]?.focus();
}

function score(judged, texts) {
  const fact = (name, value, more = "") => h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, more) : ""));
  return [h("h2", {}, "Score"), h("dl", { class: "facts" },
    fact("energy per inference", texts.energy, texts.method),
    fact("of it above idle", texts.energy_above_idle),
    fact("accuracy", texts.accuracy),
    fact(texts.formula, texts.score, `for other images: ${texts.for_other_images}`),
    fact("verdict", verdict({ verdict: judged, texts }, { id: "verdict" })),
    fact("mean power", texts.power),
    fact("speed", texts.speed, "inferences"),
    fact("counts", texts.counts)),
    h("p", { class: "small" }, `${texts.findings}.`)];
}

function checks(shown) {
  if (!shown.length) return [];
  return [h("h2", {}, "Checks"), table("what did not pass first", ["check", "verdict", "found", "allowed", "what it says"], shown.map((check) => [
    check.texts.name, verdict(check), check.texts.found, check.texts.allowed, h("td", { class: "l wrap" }, check.texts.meaning)]), [0, 1, 4])];
}

function windows(shown) {
  if (!shown.length) return [];
  return [h("h2", {}, "Windows"), table("in order of time", ["window", "begins", "length", "energy", "mean power", "inferences", "correct", "notes"], shown.map(({ start_ms, texts }) => [
    texts.name, clock(start_ms), texts.length, texts.energy, texts.power, texts.inferences, texts.correct, texts.notes]), [0, 7])];
}

function otherScores(shown) {
  if (!shown.length) return [];
  return [h("h2", {}, "All scores"), table("every formula in every boundary", ["formula", "counts", "value", "energy is", "verdict"], shown.map((score) => [
    score.texts.formula, score.texts.counts, score.texts.score, score.texts.method, verdict(score)]), [0, 1])];
}

function facts(shown) {
  return h("details", { id: "record" }, h("summary", {}, "Record: what is needed to repeat the run"),
    h("dl", { class: "record" }, [...shown.facts, ...shown.environment].filter(([, value]) => value !== "").map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function log(path, signal) {
  const place = h("pre", { tabindex: "0" }, "Loading…");
  return h("details", { id: "log", ontoggle: async (event) => {
    if (!event.target.open) return;
    const printed = text(`${path}/log`, signal).catch((error) => error.message); // a read key may not
    place.textContent = (await printed) || "The worker has printed nothing.";
  } }, h("summary", {}, "Log of the worker"), place);
}
