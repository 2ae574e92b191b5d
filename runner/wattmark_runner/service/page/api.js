// The REST API. A problem becomes a Problem; where the runner does not answer, the page says so and retries.

const KEY = "wattmark-key";
const RETRY_MS = 2000;

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? `the runner answered ${status}`);
    this.status = status;
    this.errors = body.errors ?? [];
  }
}

function headers(more = {}) {
  const key = sessionStorage.getItem(KEY);
  return key ? { ...more, Authorization: `Bearer ${key}` } : more;
}

function gone(is) {
  const place = document.getElementById("gone");
  if (place.hidden === !is) return;
  place.textContent = is ? "The runner does not answer. Trying again…" : "";
  place.hidden = !is;
}

// Ask for the key once; calls wait for it.
let asking = null;
function askForKey() {
  asking ??= new Promise((resolve) => {
    const form = document.getElementById("key");
    form.hidden = false;
    form.querySelector("input").focus();
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, form.querySelector("input").value.trim());
      form.hidden = true;
      asking = null;
      resolve();
    };
  });
  return asking;
}

async function answer(path, options, signal) {
  for (;;) {
    let response;
    try {
      response = await fetch(`/api/v1${path}`, { ...options, headers: headers(options.headers), signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      gone(true);
      if (options.method) throw new Problem(0, { detail: "the runner does not answer; try again" });
      await pause(RETRY_MS, signal);
      continue;
    }
    gone(false);
    if (response.status === 401) {
      await askForKey();
      continue;
    }
    if (!response.ok) throw new Problem(response.status, await response.json().catch(() => ({})));
    return response;
  }
}

export async function get(path, signal) {
  return (await answer(path, {}, signal)).json();
}

export async function text(path, signal) {
  return (await answer(path, {}, signal)).text();
}

export async function post(path, body, signal) {
  const options = { method: "POST", headers: { "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-") } };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  return (await answer(path, options, signal)).json();
}

export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("", "AbortError")); });
  });
}

// Events of a run until it has ended; resumes after the last one where the connection broke.
export async function follow(runId, hear, signal) {
  let last = "0";
  for (let final = false; !final;) {
    const response = await answer(`/runs/${runId}/events`, { headers: { "Last-Event-ID": last } }, signal);
    try {
      for await (const event of events(response.body.pipeThrough(new TextDecoderStream()).getReader())) {
        last = event.id;
        hear(event.kind, event.body);
        final = event.kind === "state" && event.body.final;
      }
    } catch (error) {
      if (error.name === "AbortError") throw error;
      gone(true);
    }
    if (!final) await pause(RETRY_MS / 4, signal);
  }
}

async function* events(reader) {
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      if (fields.data) yield { id: fields.id, kind: fields.event, body: JSON.parse(fields.data) };
    }
  }
}
