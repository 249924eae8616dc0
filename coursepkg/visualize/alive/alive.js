// Figures that move. Python computed every state; this module decides when to show which, and draws it.
//
// One idea: a figure is a function draw(t) of a real number t between 0 and frames - 1. Playing, scrubbing, stepping,
// reduced motion and tests all do the same thing: they choose a t. Nothing here knows what a gradient is.
//
// A renderer is a file beside this one. It calls register(kind, create, css), and create(story, ui) returns
//   stage, panel, below, extra   the drawing, what stands beside it, under it, and at the end of the bar (all but the first optional)
//   draw(t)                      shows the state t; the same t always gives the same document
//   start(player), theme()       after the player is there; after the paper became light or dark
//   count(k), say(k), spoken(k)  other words for the place; the sentence of a state; the same when it is read aloud
//   first                        the t to begin with
//   asked(k or null), escape()   a question about state k is open or closed; the Escape key (true if it was used)

const TAG = "coursepkg-figure";
const PACKED = "application/x-story"; // JSON, deflated, base64
const figures = (globalThis.coursepkgFigures ??= { renderers: {}, waiting: new Set() });

// --- small tools ------------------------------------------------------------------------------------------------------

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const ease = (u) => u * u * (3 - 2 * u);
const part = (u, from, to) => clamp((u - from) / (to - from), 0, 1);
const mix = (a, b, u) => a + (b - a) * u;
const px = (x) => x.toFixed(1);
const line = (points) => `M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join("L")}`;
const split = (t, last) => {
  const k = Math.min(Math.floor(t + 1e-9), last);
  const u = t - k > 1e-6 ? t - k : 0;
  return [k, u, u ? k + 1 : k];
};
const bytes = (text, Type) => new Type(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);

function maker(space) {
  return (tag, attributes = {}, ...children) => {
    const node = space ? document.createElementNS(space, tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  };
}
const h = maker("");
const s = maker("http://www.w3.org/2000/svg");
function set(node, attributes) {
  for (const name in attributes) {
    const value = String(attributes[name]);
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
}
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
// A sentence may begin with a name of one letter, which keeps its size, or with a word.
const capital = (text) => (/^[a-z]{2}/.test(text) ? text[0].toUpperCase() + text.slice(1) : text);
// Markup comes from Python, which escaped every name in it.
function markup(node, text) {
  node.innerHTML = text;
  return node;
}
// Where a pointer is, in the coordinates of a drawing.
function pointed(event, drawing) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
}
function draggable(node, act) {
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    act(event);
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => event.buttons && act(event));
}
// A box that scrolls sideways where the page is narrow, and fades where there is more of its drawing. The function
// `follow` keeps a place in sight, given as a share of the width.
function scroller(drawing) {
  const box = h("div", { class: "scroll" }, drawing);
  let [room, whole] = [0, 0]; // asked for when they change only: an answer costs a layout
  const fade = () => {
    box.classList.toggle("before", box.scrollLeft > 4);
    box.classList.toggle("after", whole - room - box.scrollLeft > 4);
  };
  const measure = () => {
    [room, whole] = [box.clientWidth, box.scrollWidth];
    const wide = whole > room + 1;
    for (const [name, value] of Object.entries({ tabindex: 0, role: "group", "aria-label": "Scrolls sideways" }))
      wide ? box.setAttribute(name, value) : box.removeAttribute(name);
    fade();
  };
  const eyes = new ResizeObserver(measure);
  for (const node of [box, drawing]) eyes.observe(node);
  box.addEventListener("scroll", fade, { passive: true });
  box.follow = (share) => whole > room && (box.scrollLeft = share * whole - room / 2);
  return box;
}
const ICONS = {
  play: "M8 5.2v13.6L19 12z",
  pause: "M7 5h3.6v14H7zM13.4 5H17v14h-3.6z",
  back: "M15 6l-6 6 6 6",
  next: "M9 6l6 6-6 6",
  again: "M18 7.5A7.5 7.5 0 1 0 19.5 12M18.4 3.6v4.2h-4.2",
};
const icon = (name) => s("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));

// The paper is seen, not asked for, so this works in every host: the first ground behind the figure that covers.
function paper(node) {
  for (let n = node; n; n = n.parentElement ?? n.getRootNode().host) {
    const found = getComputedStyle(n).backgroundColor.match(/^rgba?\(([^)]+)\)/)?.[1];
    const colour = found?.split(/[ ,/]+/).map(Number);
    if (colour && (colour.length < 4 || colour[3] > 0.5)) return colour.slice(0, 3);
  }
  const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
  return dark && matchMedia("(prefers-color-scheme: dark)").matches ? [24, 24, 24] : [255, 255, 255];
}

// --- the player: who chooses t ------------------------------------------------------------------------------------------

class Player {
  constructor(story, show) {
    Object.assign(this, { story, tell: show, t: 0, from: 0, to: 0, playing: false, moving: false, speed: 1, busy: 0 });
    this.last = story.frames - 1;
    this.length = 950; // of a step, in milliseconds
    this.gate = () => false; // true stops before a state: there is a question first
  }
  show(t) {
    this.t = clamp(t, 0, this.last);
    this.tell(this);
  }
  jump(t) {
    this.moving = false;
    this.show(t);
  }
  go(t) {
    this.playing = false;
    this.jump(t);
  }
  // A step that is asked for while another is under way starts from where that one would have ended: none is lost.
  step(by, held = false) {
    this.playing = false;
    const goal = clamp(Math.round(this.moving ? this.to : this.t) + by, 0, this.last);
    if (by > 0 && this.gate(goal)) return this.tell(this);
    if (this.moving) this.show(this.to);
    if (held || still()) this.jump(goal);
    else this.move(goal);
  }
  move(goal) {
    const time = (this.story.rhythm === "flow" ? 160 : goal > this.t ? this.length : 320) / this.speed;
    Object.assign(this, { from: this.t, to: goal, moving: true, started: performance.now(), time });
    this.run();
  }
  play(on = !this.playing) {
    if (on && this.t >= this.last) this.jump(0);
    this.playing = on;
    this.rested = -Infinity; // the first step comes at once
    this.tell(this);
    this.run();
  }
  run() {
    if (this.busy) return;
    this.before = performance.now();
    this.busy = requestAnimationFrame((now) => this.tick(now));
  }
  tick(now) {
    this.busy = 0;
    const passed = clamp(now - this.before, 0, 100) / 1000;
    this.before = now;
    if (this.moving) {
      const u = clamp((now - this.started) / this.time, 0, 1);
      this.moving = u < 1;
      this.rested = now;
      this.show(u < 1 ? mix(this.from, this.to, ease(u)) : this.to);
    } else if (this.playing) this.advance(now, passed);
    if (this.moving || this.playing) this.busy = requestAnimationFrame((next) => this.tick(next));
  }
  advance(now, passed) {
    const { rhythm, pace, say } = this.story;
    if (rhythm === "flow") {
      if (!still()) this.show(this.t + passed * pace * this.speed);
      else if (now - this.rested > 700 / this.speed) this.turn(now, Math.min(this.t + pace, this.last));
      if (this.t >= this.last) this.go(this.last);
      return;
    }
    const k = Math.round(this.t);
    const reading = 500 + 130 * (say[k] ?? "").split(" ").length;
    if (k >= this.last || this.gate(k + 1)) this.go(k);
    else if (now - this.rested > reading / (this.speed * pace)) {
      if (still()) this.turn(now, k + 1);
      else this.move(k + 1);
    }
  }
  // Without motion, one page is turned after another.
  turn(now, t) {
    this.rested = now;
    this.jump(Math.round(t));
  }
}

// --- a question before a state is shown -----------------------------------------------------------------------------------

function quiz(story, ui) {
  const asks = story.asks;
  if (!Object.keys(asks).length) return { gate: () => false, extra: [], escape: () => false };
  const solved = new Set();
  let open = null;
  const question = h("span", { class: "question", id: "question" });
  const verdict = h("p", { class: "verdict", role: "status" });
  const answer = h("input", { inputmode: "decimal", "aria-label": "Your prediction", autocomplete: "off", size: 8 });
  const choices = h("span", { class: "choices" });
  const check = h("button", { class: "word" }, "Check");
  const reveal = h("button", { class: "word", type: "button", onclick: () => answered() }, "Show me");
  const panel = h("form", { class: "ask", hidden: true, "aria-labelledby": "question", onsubmit: judge });
  panel.append(question, answer, check, choices, reveal, verdict);
  const toggle = h("button", { class: "word", type: "button", "aria-pressed": "false", onclick: change }, "Predict");

  function change() {
    ui.predict = !ui.predict;
    solved.clear();
    toggle.setAttribute("aria-pressed", ui.predict);
    if (!ui.predict) close();
  }
  function close() {
    open = null;
    panel.hidden = true;
    ui.view.asked?.(null);
  }
  function answered() {
    const k = open;
    const focused = panel.contains(ui.root.activeElement);
    solved.add(k);
    close();
    if (focused) ui.scrub.focus();
    ui.player.step(k - Math.round(ui.player.t));
  }
  function judge(event) {
    event.preventDefault();
    const told = answer.value.trim().replace(/[−–]/g, "-").replace(",", ".");
    const x = told ? Number(told) : NaN;
    const { right, replies, otherwise } = asks[open];
    if (Number.isNaN(x)) write(verdict, "Write a number, such as −1.5.");
    else if (right[0] <= x && x <= right[1]) answered();
    else write(verdict, replies.find(([low, high]) => low <= x && x <= high)?.[2] ?? otherwise);
  }
  function gate(k) {
    if (!ui.predict || !asks[k] || solved.has(k)) return false;
    if (open === k) return true;
    open = k;
    const ask = asks[k];
    write(question, ask.text);
    write(verdict, "");
    answer.value = "";
    answer.hidden = check.hidden = !!ask.choices;
    choices.replaceChildren(...(ask.choices ?? []).map(([label, good, reply]) => choice(label, good, reply)));
    panel.hidden = false;
    ui.view.asked?.(k);
    panel.querySelector("input:not([hidden]),.choices button")?.focus();
    return true;
  }
  function choice(label, good, reply) {
    const act = () => (good ? answered() : write(verdict, reply));
    return h("button", { class: "word", type: "button", onclick: act }, label);
  }
  // Whoever goes somewhere else by hand has left the question.
  const moved = (k) => open !== null && k !== open - 1 && close();
  return { gate, moved, panel, extra: [toggle], escape: () => open !== null && (close(), ui.scrub.focus(), true) };
}

// --- a figure: title, drawing, bar, words -----------------------------------------------------------------------------------

function mount(host, story) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const { create, css } = figures.renderers[story.kind];
  const ui = { host, root, story, predict: false };
  const view = (ui.view = create(story, ui));
  const ask = quiz(story, ui);
  const bar = controls(story, ui, [...(view.extra ?? []), ...ask.extra]);
  const words = h("p", { class: "say" });
  const voice = h("p", { class: "voice", role: "status", "aria-live": "polite" });
  const player = (ui.player = new Player(story, show));
  const sentence = (k) => view.say?.(k) ?? story.say[k] ?? "";
  let timer = 0;
  function speak() {
    const k = Math.round(player.t);
    write(voice, view.spoken?.(k) ?? sentence(k));
  }

  function show({ t }) {
    view.draw(t);
    bar.show();
    const k = Math.round(t);
    write(words, sentence(k));
    ask.moved?.(k);
    clearTimeout(timer); // what passes by is not read aloud, only what rests
    timer = setTimeout(() => !player.playing && !player.moving && speak(), 300);
  }
  ui.refresh = () => player.show(player.t);
  player.gate = ask.gate;

  const caption = markup(h("figcaption"), story.caption);
  const room = h("div", { class: "room" }, view.stage, ...(view.panel ? [view.panel] : []));
  const below = [view.below, ask.panel].filter(Boolean);
  const figure = h("figure", { class: `${story.kind} ${story.rhythm}`, onkeydown: (event) => keys(event, ui, ask) });
  if (story.title) figure.append(h("p", { class: "title" }, story.title));
  figure.append(room, ...below, bar.box, words, voice, caption);
  figure.addEventListener("keyup", (event) => event.stopPropagation());
  lighting(figure);
  root.replaceChildren(h("style", {}, CSS + css), figure);
  const forget = dressing(host, () => {
    view.theme?.();
    ui.refresh();
  });
  view.start?.(player);
  player.jump(view.first ?? 0);
  Object.assign(host, { player, forget });
}

function controls(story, ui, extra) {
  const last = story.frames - 1;
  const scrub = (ui.scrub = h("input", { type: "range", class: "scrub", min: 0, max: last, step: "any", value: 0 }));
  scrub.setAttribute("aria-label", "Position");
  const count = h("span", { class: "count", "aria-hidden": "true" });
  const play = h("button", { class: "play", type: "button", onclick: () => ui.player.play() });
  const step = (name, label, by) =>
    h("button", { type: "button", "aria-label": label, title: label, onclick: () => ui.player.step(by) }, icon(name));
  const speeds = [0.5, 1, 2, 4].map((x) => h("option", { value: x, selected: x === 1 }, `${x}×`));
  const speed = h(
    "select",
    { "aria-label": "Speed", onchange: () => (ui.player.speed = Number(speed.value)) },
    ...speeds,
  );
  scrub.addEventListener("input", () => ui.player.go(Number(scrub.value)));
  scrub.addEventListener("change", () => story.rhythm === "dwell" && ui.player.jump(Math.round(ui.player.t)));
  const track = h("span", { class: "track" }, scrub, phases(story));
  const box = h("div", { class: "bar", role: "group", "aria-label": "Player" });
  box.append(play, step("back", "Step back (left arrow)", -1), step("next", "Next step (right arrow)", 1));
  box.append(track, count, speed, ...extra);
  let shown = "";
  function show() {
    const { t, playing } = ui.player;
    const k = Math.round(t);
    scrub.value = t;
    set(scrub, { "aria-valuetext": `${k} of ${last}`, style: `--at:${last ? (100 * t) / last : 0}%` });
    write(count, ui.view.count?.(k) ?? `${k} / ${last}`);
    const name = playing ? "pause" : t >= last ? "again" : "play";
    if (name === shown) return;
    shown = name;
    const label = { play: "Play", pause: "Pause", again: "Play again" }[name];
    play.replaceChildren(icon(name));
    set(play, { "aria-label": label, title: `${label} (space)` });
  }
  return { box, show };
}

// Where each phase of the story lies on the track. A phase begins where the state before it rests.
function phases(story) {
  const last = story.frames - 1;
  const box = h("span", { class: "phases", "aria-hidden": "true" });
  story.phases.forEach(([start, name, role], n) => {
    const end = story.phases[n + 1]?.[0] ?? story.frames;
    const [from, to] = [Math.max(start - 1, 0), end - 1];
    if (to <= from || !last) return;
    const style = `left:${(100 * from) / last}%;width:${(100 * (to - from)) / last}%`;
    box.append(h("i", { class: role, style }, name));
  });
  return box;
}

// Keys belong to the figure while it has the focus. What carries ctrl, meta or alt, and Shift+Enter, goes on to the host.
const forHost = (event) =>
  event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter") || event.key === "Escape";
function keys(event, ui, ask) {
  if (forHost(event) && event.key !== "Escape") return;
  if (event.key === "Escape") {
    if (!ui.view.escape?.() && !ask.escape()) return; // a host uses Escape to leave the output
    return used(event);
  }
  const target = event.composedPath()[0];
  if (target.matches?.("select,input:not(.scrub),.scroll")) return event.stopPropagation();
  if (event.key === " " && target.matches?.("button")) return event.stopPropagation();
  const { player } = ui;
  const scrubbing = target === ui.scrub;
  const act = {
    ArrowRight: () => player.step(1, event.repeat),
    ArrowLeft: () => player.step(-1, event.repeat),
    ArrowUp: scrubbing && (() => player.step(1, event.repeat)),
    ArrowDown: scrubbing && (() => player.step(-1, event.repeat)),
    PageUp: scrubbing && (() => player.step(5, true)),
    PageDown: scrubbing && (() => player.step(-5, true)),
    Home: () => player.go(0),
    End: () => player.go(player.last),
    " ": () => player.play(),
    k: () => player.play(),
  }[event.key];
  if (!act) return event.stopPropagation();
  act();
  used(event);
}
function used(event) {
  event.preventDefault();
  event.stopPropagation();
}

// Touch a number in a formula and its place in the drawing lights up, and the other way round.
function lighting(figure) {
  let lit = [];
  const light = (event) => {
    for (const node of lit) node.classList.remove("lit");
    const ref = event?.composedPath()[0].closest?.("[data-ref]")?.dataset.ref;
    lit = ref ? [...figure.querySelectorAll(`[data-ref="${CSS_escape(ref)}"]`)] : [];
    for (const node of lit) node.classList.add("lit");
  };
  figure.addEventListener("pointerover", light);
  figure.addEventListener("pointerleave", () => light());
}
const CSS_escape = (text) => globalThis.CSS.escape(text);

function dressing(host, act) {
  const dress = () => {
    const [r, g, b] = paper(host.parentElement ?? host);
    const dark = 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
    host.style.setProperty("--paper", `rgb(${r} ${g} ${b})`);
    host.style.colorScheme = dark ? "dark" : "light";
    host.toggleAttribute("dark", dark);
    act();
  };
  const attributeFilter = ["class", "style", "data-theme", "data-mode", "data-vscode-theme-kind"];
  attributeFilter.push("data-jp-theme-light", "data-jp-theme-name");
  const eyes = new MutationObserver(dress);
  for (const node of [document.documentElement, document.body])
    eyes.observe(node, { attributes: true, attributeFilter });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", dress);
  dress();
  return () => {
    eyes.disconnect();
    scheme.removeEventListener("change", dress);
  };
}

// --- how it looks -----------------------------------------------------------------------------------------------------------

const CSS = `
:host{display:block;--ink:#1c2026;--soft:#57606a;--line:#c9d0d8;--wash:#f1f4f7;--edge:#7f8994;--value:#0a6b3b;--gradient:#b3261e;--data:#0b5cad;--param:#7a3e9d;--hot:#c2410c;--glow:#ffd873;--cold:#7fb2e5;--mid:#f7f7f5;--warm:#f2a65e;--button:#fff}
:host([dark]){--ink:#e8ebef;--soft:#a7b1bd;--line:#46505c;--wash:#20262d;--edge:#7d8896;--value:#63d69d;--gradient:#ff9a8f;--data:#82bbff;--param:#d3a4f0;--hot:#ffae70;--glow:#7a5f14;--cold:#2f6ca8;--mid:#20242a;--warm:#b0662a;--button:#262d35}
*{box-sizing:border-box}[hidden]{display:none!important}
figure{margin:10px 0 16px;max-width:960px;color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;container-type:inline-size}
p{margin:0}
.title{font-weight:650;font-size:17px;letter-spacing:-.01em;margin-bottom:8px}
.room{display:flex;gap:22px;align-items:flex-start}
.stage{user-select:none;-webkit-user-select:none;flex:1 1 auto;min-width:0;width:100%;display:block}
.panel{flex:0 0 236px;display:flex;flex-direction:column;gap:10px}
.panel svg{width:100%;height:auto;display:block;overflow:visible}
@container (max-width:720px){.room{flex-direction:column;gap:10px}.panel{flex:none;width:100%;flex-direction:row;flex-wrap:wrap;gap:8px 18px}.panel>*{flex:1 1 150px;min-width:0}.panel>svg{flex:0 1 230px}}
.scroll{overflow-x:auto;overscroll-behavior-x:contain;scrollbar-width:thin;scrollbar-color:var(--soft) transparent}
.scroll:is(.before,.after){--from:#000;--to:#000;mask-image:linear-gradient(90deg,var(--from),#000 40px calc(100% - 40px),var(--to))}.before{--from:#0002!important}.after{--to:#0002!important}
svg text{font-size:13px;fill:var(--ink);font-family:inherit}
svg .tick{font-size:12px;fill:var(--soft)}.mid{text-anchor:middle}.end{text-anchor:end}
.axis{fill:none;stroke:var(--line)}
.bar{display:flex;align-items:center;gap:8px;margin:8px 0 14px;flex-wrap:wrap}
button,select{flex:none;font:inherit;font-size:14px;color:var(--ink);background:var(--button);border:1px solid var(--line);border-radius:999px;height:34px;min-width:34px;padding:0;display:inline-grid;place-items:center;cursor:pointer}
select{display:inline-block;padding:0 6px;border-radius:9px}
button:hover,select:hover{border-color:var(--ink)}
button svg{width:20px;height:20px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.play{background:var(--ink);color:var(--paper);border-color:var(--ink);width:40px;height:40px}.play path{fill:currentColor;stroke:none}.play[aria-label="Play again"] path{fill:none;stroke:currentColor}
.word{padding:0 14px}.word[aria-pressed=true]{background:var(--ink);color:var(--paper);border-color:var(--ink)}
:is(button,select,input,[tabindex]):focus-visible{outline:3px solid var(--data);outline-offset:2px}
.track{position:relative;flex:1 1 150px;min-width:110px}
@container (max-width:480px){.bar .track{order:9;flex-basis:100%}.bar .count{flex:1;min-width:0;white-space:normal}}
input[type=range]{appearance:none;width:100%;height:26px;margin:0;background:none;cursor:pointer;display:block;border-radius:6px}
input[type=range]::-webkit-slider-runnable-track{height:6px;border-radius:3px;background:linear-gradient(90deg,var(--soft) var(--at,0%),var(--line) var(--at,0%))}
input[type=range]::-moz-range-track{height:6px;border-radius:3px;background:linear-gradient(90deg,var(--soft) var(--at,0%),var(--line) var(--at,0%))}
input[type=range]::-webkit-slider-thumb{appearance:none;width:18px;height:18px;margin-top:-6px;border-radius:50%;background:var(--ink);border:3px solid var(--paper);box-shadow:0 0 0 1px var(--soft)}
input[type=range]::-moz-range-thumb{width:12px;height:12px;border-radius:50%;background:var(--ink);border:3px solid var(--paper);box-shadow:0 0 0 1px var(--soft)}
.phases{position:absolute;left:9px;right:9px;top:23px;height:16px;font-size:12px;color:var(--soft);pointer-events:none}
.phases i{position:absolute;font-style:normal;border-top:2px solid currentColor;white-space:nowrap;overflow:hidden;line-height:15px;padding-right:4px}
.count{color:var(--soft);font-size:13px;min-width:4.4em;text-align:center;white-space:nowrap}
.say{min-height:3em;max-width:86ch}.say:empty{min-height:0}.flow .say{min-height:1.5em}
.voice{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
figcaption{font-size:13.5px;color:var(--soft);max-width:96ch;margin-top:6px}figcaption b{font-weight:650;color:var(--ink)}
:is(figcaption b,.phases i,.note b).value{color:var(--value)}:is(figcaption b,.phases i,.note b).gradient{color:var(--gradient)}figcaption .data{color:var(--data)}figcaption .hot{color:var(--hot)}figcaption .param{color:var(--param)}figcaption .cold{color:var(--data)}figcaption .warm{color:var(--hot)}
.ask{display:flex;flex-wrap:wrap;gap:8px 10px;align-items:center;background:var(--wash);border-radius:10px;padding:10px 14px;border-left:4px solid var(--gradient);margin:6px 0}
.ask input{font:inherit;height:34px;padding:0 10px;border-radius:9px;border:1px solid var(--soft);background:var(--button);color:var(--ink)}
.question{font-weight:600}.choices{display:contents}.verdict{flex:1 1 100%;min-height:1.5em}
.dials{display:flex;gap:6px 28px;flex-wrap:wrap;margin:8px 0 0}
.dial{display:grid;grid-template-columns:auto 1fr minmax(3.6em,auto);gap:12px;align-items:center;flex:1 1 250px}.dial span{white-space:nowrap}.dial output{font-weight:650}
.lit{text-decoration:underline;text-decoration-thickness:2px}
@media (forced-colors:active){svg path{stroke:CanvasText}}
@media print{.bar,.dials,.ask{display:none!important}}
`;

// A slider over the places of a list; Python wrote what stands there.
function dial(name, labels, at, act) {
  const input = h("input", { type: "range", min: 0, max: labels.length - 1, step: 1, value: at, "aria-label": name });
  const output = h("output");
  const show = (k) => {
    input.value = k;
    const place = labels.length > 1 ? (100 * k) / (labels.length - 1) : 0;
    set(input, { "aria-valuetext": labels[k], style: `--at:${place}%` });
    write(output, labels[k]);
  };
  input.addEventListener("input", () => act(Number(input.value)));
  show(at);
  return { row: h("label", { class: "dial" }, h("span", {}, name), input, output), show };
}

// --- how it gets onto a page ------------------------------------------------------------------------------------------------

// A figure waits for the file that draws its kind. Outputs of different age may stand on one page: each waits for its own.
async function adopt(host) {
  const told = host.querySelector(`script[type="${PACKED}"]`);
  if (!told || host.adopted) return;
  const { kind, version } = told.dataset;
  if ((version && version !== figures.version) || !figures.renderers[kind]) {
    figures.waiting.add(host);
    return;
  }
  figures.waiting.delete(host);
  host.adopted = true;
  const packed = new Blob([bytes(told.textContent, Uint8Array)]).stream();
  try {
    mount(host, await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).json());
  } catch (error) {
    host.shadowRoot?.replaceChildren(h("slot")); // the picture is shown again
    console.error("A figure could not be shown:", error);
  }
}

function register(kind, create, css = "") {
  figures.renderers[kind] = { create, css };
  for (const host of [...figures.waiting]) adopt(host);
}

figures.adopt = adopt; // the newest module on the page serves new figures
if (!customElements.get(TAG)) {
  const Figure = class extends HTMLElement {
    connectedCallback() {
      figures.adopt(this);
    }
    disconnectedCallback() {
      if (this.player) this.player.playing = this.player.moving = false;
    }
  };
  customElements.define(TAG, Figure);
  // Notebook 7 catches keys on their way down, before a figure hears them, except below this attribute of Lumino.
  const keep = (event) => event.target.closest?.(TAG)?.toggleAttribute("data-lm-suppress-shortcuts", !forHost(event));
  addEventListener("keydown", keep, true);
}

export {
  bytes,
  capital,
  clamp,
  dial,
  draggable,
  ease,
  h,
  line,
  markup,
  mix,
  part,
  pointed,
  px,
  register,
  s,
  scroller,
  set,
  split,
  still,
  write,
};
