// Start a run from a form that is made from what the runner offers.

import { get, post, Problem } from "./api.js";
import { clearErrors, field, h, showErrors } from "./dom.js";
import { BOUNDARIES } from "./labels.js";
import { runsTable } from "./runs.js";

const NUMBERS = [
  ["repeats", "Repeats", { min: 1, max: 1000, step: 1, value: 5, required: true }, "measured windows"],
  ["seconds", "Least window, s", { min: 0.001, max: 3600, step: "any" }, "empty: as long as the sensor needs"],
  ["warmup_seconds", "Warm-up, s", { min: 0, max: 3600, step: "any", value: 3, required: true }, ""],
  ["idle_before_seconds", "Idle baseline before, s", { min: 0, max: 3600, step: "any", value: 30, required: true }, ""],
  ["idle_after_seconds", "Idle baseline after, s", { min: 0, max: 3600, step: "any", value: 30, required: true }, ""],
];

export async function startView(view, signal) {
  const { workloads } = await get("/workloads", signal);
  const form = h("form", { class: "grid", novalidate: true, "aria-label": "Start a run" });
  const latest = h("div");
  view.replaceChildren(h("h1", {}, "Start a run"), form, h("h2", {}, "Sensors"), h("div", { id: "sensors" }, "Asking the sensors…"), h("h2", {}, "Queue and latest runs"), latest);
  build(form, workloads);
  form.addEventListener("submit", (event) => { event.preventDefault(); start(form, workloads, signal); });
  showSensors(view.querySelector("#sensors"), signal);
  const { runs } = await get("/runs?limit=8", signal);
  latest.replaceChildren(runs.length ? runsTable(runs, "the newest first") : h("p", { class: "dim" }, "No run yet: start the first one above."));
}

function build(form, workloads) {
  const workload = h("select", {}, workloads.map((offered) => h("option", { value: offered.name }, offered.name)));
  const meaning = h("p", { class: "hint" });
  const model = h("select");
  const parameters = h("div", { class: "wide" });
  const choose = () => {
    const chosen = workloads.find((offered) => offered.name === workload.value);
    meaning.textContent = chosen.meaning;
    model.replaceChildren(...chosen.models.map((name) => h("option", { value: name }, name)));
    parameters.replaceChildren(...(chosen.parameters.length ? [h("fieldset", { class: "plain" }, h("legend", {}, `Parameters of ${chosen.name}`), h("div", { class: "grid inner" }, chosen.parameters.map(parameter)))] : []));
  };
  const boxed = field("workload", "Workload", workload);
  boxed.append(meaning);
  form.append(boxed, field("model", "Model", model),
    ...NUMBERS.map(([name, label, attributes, hint]) => field(name, label, h("input", { type: "number", ...attributes }), hint)),
    field("boundary", "Boundary", h("select", {}, [["", "as fits the device"], ...BOUNDARIES.map(([name, counts]) => [name, `${name}: ${counts}`])].map(([value, label]) => h("option", { value }, label))), "what is counted"),
    field("gpu", "GPU", h("input", { type: "text", maxlength: 100, placeholder: "UUID" }), "empty: run on the CPU"),
    field("owner", "Owner", h("input", { type: "text", maxlength: 100 })),
    field("labels", "Labels", h("input", { type: "text", placeholder: "project=thesis, batch=first" }), "name=value, separated by commas"),
    parameters,
    h("div", { class: "wide" }, h("div", { class: "note bad", id: "refused", role: "alert", hidden: true }), h("div", { class: "buttons" }, h("button", { class: "main" }, "Start"))));
  workload.addEventListener("change", choose);
  choose();
}

function parameter(declared) {
  const name = `parameters.${declared.name}`;
  const limits = [declared.minimum === null ? "" : `from ${declared.minimum}`, declared.maximum === null ? "" : `to ${declared.maximum}`].join(" ").trim();
  const hint = [declared.meaning, limits].filter(Boolean).join(", ");
  if (declared.choices.length) return field(name, declared.name, h("select", {}, declared.choices.map((value) => h("option", { value: JSON.stringify(value), selected: value === declared.default }, String(value)))), hint);
  if (declared.type === "boolean") return field(name, declared.name, h("input", { type: "checkbox", checked: declared.default }), hint);
  if (declared.type === "string") return field(name, declared.name, h("input", { type: "text", value: declared.default, maxlength: 1000 }), hint);
  return field(name, declared.name, h("input", { type: "number", min: declared.minimum, max: declared.maximum, step: declared.type === "integer" ? 1 : "any", value: declared.default, required: true }), hint);
}

// The body of the request; an empty number field is left to the runner's default.
function body(form, workloads) {
  const value = (name) => form.elements[name].value.trim();
  const request = { workload: value("workload"), model: value("model"), owner: value("owner"), gpu: value("gpu"), labels: labels(value("labels")), parameters: {} };
  for (const [name] of NUMBERS) if (value(name) !== "") request[name] = Number(value(name));
  if (value("boundary")) request.boundary = value("boundary");
  for (const declared of workloads.find((offered) => offered.name === request.workload).parameters) {
    const input = form.elements[`parameters.${declared.name}`];
    if (declared.choices.length) request.parameters[declared.name] = JSON.parse(input.value);
    else if (declared.type === "boolean") request.parameters[declared.name] = input.checked;
    else if (declared.type === "string") request.parameters[declared.name] = input.value;
    else if (input.value !== "") request.parameters[declared.name] = Number(input.value);
  }
  return request;
}

function labels(text) {
  const pairs = text.split(",").map((part) => part.trim()).filter(Boolean).map((part) => part.split("="));
  const wrong = pairs.find((pair) => pair.length < 2);
  if (wrong) throw new Problem(422, { detail: "", errors: [{ field: "labels", message: `${wrong[0]} has no value: write name=value` }] });
  return Object.fromEntries(pairs.map(([name, ...value]) => [name.trim(), value.join("=").trim()]));
}

async function start(form, workloads, signal) {
  const button = form.querySelector("button"), refused = form.querySelector("#refused");
  clearErrors(form);
  refused.hidden = true;
  button.disabled = true;
  try {
    const run = await post("/runs", body(form, workloads), signal);
    location.hash = `#/runs/${encodeURIComponent(run.run_id)}`;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const left = showErrors(form, error.errors);
    refused.textContent = error.errors.length ? left.join("; ") : error.message;
    refused.hidden = !refused.textContent;
  } finally {
    button.disabled = false;
  }
}

async function showSensors(place, signal) {
  try {
    const report = await get("/sensors", signal);
    const chosen = report.energy.filter((counter) => counter.chosen);
    const estimated = chosen.some((counter) => counter.method === "estimated");
    const summary = estimated ? "Energy is ESTIMATED on this host" : chosen.length ? "Energy is measured on this host" : "No sensor measures energy on this host";
    place.replaceChildren(h("div", { class: estimated || !chosen.length ? "note" : "note good" }, h("p", {}, h("strong", {}, `${summary} (${report.host})`)), report.advice.map((line) => h("p", { class: "small" }, line))));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    place.replaceChildren(h("div", { class: "note bad" }, error.message));
  }
}
