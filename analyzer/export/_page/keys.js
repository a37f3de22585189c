// The keyboard: what each key does, in one table that the help shows, too.

const KEYS = [
  ["Space", "play, pause", [" "], ({ player }) => player.toggle()],
  ["←", "the analysed picture before", ["ArrowLeft"], ({ player }) => player.step(-1)],
  ["→", "the analysed picture after", ["ArrowRight"], ({ player }) => player.step(1)],
  ["n", "next appearance of the chosen character (of anybody, where none is chosen)", ["n"], (view) => view.jump(1)],
  ["p", "previous appearance", ["p"], (view) => view.jump(-1)],
  ["b", "choose the next face of this picture", ["b"], ({ here }) => here.step(1)],
  ["B", "choose the previous face of this picture", ["B"], ({ here }) => here.step(-1)],
  ["/", "search a character", ["/"], () => document.getElementById("search").focus()],
  ["e", "edit name, sex and age of the chosen character", ["e"], (view) => view.edit(view.chosen)],
  ["x", "the chosen character is not this face", ["x"], (view) => view.ofChosenHere((_, track) => view.correct({ op: "not_this_person", track }))],
  ["s", "from this picture on, the face is somebody else's", ["s"], (view) => view.ofChosenHere((index) => view.splitAt(index))],
  ["Delete", "the chosen character's face in this picture is not a face", ["Delete"], (view) => view.ofChosenHere((_, track) => view.correct({ op: "not_a_face", track }))],
  ["d", "draw a face that was missed; arrows move the box, Shift and arrows resize it, Enter sets it, Esc cancels", ["d"], ({ drawing }) => drawing.begin()],
  ["a", "who is alike the chosen character", ["a"], (view) => view.nearest(null)],
  ["y", "the chosen character and the nearest are the same", ["y"], (view) => view.nearest((id, other) => view.same(id, other))],
  ["u", "the chosen character and the nearest are not the same", ["u"], (view) => view.nearest((id, other) => view.unlike(id, other))],
  ["m", "merge the ticked characters", ["m"], (view) => view.merge()],
  ["f", "full screen", ["f"], () => fullScreen()],
  ["?", "these keys", ["?"], () => showHelp()],
];
const WITH_CTRL = [
  ["Ctrl z", "undo", (view) => view.undo()],
  ["Ctrl y", "do again", (view) => view.redo()],
  ["Ctrl s", "save the corrections", (view) => save(view)],
];

function showHelp() {
  const dialog = document.getElementById("help");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function wireHelp() {
  const lines = [...KEYS, ...WITH_CTRL, ["Tab Enter", "everything else"]];
  const keys = (text) => text.split(" ").map((key) => h("kbd", {}, key));
  document.querySelector("#help dl").append(...lines.flatMap(([text, does]) => [h("dt", {}, ...keys(text)), h("dd", {}, does)]));
  for (const id of ["keys", "help-close"]) document.getElementById(id).addEventListener("click", showHelp);
}

function wireKeys(view) {
  wireHelp();
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (document.getElementById("help").open && key !== "?") return;
    if (target.matches("select, input:not([type=range], [type=checkbox])")) return;
    if (event.altKey) return;
    const act = event.ctrlKey || event.metaKey ? withCtrl(event) : plainKey(event, view);
    if (!act) return;
    event.preventDefault();
    act(view);
  });
}

function withCtrl({ key, shiftKey }) {
  const wanted = shiftKey && key.toLowerCase() === "z" ? "y" : key;
  const found = WITH_CTRL.find(([name]) => name === `Ctrl ${wanted}`);
  return found && found[2];
}

function plainKey(event, view) {
  const { key, target } = event;
  // There these keys have a meaning of their own.
  if ((key === " " || key === "Enter") && target.matches("button, summary, input[type=checkbox]")) return null;
  if (view.drawing.key(event)) return () => {};
  const found = KEYS.find(([, , keys]) => keys.includes(key));
  return found && found[3];
}
