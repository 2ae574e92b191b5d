// Elements from data. Text only ever becomes text; of a picture, only what draws is taken.

const DRAWING = new Set("figure div ul li span p svg desc title g path rect line circle text".split(" "));
const LOOKS = /^(class|role|tabindex|aria-label|viewBox|text-anchor|stroke-dasharray|d|r|[xy][12]?|c[xy]|width|height)$/;

export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

// A picture that the runner drew: HTML with an inline SVG, copied element by element.
export function picture(html) {
  return copy(new DOMParser().parseFromString(html, "text/html").body.firstElementChild);
}

function copy(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (!DRAWING.has(node.localName)) return "";
  const made = document.createElementNS(node.namespaceURI, node.localName);
  for (const { name, value } of node.attributes) if (LOOKS.test(name)) made.setAttribute(name, value);
  made.append(...[...node.childNodes].map(copy));
  return made;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return element;
}

// A table that scrolls in a box of its own; cells are text or elements, `left` columns by number.
export function table(caption, heads, rows, left = [0]) {
  const align = (column) => (left.includes(column) ? "l" : null);
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {},
      h("caption", { class: "dim small" }, caption),
      h("thead", {}, h("tr", {}, heads.map((head, i) => h("th", { scope: "col", class: align(i) }, head)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) =>
        cell instanceof HTMLTableCellElement ? cell : h("td", { class: align(i) }, cell)))))));
}

export function verdict(shown, attributes = {}) {
  return h("span", { class: shown.verdict, ...attributes }, shown.texts.verdict);
}

// A field with its label, hint and place for an error; `name` as problem+json names it.
export function field(name, label, input, hint = "") {
  const id = `f-${name.replaceAll(".", "-")}`;
  input.id = id;
  input.name = name;
  input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  const check = input.type === "checkbox";
  const named = h("label", { for: id }, label);
  return h("div", { class: check ? "field check" : "field", "data-field": name },
    check ? [input, named] : [named, input],
    h("p", { class: "hint", id: `${id}-hint`, hidden: !hint }, hint),
    h("p", { class: "error", id: `${id}-error`, hidden: true }));
}

export function clearErrors(form) {
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".error")) place.hidden = true;
}

// Show each error at its field; those without a field are returned.
export function showErrors(form, errors) {
  const left = [];
  let first = null;
  for (const { field: name, message } of errors) {
    const box = [...form.querySelectorAll("[data-field]")].find(
      (candidate) => name === candidate.dataset.field || name.startsWith(`${candidate.dataset.field}.`));
    if (!box) { left.push(`${name}: ${message}`); continue; }
    const input = box.querySelector("input, select");
    const place = box.querySelector(".error");
    input.setAttribute("aria-invalid", "true");
    place.textContent = message;
    place.hidden = false;
    first ??= input;
  }
  first?.focus();
  return left;
}
