// A neural tree: values travel from the leaves to the outputs, deltas back, each along its one road.

import { ease, h, mix, part, px, register, s, scroller, set, split, still, write } from "./alive.js";

function tree(story, ui) {
  const { data } = story;
  const last = story.frames - 1;
  const [width, height] = data.size;
  const least = `min-width:${Math.round(width * 0.8)}px;max-width:${Math.round(width * 1.35)}px`;
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "tree", style: least });
  set(svg, { role: "img", "aria-label": story.alt });
  const layers = ["edges", "bodies", "numbers", "travellers"].map((name) => svg.appendChild(s("g", { class: name })));
  const edges = data.edges.map((edge) => makeEdge(edge, layers));
  const nodes = data.nodes.map((node) => makeNode(node, layers, go));
  const most = Math.max(...data.moves.map((moves) => moves.length));
  const pills = Array.from({ length: most }, () => makePill(layers[3]));

  // To the step that fills a node: forward, or backward if the backward pass has begun.
  function go(node) {
    const back = ui.player.t >= story.phases.at(-1)[0] - 1;
    ui.player.go(back ? node.delta[0] : node.value[0]);
  }
  function draw(t) {
    const [k, u, next] = split(t, last);
    const near = u > 0.5 ? next : k;
    const seen = ([from]) => (from <= k ? 1 : from <= next ? part(u, 0.8, 1) : 0);
    nodes.forEach((node, n) => {
      set(node.halo, {
        opacity: (mix(Number(data.marks[k] === n), Number(data.marks[next] === n), u) || 0).toFixed(2),
      });
      set(node.box, { class: node.leaf || node.value[0] <= near ? "node" : "node dim" });
      set(node.above, { opacity: seen(node.value).toFixed(2) });
      set(node.under, { opacity: seen(node.delta).toFixed(2) });
    });
    edges.forEach((edge, n) => {
      const moved = (j) => Number(data.moves[j].some(([m]) => m === n));
      set(edge.glow, { opacity: mix(moved(k), moved(next), u).toFixed(2), class: glows(near) });
      set(edge.under, { opacity: seen(edge.gradient).toFixed(2) });
    });
    pills.forEach((pill, n) => drawPill(pill, u ? data.moves[next][n] : undefined, u));
    follow(near);
  }
  const glows = (k) => `glow ${data.moves[k][0]?.[2] ? "gradient" : "value"}`;
  function drawPill({ group, box, text }, move, u) {
    const [n, words, back] = move ?? [0, "", false];
    const [x0, y0, x1, y1] = data.edges[n].ends;
    u = move ? u : 0;
    const way = ease(part(u, 0.05, 0.8));
    const at = back ? 1 - way : way;
    write(text, words);
    set(text, { class: `mid ${back ? "gradient" : "value"}` });
    const wide = 7.6 * words.length + 14;
    set(box, { x: px(-wide / 2), width: px(wide), class: back ? "gradient" : "value" });
    set(group, {
      opacity: Math.min(part(u, 0, 0.1), 1 - part(u, 0.8, 0.95)).toFixed(2),
      transform: `translate(${px(mix(x0, x1, at))} ${px(mix(y0, y1, at))})`,
    });
  }
  // On a narrow page the drawing scrolls; what moves stays in sight.
  const scroll = scroller(svg);
  const follow = (k) => scroll.follow(data.marks[k] === null ? Number(k > 0) : data.nodes[data.marks[k]].at[0] / width);
  const start = (player) => (player.length = still() ? 0 : 1100);
  return { stage: h("div", { class: "stage" }, scroll), draw, start };
}

function makeEdge(edge, [edges, , numbers]) {
  const [x0, y0, x1, y1] = edge.ends;
  const d = `M${x0} ${y0}L${x1} ${y1}`;
  const glow = edges.appendChild(s("path", { d, "stroke-width": edge.width + 7 }));
  edges.append(s("path", { class: edge.negative ? "edge minus" : "edge", d, "stroke-width": edge.width }));
  numbers.append(s("text", { class: "weight", x: x0 + 9, y: edge.beside[0] }, edge.weight));
  const under = numbers.appendChild(s("text", { class: "gradient", x: x0 + 9, y: edge.beside[1] }, edge.gradient[1]));
  return { ...edge, glow, under };
}

function makeNode(node, [, bodies, numbers], go) {
  const [x, y] = node.at;
  const frame = (out) => ({ x: x - node.half - out, width: 2 * (node.half + out) });
  const tall = node.leaf ? 11 : node.half;
  const shape = (out) => ({
    ...frame(out),
    y: y - tall - out,
    height: 2 * (tall + out),
    rx: node.leaf ? 5 : tall + out,
  });
  const box = bodies.appendChild(s("g", { class: "node", onclick: () => go(node) }));
  const halo = box.appendChild(s("rect", { class: "halo", ...shape(5) }));
  box.append(
    s("rect", { class: node.leaf ? "body leaf" : "body", ...shape(0) }),
    s("text", { class: "inside mid", x, y: y + 4.5 }, node.inside),
  );
  if (node.name) numbers.append(s("text", { class: "name", x: x + node.half + 8, y: y + 5 }, node.name));
  const above = numbers.appendChild(s("text", { class: "value mid", x, y: y - tall - 6 }, node.value[1]));
  const under = numbers.appendChild(s("text", { class: "gradient mid", x, y: y + tall + 17 }, node.delta[1]));
  return { ...node, box, halo, above, under };
}

function makePill(layer) {
  const group = layer.appendChild(s("g"));
  const box = group.appendChild(s("rect", { y: -12, height: 24, rx: 12 }));
  return { group, box, text: group.appendChild(s("text", { y: 4.5 })) };
}

const CSS = `
.tree{display:block;width:100%;height:auto}
.edge{stroke:var(--edge);fill:none}.edge.minus{stroke-dasharray:7 4}
.glow{fill:none;stroke-linecap:round;stroke-opacity:.28}.glow.value{stroke:var(--value)}.glow.gradient{stroke:var(--gradient)}
.node{cursor:pointer}.body{fill:var(--wash);stroke:var(--ink);stroke-width:1.4}.body.leaf{fill:var(--paper);stroke:var(--edge)}.dim .body{stroke:var(--line)}svg .dim .inside{fill:var(--soft)}.halo{fill:var(--glow)}
svg .inside{font-weight:650}svg .name{font-weight:650;font-size:14px}
.numbers text{paint-order:stroke;stroke:var(--paper);stroke-width:4px;stroke-linejoin:round}svg .weight{font-size:12px;fill:var(--soft)}
svg text.value{fill:var(--value);font-weight:600}svg text.gradient{fill:var(--gradient);font-weight:600}
.travellers rect{fill:var(--paper);stroke-width:1.6}.travellers rect.value{stroke:var(--value)}.travellers rect.gradient{stroke:var(--gradient)}.travellers text{stroke:none}
`;

register("tree", tree, CSS);
