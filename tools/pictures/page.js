// Type as large as Grafana makes it: its text fits into its width.
document.fonts.load("14px Inter").then(() => {
  const context = document.createElement("canvas").getContext("2d");
  context.font = "14px Inter";
  const sizes = new Map();
  for (const each of document.querySelectorAll(".fit")) {
    const { text, w, h, max } = each.dataset;
    const byWidth = (Number(w) / (context.measureText(text).width + 2)) * 14;
    const size = Math.min(byWidth, Number(h) / 1.2, max ? Number(max) : Infinity);
    sizes.set(each, size);
  }
  for (const [each, size] of sizes) {
    const value = each.nextElementSibling;
    const most = value && sizes.has(value) ? sizes.get(value) * 0.7 : Infinity;
    each.style.fontSize = `${Math.min(size, most)}px`;
  }
});
