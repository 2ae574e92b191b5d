// Power over time with the windows shaded, and scores as bars with their intervals.

import { s, h } from "./dom.js";
import { place, si } from "./format.js";

const WIDTH = 900, HEIGHT = 240, LEFT = 64, RIGHT = 10, TOP = 12, BOTTOM = 26;
const COLOURS = 6;

// The next round number.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

export function powerChart(power) {
  const points = power.curves.flatMap((curve) => curve.points.filter((point) => point));
  if (!points.length) return h("p", { class: "dim" }, "No samples of power are there yet.");
  const times = [...points.map(([time]) => time), ...power.windows.flatMap((w) => [w.start_ms, w.end_ms])];
  const start = Math.min(...times), end = Math.max(...times, start + 1);
  const top = ceiling(Math.max(...points.map(([, watts]) => watts), 0.1));
  const x = (time) => LEFT + ((WIDTH - LEFT - RIGHT) * (time - start)) / (end - start);
  const y = (watts) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - watts / top);
  const phases = [...new Set(power.windows.map((w) => w.phase))];
  return h("div", {},
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "power over time" },
      s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `power over ${((end - start) / 1000).toFixed(0)} seconds, up to ${si(top, "W")}` },
        power.windows.map((w) => s("rect", { class: `phase ${w.phase}`, x: x(w.start_ms), width: Math.max(1, x(w.end_ms) - x(w.start_ms)), y: TOP, height: HEIGHT - TOP - BOTTOM },
          s("title", {}, `${w.phase} ${w.repeat + 1}`))),
        [0, 0.5, 1].map((share) => [
          s("line", { class: "gridline", x1: LEFT, x2: WIDTH - RIGHT, y1: y(share * top), y2: y(share * top) }),
          s("text", { x: LEFT - 6, y: y(share * top) + 4, "text-anchor": "end" }, si(share * top, "W"))]),
        seconds((end - start) / 1000).map((at) => s("text", { x: x(start + 1000 * at), y: HEIGHT - 8, "text-anchor": "middle" }, `${Number(at.toPrecision(4))} s`)),
        power.curves.map((curve, i) => s("path", { class: `curve s${i % COLOURS}`, d: path(curve.points, x, y) })))),
    h("ul", { class: "legend" },
      power.curves.map((curve, i) => h("li", {}, s("svg", { viewBox: "0 0 14 8" }, s("line", { class: `curve s${i % COLOURS}`, x2: 14, y1: 4, y2: 4 })), curve.name)),
      phases.map((phase) => h("li", {}, s("svg", { viewBox: "0 0 14 8" }, s("rect", { class: `phase ${phase}`, width: 14, height: 8 })), phase))));
}

function seconds(length) {
  const step = ceiling(length / 6);
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step);
}

// Between two epochs nothing is known, and nothing is drawn.
function path(points, x, y) {
  let move = true;
  return points.map((point) => {
    if (!point) { move = true; return ""; }
    const text = `${move ? "M" : "L"}${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`;
    move = false;
    return text;
  }).join("");
}

const ROW = 46, LABEL = 220;
export function scoreChart(scores, title) {
  const most = ceiling(Math.max(...scores.map((score) => score.high ?? score.value)));
  const x = (value) => LABEL + ((WIDTH - LABEL - 90) * Math.max(0, value)) / most;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    s("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${ROW * scores.length + 8}`, role: "img", "aria-label": title },
      scores.map((score, i) => {
        const middle = ROW * i + ROW / 2;
        const full = `${score.model} ${score.settings}`.trim();
        const name = full.length > 24 ? `${full.slice(0, 23)}…` : full;
        return [
          s("text", { class: "title", x: LABEL - 10, y: middle, "text-anchor": "end" }, s("title", {}, `${full} on ${place(score)}`), name),
          s("text", { x: LABEL - 10, y: middle + 16, "text-anchor": "end" }, place(score)),
          s("rect", { class: "scorebar", x: LABEL, y: middle - 12, height: 18, width: Math.max(1, x(score.value) - LABEL) }),
          score.low === null ? null : s("path", { class: "whisker", d: `M${x(score.low)} ${middle - 8}v10M${x(score.low)} ${middle - 3}H${x(score.high)}M${x(score.high)} ${middle - 8}v10` }),
          s("text", { x: WIDTH - 84, y: middle + 2 }, `${si(score.value, "")} /mWh`)];
      })));
}
