// Light in a mesh of interferometers: three passes through the same hardware, and what meets at one heater.

import { clamp, dial, h, mix, register, s, scroller, set, split, write } from "./alive.js";

const ROLES = ["value", "gradient", "hot"];
const [ROW, LABEL] = [34, 86]; // of the bars

function light(story, ui) {
  const { data } = story;
  const last = story.frames - 1;
  const [width, height] = data.size;
  let chosen = data.first;
  const svg = s("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "mesh",
    style: `min-width:${Math.round(width * 0.85)}px`,
    role: "img",
    "aria-label": story.alt,
  });
  for (const [d] of data.pieces) svg.append(s("path", { class: "guide", d }));
  const way = svg.appendChild(s("text", { class: "tick", x: 10, y: 16 }));
  const beams = data.pieces.map(([d]) => svg.appendChild(s("path", { class: "beam", d, pathLength: 1 })));
  const clocks = data.clocks.map((place) => makeClock(svg, place));
  const ends = data.ends[0].map(([x, y], n) =>
    svg.appendChild(s("text", { class: n < data.ends[0].length / 2 ? "tick end" : "tick", x, y })),
  );
  const heaters = data.heaters.map(([x, y], n) => makeHeater(svg, x, y, () => choose(n)));
  const plane = makePlane(data.plane);
  const bars = makeBars(data.longest);
  const knob = dial("heater", data.names, chosen, choose);

  function choose(n) {
    chosen = n;
    knob.show(n);
    ui.refresh();
  }
  function draw(t) {
    const [k, u, next] = split(t, last);
    const turned = data.part[k] !== data.part[next]; // one pass fades, the next one begins
    const at = turned && u > 0.5 ? next : turned || !u ? k : null;
    const part = data.part[at ?? k];
    const front = at === null ? mix(data.front[k], data.front[next], u) : data.front[at];
    drawBeams(part, front, turned ? Math.abs(1 - 2 * u) : 1);
    const near = u > 0.5 ? next : k;
    const level = data.seen[near];
    const seen = level > 3 ? 3 : data.part[near] < level ? data.part[near] : -1;
    heaters.forEach((heater, n) => drawHeater(heater, seen, n));
    const shown = (n) => mix(Number(data.seen[k] > n), Number(data.seen[next] > n), u);
    plane.draw(data.arrows[chosen], shown);
    bars.draw(data.bars[chosen], shown);
    write(name, `heater ${data.names[chosen]}`);
    follow(front);
  }
  function drawBeams(part, front, opacity) {
    const back = part === 1;
    beams.forEach((beam, n) => {
      const [, from, to] = data.pieces[n];
      const [thick, light, dark] = data.beams[part]?.[n] ?? [];
      const lit = thick ? clamp((back ? to - front : front - from) / (to - from), 0, 1) : 0;
      set(beam, {
        opacity: lit ? opacity.toFixed(2) : 0,
        "stroke-width": thick ?? 0,
        "stroke-dasharray": `${lit.toFixed(3)} 2`,
        "stroke-dashoffset": back ? (lit - 1).toFixed(3) : 0,
        style: `--l:${light ?? "none"};--d:${dark ?? "none"}`,
      });
    });
    clocks.forEach((clock, n) => {
      const x = data.clocks[n][0];
      const [hx, hy, light, dark] = data.hands[part]?.[n] ?? [];
      const there = light && (back ? x >= front : x <= front);
      set(clock.group, {
        opacity: there ? opacity.toFixed(2) : 0,
        style: `--l:${light ?? "none"};--d:${dark ?? "none"}`,
      });
      set(clock.hand, { x2: hx ?? 0, y2: hy ?? 0 });
    });
    ends.forEach((text, n) => {
      const [x, , words] = data.ends[part]?.[n] ?? [0, 0, ""];
      write(text, words && (back ? x >= front - 30 : x <= front + 30) ? words : "");
    });
    write(way, data.ways[part] ?? "");
  }
  function drawHeater({ group, box, text }, seen, n) {
    const [words, share] = seen < 0 ? [data.names[n], 0] : data.heat[seen][n];
    const role = seen < 0 ? "" : seen < 3 ? ROLES[seen] : share < 0 ? "cold" : "warm";
    set(group, { class: n === chosen ? "heater chosen" : "heater" });
    set(box, { class: `box ${role}`, style: `--n:${Math.abs(share)}` });
    set(text, { class: seen < 0 ? "heat mid" : "heat mid number" });
    write(text, words);
  }
  // On a narrow page the hardware scrolls; the light stays in sight.
  const scroll = scroller(svg);
  const follow = (front) => scroll.follow(front / width);
  const name = h("b");
  const below = h("div", { class: "below" }, h("div", { class: "meeting" }, plane.svg, h("div", {}, name, bars.svg)));
  below.append(h("div", { class: "dials" }, knob.row));
  const stage = h("div", { class: "stage" }, scroll);
  const say = (k) => (k === last ? `${story.say[k]} ${data.told[chosen]}` : story.say[k]);
  const start = (player) => (player.length = 1100);
  return { stage, below, draw, say, start };
}

function makeClock(svg, [x, y]) {
  const group = svg.appendChild(s("g", { class: "clock", transform: `translate(${x} ${y})` }));
  group.append(s("circle", { r: 7 }));
  return { group, hand: group.appendChild(s("line")) };
}

function makeHeater(svg, x, y, act) {
  const group = svg.appendChild(s("g", { class: "heater", onclick: act }));
  const box = group.appendChild(s("rect", { x: x - 9, y: y - 6, width: 18, height: 12, rx: 2 }));
  const text = group.appendChild(s("text", { x, y: y - 10 }));
  group.append(s("rect", { class: "hit", x: x - 14, y: y - 24, width: 28, height: 36 }));
  return { group, box, text };
}

// Two arrows, head to tail, and their sum.
function makePlane(side) {
  const svg = s("svg", { viewBox: `0 0 ${side} ${side}`, class: "plane", "aria-hidden": "true" });
  svg.append(s("rect", { class: "axis", x: 0.5, y: 0.5, width: side - 1, height: side - 1, rx: 4 }));
  svg.append(s("path", { class: "axis", d: `M0 ${side / 2}H${side}M${side / 2} 0V${side}` }));
  svg.append(s("text", { class: "tick end", x: side - 5, y: side / 2 - 5 }, "real"));
  svg.append(s("text", { class: "tick", x: side / 2 + 5, y: 14 }, "imaginary"));
  const arrows = ROLES.map((role) => s("path", { class: `arrow ${role}` }));
  svg.append(arrows[2], arrows[0], arrows[1]); // the sum lies below its parts
  const draw = (paths, shown) =>
    arrows.forEach((arrow, n) => set(arrow, { d: paths[n], opacity: shown(n).toFixed(2) }));
  return { svg, draw };
}

// The powers: forward and backward end to end, below them the power of both. What is between the ends is twice the gradient.
function makeBars(longest) {
  const svg = s("svg", {
    viewBox: `0 -4 ${LABEL + longest + 60} ${5 * ROW + 4}`,
    class: "bars",
    "aria-hidden": "true",
  });
  const rows = ["forward", "backward", "both", "rest", "½ · rest"].map((label, n) => {
    svg.append(s("text", { class: "tick", y: n * ROW + 18 }, label));
    const bar = svg.appendChild(s("rect", { class: `power ${ROLES[n] ?? "rest"}`, y: n * ROW + 4, height: 20, rx: 2 }));
    return { bar, text: svg.appendChild(s("text", { y: n * ROW + 19 })) };
  });
  const drop = svg.appendChild(s("path", { class: "drop" }));
  function draw(spans, shown) {
    rows.forEach(({ bar, text }, n) => {
      const [from, to, words] = spans[n];
      const opacity = shown(Math.min(n, 3)).toFixed(2);
      set(bar, { x: LABEL + from, width: Math.max(to - from, 0.5), opacity });
      set(text, { x: LABEL + to + 6, opacity });
      write(text, words);
    });
    const lines = spans[3]
      .slice(0, 2)
      .map((x) => `M${LABEL + x} ${ROW}V${3 * ROW + 28}`)
      .join("");
    set(drop, { d: lines, opacity: shown(3).toFixed(2) });
  }
  return { svg, draw };
}

const CSS = `
.mesh{display:block;width:100%;height:auto}
.guide{fill:none;stroke:var(--edge);stroke-width:1}.beam{fill:none;stroke:var(--l)}:host([dark]) .beam{stroke:var(--d)}
.clock circle{fill:var(--paper);stroke:var(--l);stroke-width:1.3}:host([dark]) .clock circle{stroke:var(--d)}.clock line{stroke:var(--ink);stroke-width:1.7}
.heater{cursor:pointer}.hit{fill:transparent}.box{fill:var(--paper);stroke:var(--ink);stroke-width:1}.chosen .box{stroke:var(--hot);stroke-width:3}
.box.value{fill:color-mix(in oklab,var(--value) calc(var(--n)*80%),var(--paper))}.box.gradient{fill:color-mix(in oklab,var(--gradient) calc(var(--n)*80%),var(--paper))}.box.hot{fill:color-mix(in oklab,var(--hot) calc(var(--n)*80%),var(--paper))}
.box.warm{fill:color-mix(in oklab,var(--warm) calc(var(--n)*100%),var(--paper))}.box.cold{fill:color-mix(in oklab,var(--cold) calc(var(--n)*100%),var(--paper))}
svg .heat{font-size:11.5px;fill:var(--soft);paint-order:stroke;stroke:var(--paper);stroke-width:3px}svg .heat.number,svg .chosen .heat{fill:var(--ink);font-weight:650}
.meeting{display:flex;flex-wrap:wrap;gap:8px 26px;align-items:center;margin-top:8px}.plane{width:188px;height:188px;flex:none}.meeting>div{flex:1 1 260px;max-width:440px}.bars{width:100%;height:auto;display:block;margin-top:4px}
.arrow{stroke-width:2.6;stroke-linejoin:round}.arrow.value{stroke:var(--value);fill:var(--value)}.arrow.gradient{stroke:var(--gradient);fill:var(--gradient)}.arrow.hot{stroke:var(--hot);fill:var(--hot);stroke-width:8;stroke-opacity:.42;fill-opacity:.42}
.power.value{fill:var(--value)}.power.gradient{fill:var(--gradient)}.power.hot{fill:var(--hot)}.power.rest{fill:var(--paper);stroke:var(--ink);stroke-width:1.6}.drop{stroke:var(--ink);stroke-dasharray:3 3;fill:none}
.phases i.hot{color:var(--hot)}
`;

register("light", light, CSS);
