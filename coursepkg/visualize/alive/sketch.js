// Rows of a matrix: shuffled, signed, and dealt into buckets, each of which is added up.

import { dial, ease, h, mix, px, register, s, scroller, set, split, write } from "./alive.js";

function sketch(story, ui) {
  const { data } = story;
  const last = story.frames - 1;
  const [width, height] = data.size;
  const [wide, tall] = data.box;
  const chosen = data.dials.map(([, , at]) => at);
  const told = () => data.told[chosen[0]][chosen[1]];
  const svg = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "rows", role: "img", "aria-label": story.alt });
  set(svg, { style: `min-width:${Math.round(width * 0.8)}px;max-width:${Math.round(width * 1.3)}px` });
  for (const [x, words] of data.heads) svg.append(s("text", { class: "tick", x, y: 18 }, words));
  const frame = ([x, y], name) => svg.appendChild(s("rect", { class: name, x, y, width: wide, height: tall, rx: 4 }));
  const roads = data.home.map(() => svg.appendChild(s("path", { class: "road" })));
  const name = (n) => `x${n + 1}`;
  data.home.forEach((at, n) => {
    frame(at, "row home");
    svg.append(s("text", { class: "mid faint", x: at[0] + wide / 2, y: at[1] + 17.5 }, name(n)));
  });
  data.place.forEach((at) => frame(at, "row ghost"));
  const buckets = data.home.map(() => svg.appendChild(s("rect", { class: "bucket", height: tall + 8, rx: 7 })));
  const rows = data.home.map(() => makeRow(svg, wide, tall));
  const knobs = data.dials.map(([label, labels, at], n) => {
    const knob = dial(label, labels, at, (place) => {
      chosen[n] = place;
      knob.show(place);
      ui.refresh();
    });
    return knob.row;
  });

  const scroll = scroller(svg);

  // Where a row is in state k.
  function spot(n, k) {
    const [place, , bucket, slot] = told().moves[n];
    if (!k) return data.home[n];
    if (k < 3 + place) return data.place[place];
    const [x, y] = told().buckets[bucket];
    return [x + slot * (wide + 4), y];
  }
  function draw(t) {
    const [k, u, next] = split(t, last);
    scroll.follow(t / last); // on a narrow page: rows travel from left to right, no further than to the buckets
    scroll.scrollLeft = Math.min(scroll.scrollLeft, ((data.heads[2][0] - 8) / width) * scroll.scrollWidth);
    const near = u > 0.5 ? next : k;
    rows.forEach(({ group, box, text }, n) => {
      const [place, sign] = told().moves[n];
      const [from, to] = [spot(n, k), spot(n, next)];
      const [x, y] = from.map((a, axis) => mix(a, to[axis], ease(u)));
      set(group, { transform: `translate(${px(x)} ${px(y)})` });
      const signed = near > 1;
      const fresh = near === 3 + place ? " new" : "";
      set(box, { class: `row ${signed && sign < 0 ? "minus" : ""}${fresh}` });
      write(text, signed ? `${sign < 0 ? "−" : "+"}${name(n)}` : name(n));
      const [, hy] = data.home[n];
      const gone = Math.min(t, 1);
      const end = [mix(data.home[n][0], data.place[place][0], ease(gone)), mix(hy, data.place[place][1], ease(gone))];
      const d = `M${data.home[n][0] + wide} ${hy + tall / 2}L${px(Math.max(end[0], data.home[n][0] + wide))} ${px(end[1] + tall / 2)}`;
      set(roads[n], { d });
    });
    buckets.forEach((box, n) => {
      const at = told().buckets[n];
      set(box, { opacity: at ? 1 : 0, x: (at?.[0] ?? 0) - 4, y: (at?.[1] ?? 0) - 4, width: told().wide });
    });
  }
  const stage = h("div", { class: "stage" }, scroll);
  const below = h("div", { class: "dials" }, ...knobs);
  const start = (player) => (player.length = 650);
  return { stage, below, draw, start, say: (k) => told().say[k] };
}

function makeRow(svg, wide, tall) {
  const group = svg.appendChild(s("g", { class: "moving" }));
  const box = group.appendChild(s("rect", { width: wide, height: tall, rx: 4 }));
  return { group, box, text: group.appendChild(s("text", { class: "mid", x: wide / 2, y: 17.5 })) };
}

const CSS = `
.rows{display:block;width:100%;height:auto}
.row{fill:var(--paper);stroke:var(--ink);stroke-width:1.3}.row.home{fill:var(--wash);stroke:var(--line)}.row.ghost{fill:none;stroke:var(--line);stroke-dasharray:2 3}
.row.minus{stroke:var(--hot);stroke-width:1.8;stroke-dasharray:5 3}.row.new{fill:var(--glow)}svg .faint{fill:var(--soft)}
.road{fill:none;stroke:var(--data);stroke-opacity:.55;stroke-width:1.4}.bucket{fill:none;stroke:var(--param);stroke-width:1.8}
.phases i.data{color:var(--data)}.phases i.param{color:var(--param)}
`;

register("sketch", sketch, CSS);
