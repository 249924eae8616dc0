// A computational graph: numbers travel along its edges, and each edge says its chain rule.

import { clamp, ease, h, markup, mix, part, register, s, scroller, set, split, write } from "./alive.js";

// --- the parts of the drawing, made once ---------------------------------------------------------------------------------

const triangle = ([x, y]) => s("path", { class: "tip", d: `M${x} ${y}l-7 -3.6v7.2z` });

function makeEdge(edge, layers, nodes) {
  const [start, end, level] = nodes.get(edge.ends[0]).wire;
  const whole = start < end ? `M${start} ${level}L${edge.d.slice(1)}` : edge.d; // a market's nodes have no wire of their own
  layers.wires.append(s("path", { class: "wire", d: edge.d }), triangle(edge.tip));
  const glow = layers.glows.appendChild(s("path", { class: "glow", d: whole, pathLength: 1 }));
  const road = layers.hits.appendChild(s("path", { class: "hit edge", d: whole }));
  return { ...edge, glow, road };
}

function makeNode(node, layers) {
  const [start, end, level] = node.wire;
  layers.wires.append(s("path", { class: "wire", d: `M${start} ${level}H${end}` }));
  if (node.fork) layers.wires.append(s("circle", { class: "fork", cx: end, cy: level, r: 3.2 }));
  else if (node.last) layers.wires.append(triangle([end + 5, level]));
  const { x, y, w, h: height } = node;
  const round = node.square ? 7 : Math.min(height / 2, 15);
  const frame = (out) => ({
    x: x - w / 2 - out,
    y: y - height / 2 - out,
    width: w + 2 * out,
    height: height + 2 * out,
  });
  const box = layers.bodies.appendChild(
    s("g", { class: node.square ? "node square" : "node", "data-ref": `n${node.i}` }),
  );
  const halo = box.appendChild(s("rect", { class: "halo", ...frame(5), rx: round + 5 }));
  box.append(s("rect", { class: "body", ...frame(0), rx: round }));
  const sign = node.text.length === 1 && !node.square;
  box.append(
    s("text", { class: sign ? "sign mid" : node.square ? "name mid" : "mid", x, y: y + (sign ? 5.6 : 4.7) }, node.text),
  );
  if (node.over) box.append(s("text", { class: "over mid", x, y: y - height / 2 - 7 }, node.over));
  const hit = layers.hits.appendChild(s("rect", { class: "hit", ...frame(3), rx: round + 3 }));
  return { ...node, box, halo, hit };
}

// The texts of the numbers, and from which state on each reads what.
function makeSlots(data, layers, nodes, edges) {
  return Object.entries(data.slots).map(([ref, changes]) => {
    const [kind, n] = [ref[0], Number(ref.slice(1))];
    const [x, y] = kind === "s" ? under(edges[n]) : beside(nodes.get(n), kind === "v");
    const role = { v: "value", g: "gradient", s: "gradient branch" }[kind];
    return { changes, role, text: layers.numbers.appendChild(s("text", { class: role, "data-ref": ref, x, y })) };
  });
}
const under = ({ tap: [x, y] }) => [x, y + 14];
const beside = ({ wire: [x, , y] }, above) => [x + 6, y + (above ? -6 : 16)];

// --- the figure ------------------------------------------------------------------------------------------------------------

function graph(story, ui) {
  const { data } = story;
  const [width, height] = data.size;
  const size = `--w:${Math.round(width * 1.45)}px;--least:${Math.round(width * 0.8)}px`;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "drawing", style: size });
  set(svg, { role: "group", "aria-label": `${story.alt} Up and down choose an edge or a node, Enter asks it.` });
  const names = ["glows", "wires", "bodies", "hits", "numbers", "travellers"];
  const layers = Object.fromEntries(names.map((name) => [name, svg.appendChild(s("g", { class: name }))]));
  const nodes = new Map(data.nodes.map((node) => [node.i, node]));
  const edges = data.edges.map((edge) => makeEdge(edge, layers, nodes));
  for (const node of data.nodes) nodes.set(node.i, makeNode(node, layers));
  for (const [x, y, text] of data.order) layers.wires.append(s("text", { class: "order end", x, y }, text));
  const slots = makeSlots(data, layers, nodes, edges);
  const badge = layers.numbers.appendChild(s("text", { class: "badge mid" }));
  const mark = layers.numbers.appendChild(s("text", { class: "gradient asked", opacity: 0 }, "?"));
  const most = Math.max(1, ...data.moves.map((moves) => moves.length));
  const pills = Array.from({ length: most }, () => makePill(layers));
  const formulas = h("div", { class: "formula" });
  const lines = data.formulas.map((text) => formulas.appendChild(markup(h("div", { class: "line" }), text)));
  const asking = inquiry(data, ui, { edges, nodes, svg, formulas });

  function draw(t) {
    const [k, u, next] = split(t, story.frames - 1);
    asking.left(t);
    for (const slot of slots) drawSlot(slot, k, u, next);
    edges.forEach((edge, n) => drawGlow(edge.glow, n, data, k, u, next));
    for (const node of nodes.values()) drawNode(node, data, k, u, next);
    pills.forEach((pill, n) => drawPill(pill, u ? data.moves[next][n] : undefined, u, edges, nodes));
    drawBadge(badge, data.moves[next][0], u, edges, nodes);
    const shown = u > 0.5 ? next : k;
    lines.forEach((node, n) => set(node, { class: n === shown ? "line on" : "line" }));
    if (width > 330) follow(k, u, next);
  }
  function asked(k) {
    const move = k === null ? undefined : data.moves[k][0];
    set(mark, { opacity: move ? 1 : 0 });
    if (!move) return;
    const edge = edges[move.edge];
    const [x, y] = edge.tap ? under(edge) : beside(nodes.get(edge.ends[0]), false);
    set(mark, { x, y });
  }
  const scroll = scroller(svg);
  const note = data.note ? [h("p", { class: "note" }, data.note)] : [];
  const stage = h("div", { class: "stage" }, scroll, ...note);
  const below = h("div", { class: "below" }, formulas);
  // On a narrow page the drawing scrolls; what moves stays in sight.
  const ends = new Set([0, story.frames - 1]); // where the inputs are spoken of
  const middle = data.marks.map(([marked], k) => (marked.length ? nodes.get(marked[0]).x : ends.has(k) ? 0 : width));
  const follow = (k, u, next) => scroll.follow(mix(middle[k], middle[next], ease(u)) / width);
  return { stage, below, draw, asked, say: asking.say, escape: asking.escape };
}

// --- one state, or what is between two ---------------------------------------------------------------------------------------

const at = (changes, k) => changes?.findLast(([from]) => from <= k);

function drawSlot({ changes, role, text }, k, u, next) {
  const [now, soon] = [at(changes, k), at(changes, next)];
  const fresh = soon !== now;
  const shown = fresh && u > 0.84 ? soon : now;
  const opacity = !fresh ? 1 : shown === soon ? part(u, 0.84, 1) : now ? 1 - part(u, 0.7, 0.84) : 0;
  write(text, shown ? shown[1] : "");
  const near = u > 0.84 ? next : k;
  set(text, { opacity: opacity.toFixed(2), class: near && shown?.[0] === near ? `${role} new` : role });
}

const role = (data, k) => (data.moves[k][0]?.back || !k ? "gradient" : "value");

function drawGlow(glow, n, data, k, u, next) {
  const [was, will] = [data.marks[k][1].includes(n), data.marks[next][1].includes(n)];
  const back = data.moves[next][0]?.back;
  let [opacity, dash, whose] = [0, "1 0", k];
  if (!u) opacity = was ? 1 : 0;
  else if (will) {
    const p = back ? part(u, 0.3, 0.84) : part(u, 0.05, 0.8);
    [opacity, whose] = [1, next];
    dash = back ? `0 ${(1 - p).toFixed(3)} ${(p + 0.001).toFixed(3)} 1` : `${p.toFixed(3)} 1`;
  } else if (was) opacity = 1 - part(u, 0, 0.4);
  set(glow, { opacity: opacity.toFixed(2), class: `glow ${role(data, whose)}`, "stroke-dasharray": dash });
}

function drawNode({ i, box, halo, square }, data, k, u, next) {
  const value = data.slots[`v${i}`];
  const dim = !at(value, k) && !(u > 0.7 && at(value, next));
  const [was, will] = [data.marks[k][0].includes(i), data.marks[next][0].includes(i)];
  const opacity = !u ? +was : will ? part(u, 0.7, 1) : was ? 1 - part(u, 0, 0.4) : 0;
  set(box, { class: `node${square ? " square" : ""}${dim ? " dim" : ""}` });
  set(halo, { opacity: opacity.toFixed(2), class: `halo ${role(data, u && will ? next : k)}` });
}

function makePill(layers) {
  const group = layers.travellers.appendChild(s("g"));
  const rect = group.appendChild(s("rect", { rx: 9, height: 18, y: -9 }));
  return { group, rect, text: group.appendChild(s("text", { y: 4.4, class: "mid" })) };
}

// Forward, a value goes along its edge. Backward, the upstream gradient enters the operation, and what leaves it is the product.
function drawPill(pill, move, u, edges, nodes) {
  if (!move) return put(pill, 0, 0, "", "", 0);
  const edge = edges[move.edge];
  if (!move.back) {
    const { x, y } = along(edge, ease(part(u, 0.05, 0.8)));
    return put(pill, x, y, move.text, "value", Math.min(part(u, 0, 0.1), 1 - part(u, 0.76, 0.88)));
  }
  if (u < 0.3 && move.up) {
    const { wire, x, y } = nodes.get(edge.ends[1]);
    const v = ease(part(u, 0.02, 0.28));
    return put(pill, mix(wire[0] + 14, x, v), mix(wire[2] + 11, y, v), move.up, "gradient", part(u, 0, 0.08));
  }
  const { x, y } = along(edge, 1 - ease(part(u, 0.32, 0.86)) * (edge.tap ? 0.55 : 0.94));
  put(pill, x, y, move.text, "gradient", Math.min(part(u, 0.24, 0.3), 1 - part(u, 0.84, 0.95)));
}
function along(edge, u) {
  edge.size ??= edge.road.getTotalLength();
  return edge.road.getPointAtLength(edge.size * u);
}
function put({ group, rect, text }, x, y, words, kind, opacity) {
  const width = words ? Math.max(22, 10 + 7.6 * words.length) : 0;
  set(group, {
    transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
    class: `pill ${kind}`,
    opacity: opacity.toFixed(2),
  });
  set(rect, { x: -width / 2, width });
  write(text, words);
}

function drawBadge(badge, move, u, edges, nodes) {
  const local = move?.back ? move.local : undefined;
  const to = local && nodes.get(edges[move.edge].ends[1]);
  write(badge, local ? `× ${local}` : "");
  const place = to ? { x: to.x, y: to.y + to.h / 2 + 16 } : { x: 0, y: 0 };
  set(badge, { ...place, opacity: (u ? part(u, 0.16, 0.3) : 1).toFixed(2), "data-ref": local ? `l${move.edge}` : "" });
}

// --- asking an edge or a node ---------------------------------------------------------------------------------------------------

// All of them are one stop of the Tab key; up and down go from one to the next.
function inquiry(data, ui, { edges, nodes, svg, formulas }) {
  const things = [
    ...[...nodes.values()].map((node, n) => ({
      node: node.hit,
      name: `Node ${node.name}`,
      say: data.characters[n],
      formula: "",
    })),
    ...edges.map((edge, n) => ({ node: edge.road, ...data.rules[n] })),
  ];
  things.sort((a, b) => a.node.getAttribute("class").length - b.node.getAttribute("class").length);
  const card = formulas.appendChild(h("div", { class: "line card" }));
  let [open, from, here] = [null, 0, 0];
  for (const [n, { node, name }] of things.entries()) {
    set(node, { role: "button", tabindex: n ? -1 : 0, "aria-label": name, "aria-pressed": "false" });
    node.append(s("title", {}, name));
    node.addEventListener("click", () => choose(n));
    node.addEventListener("focus", () => stand(n));
  }
  svg.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by) things[clamp(here + by, 0, things.length - 1)].node.focus();
    else if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) choose(here);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  function stand(n) {
    set(things[here].node, { tabindex: -1 });
    set(things[n].node, { tabindex: 0 });
    here = n;
  }
  function choose(n) {
    const again = things[n] === open;
    close();
    if (again) return ui.refresh();
    ui.player.go(Math.round(ui.player.moving ? ui.player.to : ui.player.t));
    [open, from] = [things[n], ui.player.t];
    set(open.node, { "aria-pressed": "true" });
    markup(card, data.formulas[open.formula] ?? open.formula);
    for (const node of [formulas, svg]) node.classList.add("asked");
    ui.refresh();
  }
  function close() {
    if (!open) return false;
    set(open.node, { "aria-pressed": "false" });
    open = null;
    card.replaceChildren();
    for (const node of [formulas, svg]) node.classList.remove("asked");
    return true;
  }
  // Whoever goes on has had the answer.
  const left = (t) => open && t !== from && close();
  const escape = () => close() && (ui.refresh(), true);
  return { escape, left, say: (k) => open?.say ?? ui.story.say[k] };
}

const CSS = `
.drawing{display:block;width:max(100%,var(--least));max-width:var(--w);height:auto;margin:0 auto}
.wire{fill:none;stroke:var(--edge);stroke-width:1.5}.tip{fill:var(--edge)}.fork{fill:var(--ink)}
.body{fill:var(--paper);stroke:var(--ink);stroke-width:1.5}.square .body{fill:var(--wash);stroke:var(--soft)}
.sign{font-size:17px}.name,.over{font-style:italic;font-family:"STIX Two Text",Georgia,"DejaVu Serif",serif;font-size:14px}svg .over{fill:var(--soft);font-size:12.5px}
svg .order{font-size:11px;fill:var(--soft)}
.dim{opacity:.65}.halo,.glow{fill:none;stroke-linecap:round}.halo{stroke-width:3;stroke-opacity:.5}.glow{stroke-width:5.5;stroke-opacity:.34}
:is(.halo,.glow).value{stroke:var(--value)}:is(.halo,.glow).gradient{stroke:var(--gradient)}
svg text.value{fill:var(--value)}svg text.gradient{fill:var(--gradient)}
.numbers text{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round;font-weight:500;pointer-events:none}
svg .branch{font-style:italic;font-size:12px}.numbers .new{font-weight:700}svg .badge{font-size:12px;fill:var(--soft);font-weight:600}svg .asked{font-weight:800;font-size:17px}
.pill{pointer-events:none}.pill.value rect{fill:var(--value)}.pill.gradient rect{fill:var(--gradient)}.pill text{fill:var(--paper);font-size:12.5px;font-weight:650}
.hit{fill:transparent;stroke:none;cursor:pointer}.hit.edge{fill:none;stroke:transparent;stroke-width:16;pointer-events:stroke}
.hit:hover{stroke:var(--glow);stroke-opacity:.55}.hit.edge:hover{stroke-width:9}.hit[aria-pressed=true]{stroke:var(--data);stroke-opacity:.5;stroke-width:7}
.hit:focus{outline:none}.hit:focus-visible{stroke:var(--data);stroke-opacity:.9;stroke-width:4;outline:none}
svg .lit{stroke:var(--glow)!important;stroke-width:7px!important;text-decoration:none}svg .node.lit{stroke:none!important}svg .node.lit .body{stroke-width:3.2}svg .node.lit text{text-decoration:underline}
.formula{display:grid;grid-template-columns:minmax(0,1fr);min-height:56px;align-items:center;margin-top:4px}
.line{grid-area:1/1;visibility:hidden;overflow-x:auto;overflow-y:hidden}.line.on,.asked .card{visibility:visible}.asked .line.on,.asked .badge{visibility:hidden}.asked .glows{opacity:.4}
math{font-size:19px;font-family:"STIX Two Math","Cambria Math","Latin Modern Math",math,"DejaVu Serif",serif}
@container (max-width:480px){math{font-size:15px}}
math .value{color:var(--value);font-weight:600}math .gradient{color:var(--gradient);font-weight:600}mtext{font:13px system-ui,sans-serif;color:var(--soft)}
math .lit{background:var(--glow);border-radius:4px}.note{font-size:13px;color:var(--soft)}
`;

register("graph", graph, CSS);
