// A matrix product: choose an entry, and the row and the column that make it light up, pair by pair.

import { clamp, h, markup, part, register, s, scroller, set, split, write } from "./alive.js";

function matrix(story, ui) {
  const { data } = story;
  const [width, height] = data.size;
  const size = `--w:${Math.round(width * 1.35)}px;--least:${Math.round(width * 0.78)}px`;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "tables", style: size, role: "group" });
  set(svg, { "aria-label": `${story.alt} Up and down choose an entry, Enter computes it.` });
  const titles = data.titles.map(([x, y, text]) => svg.appendChild(s("text", { class: "name", x, y }, text)));
  const cells = data.cells.map((told, n) => makeCell(svg, told, n, data.cell));
  const line = h("p", { class: "sum" });
  choosing(svg, cells, ui);

  function draw(t) {
    const [k, u, next] = split(t, story.frames - 1);
    const near = u > 0.75 ? next : k;
    const below = new Map(data.below[near]);
    const light = lights(data, k, u, next);
    cells.forEach((cell, n) => {
      const { late, goes } = cell;
      const known = !late || goes <= k ? 1 : goes <= next ? part(u, 0.75, 0.95) : 0;
      set(cell.value, { opacity: known.toFixed(2) });
      set(cell.glow, { opacity: (light.get(n) ?? 0).toFixed(2) });
      const text = below.get(n) ?? "";
      write(cell.below, text);
      // A name holds what can be seen, and no number before it is computed.
      set(cell.box, { "aria-label": [cell.name, known ? cell.number : "", text].join(" ").trim() });
      set(cell.below, { class: text === "0" ? "below mid none" : "below mid gradient" });
      const target = n === data.targets[near];
      set(cell.frame, { class: target ? "frame target" : "frame" });
    });
    titles.forEach((title, n) => write(title, data.names[near][n] || data.titles[n][2]));
    if (line.shown !== near) markup(line, data.sums[near]);
    line.shown = near;
  }
  const stage = h("div", { class: "stage" }, scroller(svg));
  return { stage, below: line, draw };
}

function makeCell(svg, [x, y, value, name, goes, late], n, [w, height]) {
  const box = svg.appendChild(s("g", { "data-ref": `c${n}`, role: "button", tabindex: n ? -1 : 0 }));
  set(box, { class: "cell" });
  const frame = { x: x - w / 2 + 1, y: y - height / 2 + 1, width: w - 2, height: height - 2, rx: 5 };
  const drawn = {
    frame: box.appendChild(s("rect", frame)),
    glow: box.appendChild(s("rect", { ...frame, class: "glow" })),
    value: box.appendChild(s("text", { class: "value mid", x, y: y - 3 }, value)),
    below: box.appendChild(s("text", { x, y: y + 15 })),
  };
  box.append(s("title", {}, name));
  return { ...drawn, box, name: `Entry ${name}`, number: value, goes, late };
}

// Which cells are lit, and how much: the pairs of a state one after the other.
function lights(data, k, u, next) {
  const light = new Map();
  for (const n of data.pairs[k].flat()) light.set(n, 1 - part(u, 0, 0.2));
  if (!u) return light;
  const pairs = data.pairs[next];
  pairs.forEach((pair, p) => {
    const shown = part(u, 0.15 + (0.55 * p) / pairs.length, 0.15 + (0.55 * (p + 1)) / pairs.length);
    for (const n of pair) light.set(n, Math.max(shown, light.get(n) ?? 0));
  });
  return light;
}

// All entries are one stop of the Tab key; up and down go from one to the next.
function choosing(svg, cells, ui) {
  let here = 0;
  const stand = (n) => {
    set(cells[here].box, { tabindex: -1 });
    set(cells[n].box, { tabindex: 0 });
    here = n;
  };
  cells.forEach(({ box, goes }, n) => {
    box.addEventListener("focus", () => stand(n));
    box.addEventListener("click", () => ui.player.go(goes));
  });
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by) cells[clamp(here + by, 0, cells.length - 1)].box.focus();
    else if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey)
      ui.player.go(cells[here].goes);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

const CSS = `
.tables{display:block;width:max(100%,var(--least));max-width:var(--w);height:auto}
.tables .name{font-style:italic;font-family:"STIX Two Text",Georgia,"DejaVu Serif",serif;font-size:15px}
.cell{cursor:pointer}.frame{fill:var(--paper);stroke:var(--line)}.frame.target{stroke:var(--ink);stroke-width:2.6}
.glow{fill:var(--glow);fill-opacity:.55;pointer-events:none}.cell:hover .frame{stroke:var(--ink)}
.cell:focus{outline:none}.cell:focus-visible .frame{stroke:var(--data);stroke-width:3.4}
.tables .value{fill:var(--value);font-weight:600;font-size:14px}.tables .gradient{fill:var(--gradient);font-weight:500}.tables .none{fill:var(--soft)}
.cell.lit text{text-decoration:underline}
.sum{min-height:1.6em;margin-top:6px;font-size:16px;overflow-x:auto;white-space:nowrap}.sum b{font-weight:600}
@container (max-width:480px){.sum{white-space:normal}}
`;

register("matrix", matrix, CSS);
