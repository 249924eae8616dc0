// Ready pictures, one after another. Any drawing of at most 40 states comes alive this way, without a kernel.
//
// A picture is spelled from a list of pieces that all pictures share: from 3 on, 5 of them, and so on.

import { dial, h, register, scroller, set, split } from "./alive.js";

function source({ spelled }, pieces) {
  const svg = spelled.map(([from, count]) => pieces.slice(from, from + count).join("")).join("");
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

function flip(story, ui) {
  const { pictures, pieces, dials } = story.data;
  const { frames } = story;
  const chosen = dials.map((each) => each.first);
  // An SVG in an image is told the colour scheme, and its names (ids) cannot meet those of another.
  const image = (each) => h("img", { src: source(each, pieces), decoding: "sync", width: each.width || false });
  const shown = pictures.map(image);
  // On a narrow page a picture scrolls before its letters become too small to read.
  const pile = h("div", { class: "pile", style: `min-width:${story.data.least}px` }, ...shown);
  const stage = h("div", { class: "stage" }, scroller(pile));
  // The pictures of a choice stand in a row: the last dial changes fastest, the player slower than all dials.
  const row = () => dials.reduce((at, { labels }, n) => at * labels.length + chosen[n], 0);
  const rows = pictures.length / frames;
  const place = (k) => k * rows + row();

  function draw(t) {
    const [k, u, next] = split(t, frames - 1);
    const [now, soon] = [place(k), place(next)];
    shown.forEach((image, n) => {
      const opacity = n === soon && u ? u : n === now ? 1 : 0;
      set(image, { style: `opacity:${opacity.toFixed(3)}`, class: opacity ? "on" : "off" });
      // Only the picture that one looks at has words.
      set(image, { alt: n === place(Math.round(t)) ? pictures[n].alt : "" });
    });
  }
  const knobs = dials.map(({ name, labels }, n) => {
    const knob = dial(name, labels, chosen[n], (at) => {
      chosen[n] = at;
      knob.show(at);
      ui.refresh();
    });
    return knob.row;
  });
  const below = knobs.length ? h("div", { class: "dials" }, ...knobs) : undefined;
  const spoken = (k) => story.say[k] || pictures[place(k)].alt;
  const start = (player) => (player.length = 400);
  return { stage, below, draw, spoken, start, count: (k) => story.data.labels[k], first: story.data.first };
}

const CSS = `
.pile{display:grid;grid-template-columns:minmax(0,1fr);justify-items:start;background:var(--paper)}
.pile img{grid-area:1/1;max-width:100%;height:auto}.pile .off{visibility:hidden}
`;

register("flip", flip, CSS);
