// One run: followed live, then its score, checks, windows and record.

import { follow, get, pause, post, Problem, text } from "./api.js";
import { powerChart } from "./chart.js";
import { h, table } from "./dom.js";
import { between, duration, method, mwh, MISSING, moment, percent, plain, si, verdict } from "./format.js";

const FINAL = ["done", "failed", "cancelled", "interrupted"];
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
  const power = async () => parts.power.replaceChildren(h("h2", {}, "Power"), powerChart(await get(`${path}/power`, signal)));
  await show();
  await power();
  if (FINAL.includes(run.state)) return;
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
  const record = run.record;
  parts.head.replaceChildren(
    h("p", {}, h("strong", { class: run.state, id: "state" }, run.state), run.queue_position === null ? "" : ` – number ${run.queue_position + 1} in the queue`, ` · ${run.host || "waits for its host"} · asked for ${moment(run.created_at)}`, run.owner ? ` by ${run.owner}` : ""),
    h("p", { class: "dim small" }, run.run_id, Object.entries(run.labels).map(([name, value]) => ` · ${name}=${value}`)));
  if (FINAL.includes(run.state)) parts.live.replaceChildren();
  else if (run.progress) showProgress(parts.live, run.progress);
  parts.said.replaceChildren(...[
    run.reason ? h("div", { class: "note bad" }, run.reason) : null,
    ...record.notices.map((notice) => h("div", { class: "note" }, notice))].filter(Boolean));
  showActions(parts.actions, run, path, show, signal);
  parts.score.replaceChildren(...(run.score ? score(run.score) : []));
  const open = [...parts.rest.querySelectorAll("details[open]")].map((each) => each.id);
  parts.rest.replaceChildren(...[...checks(record), ...windows(record), ...otherScores(record), facts(run), log(path, signal)]);
  for (const id of open) parts.rest.querySelector(`#${id}`)?.setAttribute("open", "");
}

function showProgress(place, progress) {
  if (!place.querySelector("progress")) {
    place.replaceChildren(h("p", { id: "stage", "aria-live": "polite" }), h("progress", { max: 1, "aria-labelledby": "stage" }), h("p", { class: "dim small", id: "left" }));
  }
  const stage = place.querySelector("#stage");
  if (stage.textContent !== progress.stage) stage.textContent = progress.stage;
  place.querySelector("progress").value = progress.fraction;
  place.querySelector("#left").textContent = `${Math.round(100 * progress.fraction)} %, ${duration(progress.seconds_left)} left`;
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

function score(found) {
  const fact = (name, value, more = "") => h("div", {}, h("dt", {}, name), h("dd", {}, value, more ? h("small", {}, more) : ""));
  return [h("h2", {}, "Score"), h("dl", { class: "facts" },
    fact("accuracy² / energy", `${si(found.value, "")} /mWh`, `95 %: ${between(found.low, found.high, "")}`),
    fact("verdict", h("span", { class: found.verdict, id: "verdict" }, verdict(found.verdict)), troubles(found)),
    fact("energy per inference", mwh(found.joules_per_inference), `${si(found.joules_per_inference, "J")}; 95 %: ${between(found.joules_per_inference_low, found.joules_per_inference_high, "J")}`),
    fact("method", method(found.method), found.method === "estimated" ? "from CPU time: relative only" : ""),
    fact("boundary", found.boundary),
    fact("accuracy", percent(found.accuracy)),
    fact("mean power", si(found.watts, "W")),
    fact("speed", si(found.inferences_per_second, "/s"), "inferences"),
    fact("energy above idle", mwh(found.net_joules_per_inference), "per inference"))];
}

function troubles(found) {
  return found.verdict === "valid" ? "" : `by ${found.checks.filter((check) => check.verdict === found.verdict).map((check) => check.name).join(", ")}`;
}

function checks(record) {
  if (!record.checks.length) return [];
  const amount = (value, unit) => (value === null ? MISSING : `${plain(value)} ${unit}`.trim());
  return [h("h2", {}, "Checks"), table("each check with its value and its limit", ["check", "verdict", "value", "limit", "what it says"], record.checks.map((check) => [
    check.name, h("span", { class: check.verdict }, verdict(check.verdict)), amount(check.value, check.unit), amount(check.limit, check.unit), h("td", { class: "l wrap" }, check.message)]), [0, 1, 4])];
}

function windows(record) {
  if (!record.windows.length) return [];
  const seconds = (w) => (w.end_ns - w.start_ns) / 1e9;
  return [h("h2", {}, "Windows"), table("in order of time", ["phase", "begins", "length", "energy", "mean power", "inferences", "correct", "notes"], record.windows.map((w) => [
    w.phase === "idle" ? "idle" : `${w.phase} ${w.repeat + 1}`, new Date(w.start_ns / 1e6).toLocaleTimeString(), `${seconds(w).toFixed(2)} s`, si(w.joules, "J"), w.joules === null ? MISSING : si(w.joules / seconds(w), "W"), w.inferences ?? MISSING, w.correct ?? MISSING,
    h("td", { class: "l" }, [w.complete ? "" : "incomplete", w.overlapping ? "shares its time" : "", w.clock === "client" ? "client's clock" : ""].filter(Boolean).join(", "))]), [0, 7])];
}

function otherScores(record) {
  if (!record.scores.length) return [];
  return [h("h2", {}, "All scores"), table("every formula in every boundary", ["formula", "boundary", "value", "95 % interval", "method", "verdict"], record.scores.map((found) => [
    found.formula, found.boundary, plain(found.value), found.low === null ? MISSING : `${plain(found.low)} to ${plain(found.high)}`, method(found.method), h("span", { class: found.verdict }, verdict(found.verdict))]), [0, 1])];
}

function facts(run) {
  const record = run.record, request = record.request;
  const rows = [
    ["host, boot", `${record.host || MISSING}, ${record.boot_id || MISSING}`], ["started", moment(run.started_at)], ["ended", moment(run.ended_at)],
    ["device", request.gpu || "CPU"], ["repeats", request.repeats], ["least window", request.seconds === null ? "as the sensor needs" : `${request.seconds} s`],
    ["baselines", `${request.idle_before_seconds} s before, ${request.idle_after_seconds} s after`],
    ...Object.entries(request.parameters), ["test images", record.test_images], ["parameters", record.parameters], ["MACs", record.macs],
    ...record.series.map((series) => [`${series.domain} ${series.device}`, `${method(series.method)} from ${series.source}${series.label ? `, ${series.label}` : ""}`]),
    ...Object.entries(record.constants), ...Object.entries(record.definition).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]), ...Object.entries(record.environment)];
  return h("details", { id: "record" }, h("summary", {}, "Record: what is needed to repeat the run"),
    h("dl", { class: "record" }, rows.filter(([, value]) => value !== null && value !== "" && value !== undefined).map(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "number" ? plain(value, 6) : String(value))])));
}

function log(path, signal) {
  const place = h("pre", { tabindex: "0" }, "Loading…");
  return h("details", { id: "log", ontoggle: async (event) => {
    if (event.target.open) place.textContent = (await text(`${path}/log`, signal)) || "The worker has printed nothing.";
  } }, h("summary", {}, "Log of the worker"), place);
}
