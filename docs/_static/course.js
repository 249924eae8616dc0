// What the pages do in a browser: guesses before answers, progress on the map, folds that open for a link.
// Without scripts the pages read as they are. What is kept is kept in this browser, and nothing is sent anywhere.

const root = new URL(document.documentElement.dataset.content_root ?? "./", location.href);
const place = location.pathname.slice(root.pathname.length).replace(/\.html$/, "");
const KEY = "coursepkg-course";

function load() {
  try {
    return { done: {}, opened: {}, guesses: {}, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { done: {}, opened: {}, guesses: {} }; // storage is switched off, or holds something else
  }
}
function keep(change) {
  const state = load();
  change(state);
  try {
    localStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    return false;
  }
  return true;
}
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// --- a guess before an answer: the output stays folded; what you wrote stands above it when you look -----------------

const FIRST_LINE = /^Your guess: none yet\.[^\n]*\n?/;

function withoutFirstLine(output) {
  const stream = output.querySelector(".output.stream pre");
  if (!stream || !FIRST_LINE.test(stream.textContent)) return;
  const rest = stream.textContent.replace(FIRST_LINE, "");
  if (rest.trim()) stream.textContent = rest;
  else stream.closest(".output").remove();
}

function askForGuess(cell, fold) {
  const key = `${place}#${cell.id}`;
  const input = make("input", { type: "text", id: `guess-${cell.id}`, autocomplete: "off" });
  input.value = load().guesses[key] ?? "";
  const said = make("p", { className: "guessed" });
  const tell = () => (said.textContent = input.value.trim() ? `Your guess: ${input.value.trim()}` : "You made no guess.");
  input.addEventListener("input", () => {
    keep((state) => {
      if (input.value.trim()) state.guesses[key] = input.value.trim().slice(0, 300);
      else delete state.guesses[key];
    });
    tell();
  });
  input.addEventListener("keydown", (event) => event.key === "Enter" && (fold.open = true));
  const label = make("label", { htmlFor: input.id, textContent: "Your guess" });
  fold.before(make("div", { className: "guess" }, label, input));
  withoutFirstLine(fold);
  tell();
  fold.querySelector(".cell_output")?.prepend(said);
}

// Cells that show the same answer once more, a figure below the numbers for example, open together with it.
const folded = [...document.querySelectorAll(".cell.tag_hide-output > details.hide")];
let together = [];
for (const fold of folded) {
  const cell = fold.parentElement;
  const asks = /^\s*predict\(/.test(cell.querySelector(".cell_input pre")?.textContent ?? "");
  if (asks) {
    together = [fold];
    askForGuess(cell, fold);
  } else if (cell.previousElementSibling?.contains(together.at(-1))) {
    together.push(fold);
    const first = together[0];
    first.addEventListener("toggle", () => first.open && (fold.open = true));
  } else together = [];
}

// --- a link into a fold opens it ---------------------------------------------------------------------------------------

function openAround(id) {
  const target = id && document.getElementById(decodeURIComponent(id));
  if (!target) return;
  for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
  // A heading whose section is folded: a reader who asked for it wants to read it.
  const own = target.matches("section") && target.querySelector(":scope > details.second-reading");
  if (own) own.open = true;
  target.scrollIntoView();
}
addEventListener("hashchange", () => openAround(location.hash.slice(1)));
if (location.hash) openAround(location.hash.slice(1));

// --- what is wider than a phone scrolls by itself, and keys reach it -----------------------------------------------------

const MAY_SCROLL =
  "mjx-container[display], mjx-container.wide, .bd-article div.math, .bd-article .text_html, .bd-article [style*='overflow-x']";

function reachWhatScrolls() {
  if (document.documentElement.scrollWidth > innerWidth) {
    for (const formula of document.querySelectorAll("mjx-container:not([display])")) {
      if (formula.getBoundingClientRect().right > innerWidth) formula.classList.add("wide");
    }
  }
  for (const box of document.querySelectorAll(MAY_SCROLL)) {
    const scrolls = box.scrollWidth > box.clientWidth && /auto|scroll/.test(getComputedStyle(box).overflowX);
    if (scrolls && !box.hasAttribute("tabindex")) box.tabIndex = 0;
  }
}
addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  reachWhatScrolls();
  addEventListener("resize", reachWhatScrolls);
  addEventListener("toggle", reachWhatScrolls, true); // what a fold hides has no width before it is opened
});

// --- the theme's folds in the menu have no name --------------------------------------------------------------------------

for (const toggle of document.querySelectorAll(".bd-links summary:has(.toctree-toggle)")) {
  const name = toggle.closest("li")?.querySelector("a")?.textContent ?? "this part";
  toggle.setAttribute("aria-label", `Pages under ${name}`);
}

// --- paper is light ---------------------------------------------------------------------------------------------------------

let onScreen = "";
addEventListener("beforeprint", () => {
  onScreen ||= document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  for (const image of document.images) image.loading = "eager"; // what was never in view is printed, too
});
addEventListener("afterprint", () => {
  document.documentElement.dataset.theme = onScreen;
  onScreen = "";
});

// --- progress ----------------------------------------------------------------------------------------------------------

const [, folder, number] = /^(notebooks|exercises)\/(\d\d)_/.exec(place) ?? [];
if (folder) {
  if (!load().opened[place]) keep((state) => (state.opened[place] = true));
  const what = folder === "notebooks" ? `chapter ${number} as read` : `the exercises of ${number} as done`;
  const button = make("button", { type: "button", className: "mark" });
  const note = make("span", { role: "status" });
  const show = () => {
    const done = Boolean(load().done[place]);
    button.textContent = done ? `Marked: ${what}. Take it back` : `Mark ${what}`;
  };
  button.addEventListener("click", () => {
    const kept = keep((state) => (state.done[place] ? delete state.done[place] : (state.done[place] = true)));
    note.textContent = kept ? "" : " This browser keeps nothing, so the mark is lost when you leave.";
    show();
  });
  show();
  const map = make("a", { href: new URL("map.html", root).href, textContent: "The course map" });
  document.querySelector("article.bd-article")?.append(make("div", { className: "at-the-end" }, button, note, " ", map));
}

function stateOf(link, state) {
  const page = new URL(link.href).pathname.slice(root.pathname.length).replace(/\.html$/, "");
  return state.done[page] ? "done" : state.opened[page] ? "begun" : "";
}
function drawMap() {
  const state = load();
  let read = 0;
  let practised = 0;
  const chapters = [...document.querySelectorAll(".course-map li")];
  for (const item of chapters) {
    item.querySelector(".state")?.remove();
    const chapter = stateOf(item.querySelector(".chapter"), state);
    const practice = item.querySelector(".practice") ? stateOf(item.querySelector(".practice"), state) : "";
    read += chapter === "done";
    practised += practice === "done";
    const words = [
      { done: "✓ read", begun: "begun", "": "" }[chapter],
      { done: "✓ exercises", begun: chapter ? "" : "exercises begun", "": "" }[practice],
    ];
    const told = words.filter(Boolean).join(", ");
    if (told) item.append(make("span", { className: "state", textContent: told }));
  }
  const tell = document.querySelector(".progress-words");
  if (!tell) return;
  const pages = document.querySelectorAll(".course-map .practice").length;
  tell.textContent = `${read} of ${chapters.length} chapters read, ${practised} of ${pages} pages of exercises done.`;
}
drawMap();

const tools = document.querySelector(".progress-tools");
if (tools) {
  const forget = make("button", { type: "button", className: "mark", textContent: "Forget my progress and my guesses" });
  const sure = make("span", { role: "status" });
  let asked = false;
  forget.addEventListener("click", () => {
    if (!asked) {
      asked = true;
      forget.textContent = "Really forget? Press once more";
      return;
    }
    asked = false;
    try {
      localStorage.removeItem(KEY);
    } catch {
      // nothing was kept
    }
    forget.textContent = "Forget my progress and my guesses";
    sure.textContent = " Forgotten.";
    drawMap();
  });
  tools.append(forget, sure);
}

// --- the landing page: the figure plays once, unless motion is unwanted -------------------------------------------------

const first = document.querySelector(".first-figure coursepkg-figure");
if (first && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
  let waited = 0;
  const begin = setInterval(() => {
    waited += 1;
    const play = first.shadowRoot?.querySelector(".play");
    if (play || waited > 50) clearInterval(begin);
    if (play?.getAttribute("aria-label") === "Play") play.click();
  }, 200);
}
