// Paths on a landscape. All of them were walked before; two dials, a map of all settings, or a start that one drags choose.

import {
  bytes,
  capital,
  clamp,
  dial,
  draggable,
  h,
  line,
  markup,
  mix,
  pointed,
  px,
  register,
  s,
  set,
  split,
  write,
} from "./alive.js";

const SHAPES = [
  "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z",
  "M-5.4 -5.4h10.8v10.8h-10.8z",
  "M0 -7L6.4 5H-6.4z",
  "M0 -7.4L6.6 0L0 7.4L-6.6 0z",
];
const AWAY = "M11 0L-5 7.5V-7.5z";
const DASHES = ["none", "7 4", "2 4", "9 3 2 3"];
const [LW, LH] = [220, 110]; // the plot of the loss
const [MW, MH] = [220, 120]; // the map of all settings

function descent(story, ui) {
  const { data } = story;
  const last = story.frames - 1;
  const chosen = [...data.first];
  const shown = data.methods.map(() => true);
  const table = unpack(data, story.frames);
  const ground = makeGround(story, data);
  const plot = makePlot(data, (k) => ui.player.go(k * last));
  const legend = makeLegend(data, shown, () => ui.refresh());
  const map = data.drag ? null : makeMap(data, choose);
  const knobs = data.dials.map((each, n) =>
    dial(each.name, each.labels, chosen[n], (at) => choose(n ? [chosen[0], at] : [at, chosen[1]])),
  );

  const noted = (m) => data.noted[chosen[0]][chosen[1]][m];
  function choose(places) {
    [chosen[0], chosen[1]] = places;
    knobs.forEach((knob, n) => knob.show(chosen[n]));
    ui.refresh();
  }
  if (data.drag) {
    const nearest = (list, x) =>
      list.reduce((best, each, n) => (Math.abs(each - x) < Math.abs(list[best] - x) ? n : best), 0);
    draggable(ground.svg, (event) => {
      const { x, y } = pointed(event, ground.svg);
      choose([nearest(data.starts[0], x), nearest(data.starts[1], y)]);
    });
  }
  function draw(t) {
    const [k, u] = split(t, last);
    data.methods.forEach((_, m) => {
      const { points, heights } = table(...chosen, m);
      drawTrack(ground.tracks[m], points, k, u, shown[m], data.size);
      const curve = heights.map((y, n) => [(n / last) * LW, (y / 255) * LH]);
      drawTrack(plot.tracks[m], curve, k, u, shown[m]);
      write(legend.notes[m], data.notes[noted(m)]);
    });
    const [x, y] = table(...chosen, 0).points[0];
    set(ground.start, { transform: `translate(${px(x)} ${px(y)})` });
    map?.show(chosen);
  }
  const setting = () => data.dials.map(({ name, labels }, n) => `${name} ${labels[chosen[n]]}`).join(", ");
  const name = (m) => (data.methods.length > 1 ? data.methods[m] : "The path");
  const sentence = (m) => (data.methods.length > 1 ? `${name(m)} ` : "") + data.said[noted(m)];
  function say(k) {
    const away = data.methods.flatMap((_, m) => {
      const { points } = table(...chosen, m);
      return outside(points[Math.min(k, points.length - 1)], data.size) ? [` ${name(m)} has left the map.`] : [];
    });
    const methods = data.methods.map((_, m) => sentence(m)).join(", ");
    return `${capital(setting())}: ${methods}. Shown up to step ${k * data.every}.${away.join("")}`;
  }
  const panel = h(
    "div",
    { class: "panel" },
    ...(map ? [map.svg] : []),
    plot.svg,
    ...(data.methods.length > 1 ? [legend.list] : []),
    h("div", { class: "meant" }, data.meant),
  );
  const below = h("div", { class: "dials" }, ...knobs.map(({ row }) => row));
  return { stage: ground.svg, panel, below, draw, say, count: (k) => `step ${k * data.every}`, first: last };
}

// The path of a method at a setting, in pixels, and where its losses stand.
function unpack(data, frames) {
  const [places, counts, heights] = [
    bytes(data.places, Int16Array),
    bytes(data.counts, Uint16Array),
    bytes(data.heights, Uint8Array),
  ];
  const [rows, methods] = [data.dials[1].labels.length, data.methods.length];
  return (i, j, m) => {
    const run = (i * rows + j) * methods + m;
    const at = run * frames;
    const point = (_, k) => [places[2 * (at + k)] / 8, places[2 * (at + k) + 1] / 8];
    return {
      points: Array.from({ length: counts[run] }, point),
      heights: Array.from(heights.subarray(at, at + frames)),
    };
  };
}

const outside = ([x, y], [width, height]) => x < 0 || y < 0 || x > width || y > height;

// On a map of a size, a method that has left it is an arrow at the frame, which points to where it is.
function drawTrack({ group, ghost, track, dots, tip, mark }, points, k, u, visible, size) {
  set(group, { class: visible ? group.dataset.role : `${group.dataset.role} away` });
  const end = Math.min(k, points.length - 1);
  const between = u && end + 1 < points.length;
  const [x, y] = between ? points[end].map((a, n) => mix(a, points[end + 1][n], u)) : points[end];
  const walked = points.slice(0, end + 1);
  set(ghost, { d: line(points) });
  set(track, { d: line([...walked, [x, y]]) });
  if (dots) set(dots, { d: walked.map(([a, b]) => `M${px(a)} ${px(b)}h0`).join("") });
  if (!size || !outside([x, y], size)) {
    set(tip, { transform: `translate(${px(x)} ${px(y)})` });
    if (size) set(mark, { d: mark.dataset.d });
    return;
  }
  const [a, b] = [clamp(x, 10, size[0] - 10), clamp(y, 10, size[1] - 10)];
  const turn = (Math.atan2(y - b, x - a) * 180) / Math.PI;
  set(tip, { transform: `translate(${px(a)} ${px(b)}) rotate(${px(turn)})` });
  set(mark, { d: AWAY });
}

function makeTracks(parent, methods, size) {
  return methods.map((_, m) => {
    const group = parent.appendChild(s("g", { "data-role": `method m${m}` }));
    const path = (name) =>
      group.appendChild(s("path", { class: name, "stroke-dasharray": name === "dots" ? "none" : DASHES[m] }));
    const parts = { group, ghost: path("ghost"), track: path("track") };
    if (size > 0.7) parts.dots = path("dots");
    parts.tip = group.appendChild(s("g"));
    parts.mark = s("path", { class: "tip", d: SHAPES[m], "data-d": SHAPES[m], transform: `scale(${size})` });
    parts.tip.append(parts.mark);
    return parts;
  });
}

function makeGround(story, data) {
  const [width, height] = data.size;
  const view = `-30 -22 ${width + 38} ${height + 60}`;
  const svg = s("svg", {
    viewBox: view,
    class: data.drag ? "stage ground drag" : "stage ground",
    role: "img",
    "aria-label": story.alt,
  });
  // A nested drawing cuts off what is outside, and needs no name for that.
  const inner = svg.appendChild(s("svg", { width, height, overflow: "hidden" }));
  inner.append(markup(s("g"), data.ground));
  svg.append(s("rect", { class: "axis", width, height, rx: 3 }));
  for (const [x, text] of data.x) svg.append(s("text", { class: "tick mid", x, y: height + 15 }, text));
  for (const [y, text] of data.y) svg.append(s("text", { class: "tick end", x: -6, y: y + 4 }, text));
  const [across, upward] = data.axes;
  svg.append(s("text", { class: "end", x: width, y: height + 32 }, across), s("text", { class: "mid", y: -8 }, upward));
  const tracks = makeTracks(inner, data.methods, 0.85);
  const start = inner.appendChild(s("g", { class: "start" }, s("circle", { r: 9 })));
  return { svg, tracks, start };
}

function makePlot(data, go) {
  const svg = s("svg", { viewBox: `-6 -18 ${LW + 12} ${LH + 36}`, class: "plot", "aria-hidden": "true" });
  const [top, bottom] = data.scale;
  svg.append(s("path", { class: "axis", d: `M0 0V${LH}H${LW}` }), s("text", { class: "tick", y: -6 }, top));
  svg.append(
    s("text", { class: "tick", y: LH + 14 }, bottom),
    s("text", { class: "tick end", x: LW, y: LH + 14 }, `${data.steps} steps`),
  );
  const tracks = makeTracks(svg, data.methods, 0.7);
  draggable(svg, (event) => go(Math.min(Math.max(pointed(event, svg).x / LW, 0), 1)));
  return { svg, tracks };
}

function makeLegend(data, shown, refresh) {
  const notes = data.methods.map(() => h("span"));
  const row = (name, m) => {
    const swatch = s("svg", { viewBox: "0 -8 40 16", class: `swatch method m${m}`, "aria-hidden": "true" });
    const shape = s("path", { class: "tip", d: SHAPES[m], transform: "translate(20 0) scale(.8)" });
    swatch.append(s("path", { class: "track", d: "M0 0H40", "stroke-dasharray": DASHES[m] }), shape);
    const button = h("button", {
      type: "button",
      class: "entry",
      "aria-pressed": "true",
      "aria-label": `Show ${name}`,
    });
    button.append(swatch, h("b", {}, name));
    button.addEventListener("click", () => {
      shown[m] = !shown[m];
      set(button, { "aria-pressed": shown[m] });
      refresh();
    });
    return h("div", { class: "row" }, button, notes[m]);
  };
  return { list: h("div", { class: "legend" }, ...data.methods.map(row)), notes };
}

// How soon each setting settles. The two dials say the same by keyboard and aloud.
function makeMap(data, choose) {
  const [columns, rows] = data.dials.map(({ labels }) => labels.length);
  const [w, height] = [MW / columns, MH / rows];
  const shades = bytes(data.shades, Uint8Array);
  const svg = s("svg", { viewBox: `-6 -18 ${MW + 12} ${MH + 36}`, class: "map", "aria-hidden": "true" });
  shades.forEach((shade, n) => {
    const [i, j] = [Math.floor(n / rows), n % rows];
    const place = { x: i * w, y: MH - (j + 1) * height, width: w + 0.3, height: height + 0.3 };
    svg.append(
      s("rect", { class: shade === 255 ? "cell apart" : "cell", ...place, style: `--n:${(shade / 254).toFixed(2)}` }),
    );
    if (shade === 255)
      svg.append(
        s("path", {
          class: "axis cross",
          d: `M${px(place.x + w / 2 - 1.5)} ${px(place.y + height / 2 - 1.5)}l3 3m0 -3l-3 3`,
        }),
      );
  });
  const here = svg.appendChild(s("rect", { class: "here", width: w + 3, height: height + 3, rx: 2.5 }));
  svg.append(
    s("text", { class: "tick", y: -6 }, "all settings: the brighter the sooner"),
    s("text", { class: "tick", y: MH + 14 }, `${data.dials[0].name} →`),
  );
  svg.append(s("text", { class: "tick end", x: MW, y: MH + 14 }, `↑ ${data.dials[1].name}`));
  const place = (x, size, count) => Math.min(Math.max(Math.floor(x / size), 0), count - 1);
  draggable(svg, (event) => {
    const { x, y } = pointed(event, svg);
    choose([place(x, w, columns), place(MH - y, height, rows)]);
  });
  return { svg, show: ([i, j]) => set(here, { x: px(i * w - 1.5), y: px(MH - (j + 1) * height - 1.5) }) };
}

const CSS = `
:host{--m0:#c2410c;--m1:#0b5cad;--m2:#0a6b3b;--m3:#7a3e9d;--deep:#2c5f93;--soon:#ffe08a;--late:#173a63}
:host([dark]){--m0:#ffae70;--m1:#82bbff;--m2:#63d69d;--m3:#d3a4f0;--deep:#9cc7f2;--soon:#ffe39a;--late:#1c2f47}
.ground{height:auto}.ground.drag{cursor:grab;touch-action:none}.plot,.map{cursor:crosshair;touch-action:none}
.band{fill:color-mix(in oklab,var(--deep) calc((1 - var(--n))*34%),var(--paper))}
.contour,.goal{stroke:var(--paper);stroke-opacity:.7}.goal{stroke:var(--ink)}.minimum{fill:#ffc83d;stroke:#3a2c00}
.ground g text{fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.ground text,.ground .tick{font-size:var(--f,9.5px)}.ground g text{font-size:calc(var(--f,9.5px) * .92)}
@container (max-width:860px){.ground{--f:11.5px}}@container (max-width:720px){.ground{--f:10px}}
@container (max-width:560px){.ground{--f:12.5px}}@container (max-width:480px){.ground{--f:15px}}
.m0{--m:var(--m0)}.m1{--m:var(--m1)}.m2{--m:var(--m2)}.m3{--m:var(--m3)}.away{display:none}
.ghost,.track,.dots{fill:none;stroke:var(--m);stroke-linejoin:round;stroke-linecap:round}.ghost{stroke-opacity:.3;stroke-width:1.5}svg .track{stroke-width:2.2}.dots{stroke-width:5}
.method .tip{fill:var(--m);stroke:var(--paper);stroke-width:1.6}
.start circle{fill:none;stroke:var(--ink);stroke-width:2}
.map rect{shape-rendering:crispEdges}.cell{fill:color-mix(in oklch,var(--late) calc(var(--n)*100%),var(--soon))}.cell.apart{fill:var(--wash)}.cross{stroke:var(--edge)}.here{fill:none;stroke:var(--hot);stroke-width:2.6}
.legend,.meant{font-size:13px;color:var(--soft)}@container (max-width:720px){.panel .legend{flex-basis:240px}}.row{display:flex;flex-wrap:wrap;gap:0 6px;align-items:center;min-height:34px}.row span{white-space:nowrap;font-size:12px}
.entry{display:flex;justify-content:start;align-items:center;gap:6px;padding:0 6px;border-radius:9px;height:30px;font-size:13px}.entry[aria-pressed=false]{opacity:.5;text-decoration:line-through}.panel .swatch{flex:none;width:24px;height:16px;stroke:none}.entry b{font-weight:600}
`;

register("descent", descent, CSS);
