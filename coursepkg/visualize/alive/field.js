// A network learns: what it answers everywhere, frame by frame, and what each of its hidden units sees.

import { bytes, clamp, draggable, h, line, mix, pointed, px, register, s, set, split, write } from "./alive.js";

const [LW, LH] = [220, 96]; // the plot of the loss

// All frames of a map below one another in one hidden canvas; the browser stretches and fades them. Stretching looks
// beyond the edge of a frame, so the first and the last row are there three times.
const EDGE = 2;
function film(text, [columns, rows], count) {
  const values = bytes(text, Uint8Array);
  const tall = rows + 2 * EDGE;
  const strip = h("canvas", { width: columns, height: tall * count });
  const pen = strip.getContext("2d");
  const image = pen.createImageData(columns, tall * count);
  const pixels = new Uint32Array(image.data.buffer);
  const colour = (table) => {
    for (let n = 0; n < pixels.length; n++) {
      const row = Math.floor(n / columns);
      const inside = clamp((row % tall) - EDGE, 0, rows - 1) + Math.floor(row / tall) * rows;
      pixels[n] = table[values[inside * columns + (n % columns)]];
    }
    pen.putImageData(image, 0, 0);
  };
  const show = (target, k, opacity) => {
    const { width, height } = target.canvas;
    target.globalAlpha = opacity;
    target.drawImage(strip, 0, k * tall + EDGE, columns, rows, 0, 0, width, height);
  };
  return { colour, show };
}

function canvas(width, height) {
  const node = h("canvas", { width, height, "aria-hidden": "true" });
  const pen = node.getContext("2d", { alpha: false });
  pen.imageSmoothingQuality = "high";
  return { node, pen };
}

// A colour for each of 256 values, from the three colours of the theme.
function shades(root) {
  const style = getComputedStyle(root.querySelector("figure"));
  const [cold, middle, warm] = ["--cold", "--mid", "--warm"].map((name) =>
    style
      .getPropertyValue(name)
      .match(/\w\w/g)
      .map((x) => parseInt(x, 16)),
  );
  return Uint32Array.from({ length: 256 }, (_, n) => {
    const side = n < 128 ? cold : warm;
    const [r, g, b] = middle.map((c, part) => Math.round(mix(c, side[part], Math.abs(n / 127.5 - 1))));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

function field(story, ui) {
  const { data } = story;
  const last = story.frames - 1;
  const [width, height] = data.size;
  const answers = film(data.shades, data.cells, story.frames);
  const ground = canvas(width, height);
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": story.alt });
  const undecided = svg.appendChild(s("path", { class: "undecided" }));
  const points = data.points.map(([x, y], n) => svg.appendChild(data.labels[n] ? square(x, y) : circle(x, y)));
  const units = makeUnits(data, story.frames);
  const curve = makeCurve(data, last, (t) => ui.player.go(t));
  const facts = ["steps", "loss", "right"].map((name) => [h("b"), h("span", {}, name)]);

  function theme() {
    const table = shades(ui.root);
    answers.colour(table);
    units?.colour(table);
  }
  function draw(t) {
    const [k, u, next] = split(t, last);
    answers.show(ground.pen, k, 1);
    if (u) answers.show(ground.pen, next, u);
    const near = Math.round(t);
    set(undecided, {
      d:
        data.moves[k] && u
          ? between(data.lines[k], data.lines[next], u)
          : between(data.lines[near], data.lines[near], 0),
    });
    const wrong = new Set(data.wrong[near]);
    points.forEach((point, n) =>
      set(point, { class: `point ${data.labels[n] ? "one" : "zero"}${wrong.has(n) ? " wrong" : ""}` }),
    );
    facts.forEach(([value], n) => write(value, data.facts[near][n]));
    units?.draw(k, u, next, near);
    curve.draw(k, u);
  }
  const stage = h("div", { class: "stage film" }, ground.node, svg);
  const numbers = h("div", { class: "facts" }, ...facts.map((pair) => h("div", {}, ...pair)));
  const panel = h("div", { class: "panel" }, numbers, curve.svg, ...(units ? [units.node] : []));
  return { stage, panel, draw, theme };
}

// The lines of one frame on their way to those of the next.
function between(now, soon, u) {
  return now
    .map((flat, n) =>
      line(
        flat.flatMap((_, at) =>
          at % 2 ? [] : [[mix(flat[at], soon[n][at], u), mix(flat[at + 1], soon[n][at + 1], u)]],
        ),
      ),
    )
    .join("");
}
const square = (x, y) => s("rect", { x: x - 4.3, y: y - 4.3, width: 8.6, height: 8.6, rx: 1.5 });
const circle = (x, y) => s("circle", { cx: x, cy: y, r: 4.7 });

function makeUnits(data, frames) {
  if (!data.units) return null;
  const all = film(data.tiles, data.tile, frames * data.units);
  const tiles = Array.from({ length: data.units }, () => canvas(80, 56));
  const words = tiles.map(() => h("span"));
  const cells = tiles.map(({ node }, n) => h("div", {}, node, words[n]));
  const node = h("div", { class: "units", role: "group", "aria-label": `${data.units} hidden units` }, ...cells);
  function draw(k, u, next, near) {
    tiles.forEach(({ pen }, n) => {
      all.show(pen, k * data.units + n, 1);
      if (u) all.show(pen, next * data.units + n, u);
      write(words[n], data.votes[near]?.[n] ?? "");
    });
  }
  return { node, draw, colour: all.colour };
}

function makeCurve(data, last, go) {
  const svg = s("svg", { viewBox: `-6 -16 ${LW + 12} ${LH + 34}`, class: "curve", "aria-hidden": "true" });
  const places = data.curve.map((share, k) => [last ? (k / last) * LW : 0, share * LH]);
  svg.append(s("path", { class: "axis", d: `M0 0V${LH}H${LW}` }), s("text", { class: "tick", y: -5 }, "loss"));
  svg.append(s("text", { class: "tick end", x: LW, y: LH + 14 }, `${data.facts[last][0]} steps`));
  svg.append(s("path", { class: "ghost", d: line(places) }));
  const done = svg.appendChild(s("path", { class: "done" }));
  const ball = svg.appendChild(s("circle", { class: "ball", r: 5 }));
  draggable(svg, (event) => go(clamp(pointed(event, svg).x / LW, 0, 1) * last));
  function draw(k, u) {
    const [x, y] = u ? places[k].map((a, n) => mix(a, places[k + 1][n], u)) : places[k];
    set(done, { d: line([...places.slice(0, k + 1), [x, y]]) });
    set(ball, { cx: px(x), cy: px(y) });
  }
  return { svg, draw };
}

const CSS = `
.film{position:relative;flex-basis:auto;border-radius:6px;overflow:hidden;line-height:0}.film canvas{width:100%;height:auto;display:block}.film svg{position:absolute;inset:0;width:100%;height:100%}
.undecided{fill:none;stroke:var(--ink);stroke-width:2.4;stroke-linejoin:round}
.point{stroke:var(--paper);stroke-width:1.2}.zero{fill:#0b4f94}.one{fill:#a84a00}:host([dark]) .zero{fill:#8cc2ff}:host([dark]) .one{fill:#ffc48a}svg .point.wrong{stroke:var(--ink);stroke-width:2.8}
.facts{display:grid;grid-template-columns:auto auto auto;gap:2px 12px}.facts div{display:grid;line-height:1.3}.facts b{font-size:18px;font-weight:650;white-space:nowrap}.facts span{font-size:12.5px;color:var(--soft)}
@container (max-width:720px){.panel :is(.facts,.units){flex-basis:100%}}
.curve{cursor:crosshair;touch-action:none}.ghost,.done{fill:none;stroke:var(--hot);stroke-linejoin:round}.ghost{stroke-opacity:.32;stroke-width:1.6}.done{stroke-width:2.4}.ball{fill:var(--hot);stroke:var(--paper);stroke-width:2}
.units{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:6px}.units canvas{width:100%;height:auto;display:block;border-radius:4px}.units span{font-size:12px;color:var(--soft);display:block;text-align:center;line-height:1.4;white-space:nowrap}
`;

register("field", field, CSS);
