// Which view belongs to an address, and what all views share.

import { Problem } from "./api.js";
import { h } from "./dom.js";
import { rankingView } from "./ranking.js";
import { runView } from "./run.js";
import { runsView } from "./runs.js";
import { startView } from "./start.js";

const VIEWS = [[/^\/$/, startView], [/^\/runs$/, runsView], [/^\/runs\/([^/]+)$/, runView], [/^\/ranking$/, rankingView]];
const view = document.getElementById("view");
let current = null;

async function show() {
  current?.abort();
  current = new AbortController();
  const { signal } = current;
  const [path, query = ""] = (location.hash.slice(1) || "/").split("?");
  for (const link of document.querySelectorAll("nav a")) {
    const here = link.getAttribute("href") === `#${path}`;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const [pattern, make] = VIEWS.find(([address]) => address.test(path)) ?? VIEWS[0];
  try {
    await make(view, signal, new URLSearchParams(query), decodeURIComponent(path.match(pattern)?.[1] ?? ""));
    document.title = `${view.querySelector("h1").textContent} – Wattmark`;
  } catch (error) {
    if (error.name === "AbortError") return;
    view.replaceChildren(h("h1", {}, "That did not work"), h("div", { class: "note bad", role: "alert" }, error.message));
    if (!(error instanceof Problem)) throw error;
  }
}

window.addEventListener("hashchange", () => { show(); view.focus({ preventScroll: true }); scrollTo(0, 0); });
show();
