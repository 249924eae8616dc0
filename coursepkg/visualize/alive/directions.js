// Arrows from one point: the shadow of a gradient on a direction that one turns, or a fan of forward gradients.

import { dial, draggable, h, line, markup, mix, pointed, px, register, s, set, split, write } from "./alive.js";

// A shaft, and a head that is filled; both shrink with a short arrow.
function arrow([x0, y0], [x1, y1], size) {
  const length = Math.hypot(x1 - x0, y1 - y0);
  if (length < 0.5) return `M${px(x0)} ${px(y0)}h0`;
  const head = Math.min(size, 0.7 * length);
  const [u, v] = [(x1 - x0) / length, (y1 - y0) / length];
  const corner = (side) => [x1 - head * u + side * 0.42 * head * v, y1 - head * v - side * 0.42 * head * u];
  return `${line([[x0, y0], [x1 - 0.7 * head * u, y1 - 0.7 * head * v]])}${line([[x1, y1], corner(1), corner(-1)])}z`; // prettier-ignore
}
const between = (list, k, u, next) => list[k].map((a, n) => mix(a, list[next][n], u));

function directions(story, ui) {
  const { data } = story;
  const { side } = data;
  const middle = [side / 2, side / 2];
  const svg = s("svg", { viewBox: `0 0 ${side} ${side}`, class: "plane", role: "img", "aria-label": story.alt });
  if (data.half) svg.append(markup(s("g"), data.half));
  svg.append(s("path", { class: "axis", d: `M0 ${side / 2}H${side}M${side / 2} 0V${side}` }));
  svg.append(s("rect", { class: "axis", x: 0.5, y: 0.5, width: side - 1, height: side - 1, rx: 4 }));
  const path = (name) => svg.appendChild(s("path", { class: name }));
  const parts = data.runs ? fan(story, ui, path, middle) : shadow(story, ui, path, middle, svg);
  // Names of the axes stand over the arrows, which would strike them through.
  svg.append(s("text", { class: "tick end", x: side - 6, y: side / 2 - 6 }, data.names[0]));
  svg.append(s("text", { class: "tick", x: side / 2 + 6, y: 16 }, data.names[1]));
  const fact = h("b");
  const rows = parts.legend.map(([name, words]) => {
    const swatch = s("svg", { viewBox: "0 0 34 14", "aria-hidden": "true" }, s("path", { class: name, d: "M2 7H32" }));
    return h("div", { class: "key" }, swatch, words);
  });
  const panel = h("div", { class: "panel" }, h("div", { class: "fact" }, fact), h("div", {}, ...rows));
  const draw = (t) => write(fact, parts.draw(t));
  return { stage: h("div", { class: "stage" }, svg), panel, draw, first: data.first, ...parts.more };
}

function shadow(story, ui, path, middle, svg) {
  const { data } = story;
  const last = story.frames - 1;
  const names = ["road", "shade", "trace", "estimate", "light", "gradient", "direction"];
  const node = Object.fromEntries(names.map((name) => [name, path(name)]));
  set(node.gradient, { d: arrow(middle, data.gradient, 13) });
  // The state whose direction is nearest to where one points.
  draggable(svg, (event) => {
    const { x, y } = pointed(event, svg);
    const along = ([a, b]) => (a - middle[0]) * (x - middle[0]) + (b - middle[1]) * (y - middle[1]);
    ui.player.go(data.tips.reduce((best, tip, n) => (along(tip) > along(data.tips[best]) ? n : best), 0));
  });
  function draw(t) {
    const [k, u, next] = split(t, last);
    const [tip, foot, estimate] = ["tips", "feet", "estimates"].map((name) => between(data[name], k, u, next));
    const far = (by) => tip.map((x, n) => middle[n] + by * (x - middle[n]));
    set(node.road, { d: line([far(-9), far(9)]) });
    set(node.shade, { d: line([middle, foot]) });
    set(node.light, { d: line([data.gradient, foot]) });
    set(node.trace, { d: line([...data.estimates.slice(0, k + 1), estimate]) });
    set(node.estimate, { d: arrow(middle, estimate, 17) });
    set(node.direction, { d: arrow(middle, tip, 12) });
    return data.facts[Math.round(t)];
  }
  const legend = [
    ["gradient", "gradient ∇f"],
    ["direction", "direction v"],
    ["shade", "shadow of ∇f on v"],
    ["estimate", "forward gradient"],
  ];
  return { draw, legend, more: { count: (k) => data.turns[k] } };
}

function fan(story, ui, path, middle) {
  const { data } = story;
  const last = story.frames - 1;
  let run = 0;
  const arrows = data.runs[0].map(() => path("one"));
  const gradient = path("gradient thick");
  const mean = path("mean");
  set(gradient, { d: arrow(middle, data.gradient, 20) });
  const knob = dial(data.dial, data.labels, run, (n) => {
    run = n;
    knob.show(n);
    ui.refresh();
  });
  function draw(t) {
    const [k, u, next] = split(t, last);
    arrows.forEach((node, n) => {
      const grown = n <= k ? 1 : n === next ? u : 0;
      const tip = data.runs[run][n].map((x, axis) => mix(middle[axis], x, grown));
      set(node, { d: grown ? arrow(middle, tip, 7) : "M0 0", class: n === Math.round(t) ? "one new" : "one" });
    });
    set(mean, { d: arrow(middle, between(data.means[run], k, u, next), 12) });
    return data.facts[run][Math.round(t)];
  }
  const legend = [
    ["one", "one forward gradient"],
    ["gradient thick", "the gradient"],
    ["mean", "mean so far"],
  ];
  const below = data.labels.length > 1 ? h("div", { class: "dials" }, knob.row) : undefined;
  return { draw, legend, more: { below, say: (k) => data.said[run][k], count: (k) => `${k + 1}` } };
}

const CSS = `
.plane{display:block;width:100%;max-width:520px;height:auto;overflow:hidden;border-radius:4px;touch-action:none}.plane text{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.half{fill:var(--wash)}.key{display:flex;gap:10px;align-items:center;font-size:13.5px;line-height:1.9}.panel .key svg{width:34px;height:14px;flex:none}
.fact{font-size:18px}.fact b{font-weight:650}
path{stroke-linejoin:round}.road{stroke:var(--edge);stroke-dasharray:2 4;fill:none}.light{stroke:var(--soft);stroke-dasharray:5 4;fill:none}.trace{stroke:var(--hot);stroke-opacity:.35;stroke-width:1.6;fill:none}
.shade{stroke:var(--warm);stroke-opacity:.75;stroke-width:13;fill:none}
.gradient{stroke:var(--gradient);fill:var(--gradient);stroke-width:3}.gradient.thick{stroke-width:6}
.direction{stroke:var(--data);fill:var(--data);stroke-width:2.6}.plane .direction{cursor:grab}
.estimate{stroke:var(--hot);fill:var(--hot);stroke-width:6}
.one{stroke:var(--edge);fill:var(--edge);stroke-width:1;stroke-opacity:.7;fill-opacity:.7}.one.new{stroke-opacity:1;fill-opacity:1;stroke:var(--ink);fill:var(--ink);stroke-width:1.8}.mean{stroke:var(--hot);fill:var(--hot);stroke-width:3}
`;

register("directions", directions, CSS);
