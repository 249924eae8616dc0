"use strict";
// Text from learners is only ever set as textContent or as the value of a field, so none of it can become markup.
const $ = (id) => document.getElementById(id);
let answers = [], at = 0;
const made = []; // entries of this window, for undo

async function ask(name, data) {
  const options = data === undefined ? {} : {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(data) };
  let response;
  try {
    response = await fetch(name, options);
  } catch {
    throw new Error("Not saved: the program behind this page does not answer. Start it again; what was saved is kept.");
  }
  const found = await response.json();
  if (!response.ok) throw Object.assign(new Error(found.error), { status: response.status });
  return found;
}

function say(words) { $("status").textContent = words; }

function list(element, lines) {
  element.replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
}

function fields() { return { points: $("points").value.trim(), comment: $("comment").value.trim() }; }

function stored(answer) {
  const mark = answer.mark;
  return { points: mark && mark.points !== null ? String(mark.points) : "", comment: mark ? mark.comment : "" };
}

function changed() {
  if (!answers.length) return false;
  const now = fields(), was = stored(answers[at]);
  return now.points !== was.points || now.comment !== was.comment;
}

function progress() {
  const marked = answers.filter((answer) => answer.mark).length;
  $("progress").textContent = answers.length
    ? `Answer ${at + 1} of ${answers.length}; ${marked} marked.`
    : "There is nothing to mark: every answer has its mark, and none is flagged.";
}

function show(focus = true) {
  progress();
  $("answer").hidden = !answers.length;
  if (!answers.length) return;
  const answer = answers[at], mark = stored(answer);
  $("title").textContent = `${answer.exercise} ${answer.title}`;
  $("names").textContent = answer.names.length > 1
    ? `The same answer from ${answer.names.length} learners, marked together: ${answer.names.join(", ")}`
    : answer.names[0];
  $("verdict").textContent = answer.verdict;
  $("found").textContent = answer.found ? `: ${answer.found}` : "";
  list($("flags"), answer.flags);
  $("code").textContent = answer.code || "Not known. Start with --submissions and the download to see it here.";
  $("message").textContent = answer.message || "Nothing.";
  $("max").textContent = String(answer.max);
  $("so-far").textContent = answer.points ? `${answer.points} so far` : "no points so far";
  $("points").value = mark.points;
  $("comment").value = mark.comment;
  if (focus) $("title").focus();
}

function take(answer) { answers[answers.findIndex((one) => one.id === answer.id)] = answer; }

// Every way to leave an answer saves it first; only what cannot be saved keeps the page where it is.
async function save() {
  if (!changed()) return true;
  const answer = answers[at], now = fields();
  const points = now.points === "" ? null : Number(now.points.replace(",", "."));
  if (points !== null && !Number.isFinite(points)) { say(`Not saved: "${now.points}" is no number.`); $("points").focus(); return false; }
  if (points === null && !now.comment) { say("Not saved: give points or a comment, or press u to undo."); return false; }
  try {
    const done = await ask("marks", { id: answer.id, points, comment: now.comment, seen: answer.seen });
    made.push(done.entry);
    take(done.answer);
    say("Saved.");
    return true;
  } catch (error) {
    if (error.status === 409) {
      const found = (await ask("answers")).answers.find((one) => one.id === answer.id);
      take(found);
      const other = stored(found);
      say(`Not saved: another window gave ${other.points || "no"} points. Save again to replace that.`);
    } else {
      say(`Not saved: ${error.message}`.replace("Not saved: Not saved", "Not saved"));
    }
    return false;
  }
}

// One thing after another: a click that ends the typing in a field waits until that is saved.
let last = Promise.resolve();
function once(action) { last = last.then(action).catch((error) => say(error.message)); }

const move = (by) => once(async () => {
  if (!answers.length || !(await save())) return;
  const to = Math.min(Math.max(at + by, 0), answers.length - 1);
  if (to === at && by > 0) say(`${$("status").textContent} This was the last answer.`.trim());
  at = to;
  show();
});

const undo = () => once(async () => {
  if (!answers.length) return;
  if (changed()) { show(); say("Back to what was saved."); return; }
  const entry = made.pop() ?? answers[at].seen;
  if (!entry) { say("There is nothing to undo."); return; }
  const before = answers;
  answers = (await ask("undo", { entry })).answers;
  const back = answers.findIndex((one, k) => JSON.stringify(one.mark) !== JSON.stringify(before[k].mark));
  at = back < 0 ? at : back;
  show();
  say("Undone, and saved.");
});

const merge = () => once(async () => {
  if (!(await save())) return;
  const done = await ask("merge", {});
  say(`${done.changed} marks written into the results.` + (done.left.length ? " These were left out:" : ""));
  list($("left"), done.left);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || $("keys").open) return;
  const target = event.target, key = event.key;
  const typing = target === $("points") || target === $("comment");
  if (key === "Escape" && typing) { $("title").focus(); return; }
  if (key === "Enter" && !(target instanceof HTMLButtonElement) && !(target === $("comment") && event.shiftKey)) {
    event.preventDefault(); move(1); return;
  }
  if (typing) return;
  const scrolling = target === $("code");
  if (!scrolling && (key === "ArrowDown" || key === "ArrowRight")) { event.preventDefault(); move(1); return; }
  if (!scrolling && (key === "ArrowUp" || key === "ArrowLeft")) { event.preventDefault(); move(-1); return; }
  if (!$("shortcuts").checked) return;
  const actions = { j: () => move(1), k: () => move(-1), u: undo, c: () => $("comment").focus(), "?": () => $("keys").showModal() };
  if (actions[key]) { event.preventDefault(); actions[key](); }
  else if (/^[0-9]$/.test(key) && answers.length) { $("points").focus(); $("points").select(); }
});
$("save").addEventListener("click", () => move(1));
$("next").addEventListener("click", () => move(1));
$("previous").addEventListener("click", () => move(-1));
$("undo").addEventListener("click", undo);
$("merge").addEventListener("click", merge);
$("help").addEventListener("click", () => $("keys").showModal());
$("close").addEventListener("click", () => $("keys").close());
// Leaving a field, or the page, saves as well.
for (const id of ["points", "comment"]) $(id).addEventListener("change", () => once(async () => { if (await save()) progress(); }));
addEventListener("beforeunload", (event) => { if (changed()) event.preventDefault(); });
once(async () => { answers = (await ask("answers")).answers; at = Math.max(answers.findIndex((one) => !one.mark), 0); show(false); });
