// A recurrence unrolled in time: states travel forward along a road, gradients come back, and a bucket fills.

import { dial, ease, h, mix, part, px, register, s, scroller, set, split, write } from "./alive.js";

const DOWN = 128; // from the road to the bucket

function unrolled(story, ui) {
  const { data } = story;
  const { steps, road, ends, cell } = data;
  const [width, height] = data.size;
  const size = `--w:${Math.round(width * 1.25)}px;--least:${Math.round(width * 0.72)}px`;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "time", style: size, role: "img" });
  set(svg, { "aria-label": story.alt });
  let run = data.dial?.first ?? 0;
  const places = ends.map(([from, to], t) => makePlace(svg, from, to, t, data));
  const boxes = Array.from({ length: steps }, (_, t) => makeBox(svg, ends[t][1] + 1, t, data));
  const bucket = makeBucket(svg, ends[0][1] - 10, ends[steps][0] + 6, data);
  const pill = makePill(svg);
  const drop = makePill(svg);

  function draw(t) {
    const [k, u, next] = split(t, story.frames - 1);
    const now = data.runs[run];
    const at = (from, a = 0.8) => (from <= k ? 1 : from <= next ? part(u, a, 1) : 0);
    places.forEach((place, n) => {
      write(place.value, now.states[n]);
      write(place.gradient, now.gradients[n]);
      set(place.value, { opacity: at(n).toFixed(2) });
      const back = at(2 * steps + 1 - n);
      set(place.gradient, { opacity: back.toFixed(2) });
      set(place.bar, { height: px(now.bars[n]), opacity: back.toFixed(2) });
    });
    boxes.forEach((box, n) => {
      const backs = 2 * steps + 1 - n;
      const lit = (s) => s === n + 1 || s === backs;
      set(box.body, { class: lit(u > 0.3 ? next : k) ? "body on" : "body" });
      write(box.drop, now.drops[n]);
      set(box.fall, { opacity: at(backs).toFixed(2) });
      if (box.valve) drawValve(box, now.gates[n], road);
    });
    bucket(now, Math.max(0, k - steps - 1), u, next - steps - 1);
    travel(k, u, next, now);
    // On a narrow page the road scrolls; what moves stays in sight.
    scroll.follow(mix(from(arrived(k)), from(arrived(next)), ease(u)) / width);
  }
  const from = (t) => (ends[t][0] + ends[t][1]) / 2;
  const arrived = (k) => (k <= steps ? k : Math.min(2 * steps + 1 - k, steps)); // the place that a number has come to
  function travel(k, u, next, now) {
    const forward = u && next <= steps;
    const n = arrived(next);
    const back = u && next > steps + 1;
    if (forward) put(pill, mix(from(n - 1), from(n), ease(part(u, 0, 0.8))), road, now.states[n], "value", u);
    else if (back) put(pill, mix(from(n + 1), from(n), ease(part(u, 0, 0.8))), road, now.gradients[n], "gradient", u);
    else put(pill, 0, 0, "", "", 0);
    const middle = back ? ends[n][1] + 1 + cell / 2 : 0;
    const y = road + mix(30, DOWN, ease(part(u, 0.35, 0.9)));
    put(drop, middle, back ? y : 0, back ? now.drops[n] : "", "gradient", back && u > 0.35 ? u : 0);
  }
  const knob = data.dial && dial(data.dial.name, data.dial.labels, run, choose);
  function choose(at) {
    run = at;
    knob.show(at);
    ui.refresh();
  }
  const scroll = scroller(svg);
  const below = knob ? h("div", { class: "dials" }, knob.row) : undefined;
  return { stage: h("div", { class: "stage" }, scroll), below, draw, say: (k) => data.say[run][k] };
}

function makePlace(svg, from, to, t, { road, state }) {
  const x = (from + to) / 2;
  svg.append(s("path", { class: "road", d: `M${from} ${road}H${to}` }));
  svg.append(s("path", { class: "tip", d: `M${to} ${road}l-7 -4v8z` }));
  svg.append(s("text", { class: "tick mid", x, y: road - 27 }, `${state}${t}`));
  return {
    bar: svg.appendChild(s("rect", { class: "bar-of", x: x - 13, y: road + 27, width: 26, rx: 2 })),
    value: svg.appendChild(s("text", { class: "value mid", x, y: road - 9 })),
    gradient: svg.appendChild(s("text", { class: "gradient mid", x, y: road + 20 })),
  };
}

function makeBox(svg, x, t, { road, cell, weight, runs }) {
  const middle = x + cell / 2;
  const gated = runs[0].gates.length > 0;
  const body = svg.appendChild(s("rect", { class: "body", x, y: road - 25, width: cell, height: 50, rx: 9 }));
  const fall = svg.appendChild(s("g"));
  const top = road + (gated ? 46 : 26); // the line leaves room for its number
  fall.append(
    s("path", { class: "fall", d: `M${middle} ${top}V${road + 72}M${middle} ${road + 95}V${road + DOWN - 4}` }),
  );
  const drop = fall.appendChild(s("text", { class: "gradient mid", x: middle, y: road + 88 }));
  svg.append(s("text", { class: "tick mid", x: middle, y: road - 32 }, `step ${t + 1}`));
  if (!gated) svg.append(s("text", { class: "mid", x: middle, y: road + 5 }, `× ${weight}`));
  const plate = () => svg.appendChild(s("rect", { class: "plate", x: middle - 4, width: 8, rx: 1 }));
  const valve = gated && [plate(), plate()];
  const gate = gated && svg.appendChild(s("text", { class: "tick mid", x: middle, y: road + 40 }));
  return { body, drop, fall, valve, gate };
}

// Two plates with a gap between them: how far the gate is open.
function drawValve({ valve, gate }, [open, text], road) {
  const long = 21 * (1 - open);
  set(valve[0], { y: px(road - 21), height: px(long) });
  set(valve[1], { y: px(road + 21 - long), height: px(long) });
  write(gate, `f = ${text}`);
}

function makeBucket(svg, left, right, { road, runs, steps }) {
  const y = road + DOWN;
  svg.append(s("path", { class: "bucket", d: `M${left} ${y}l10 40H${right - 10}l10 -40` }));
  const words = svg.appendChild(s("text", { class: "gradient total mid", x: (left + right) / 2, y: y + 17 }));
  const pieces = runs[0].shares.map(() => svg.appendChild(s("rect", { y: y + 24, height: 12 })));
  const whole = right - left - 24;
  return (now, back, u, next) => {
    write(words, now.totals[u > 0.9 ? Math.max(next, 0) : back]);
    let x = left + 12;
    for (let n = 0; n < steps; n++) {
      const at = steps - 1 - n; // the last use comes first
      const [share, less] = now.shares[at];
      const shown = n < back ? 1 : n < next ? part(u, 0.85, 1) : 0;
      set(pieces[at], { x: px(x), width: px(Math.max(whole * share - 1, 0.5)), opacity: shown.toFixed(2) });
      set(pieces[at], { class: less ? "share less" : "share" });
      x += whole * share;
    }
  };
}

function makePill(svg) {
  const group = svg.appendChild(s("g"));
  const rect = group.appendChild(s("rect", { rx: 9, height: 18, y: -9 }));
  return { group, rect, text: group.appendChild(s("text", { y: 4.4, class: "mid" })) };
}
function put({ group, rect, text }, x, y, words, kind, u) {
  const width = words ? Math.max(22, 10 + 7.6 * words.length) : 0;
  const opacity = u ? Math.min(part(u, 0, 0.1), 1 - part(u, 0.82, 0.95)) : 0;
  set(group, { transform: `translate(${px(x)} ${px(y)})`, class: `pill ${kind}`, opacity: opacity.toFixed(2) });
  set(rect, { x: -width / 2, width });
  write(text, words);
}

const CSS = `
.time{display:block;width:max(100%,var(--least));max-width:var(--w);height:auto}
.road{fill:none;stroke:var(--edge);stroke-width:1.8}.tip{fill:var(--edge)}
.body{fill:var(--wash);stroke:var(--soft)}.body.on{stroke:var(--ink);stroke-width:2.6}
.time .value{fill:var(--value);font-weight:600}.time .gradient{fill:var(--gradient);font-weight:600}
.time text{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}.time :is(.pill,.body~text) text{stroke:none}
.bar-of{fill:var(--gradient);fill-opacity:.55}.fall{fill:none;stroke:var(--gradient);stroke-width:1.6;stroke-dasharray:4 4}
.plate{fill:var(--ink)}.bucket{fill:none;stroke:var(--ink);stroke-width:2}
.share{fill:var(--data)}.share.less{fill:var(--hot)}
.pill{pointer-events:none}.pill.value rect{fill:var(--value)}.pill.gradient rect{fill:var(--gradient)}.time .pill text{fill:var(--paper);font-size:12.5px;font-weight:650;stroke:none}
`;

register("unrolled", unrolled, CSS);
